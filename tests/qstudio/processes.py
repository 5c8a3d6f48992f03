"""Real processes for tests: clusters, watchers and stages over the test's own database and data folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
STAGE_COMMAND = [sys.executable, "-m", "tests.qstudio.runs.stage_program"]
PATIENCE_S = 40.0


def wait_until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again until the condition holds; fails with `what` when it never does."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


class System:
    """Starts `manage.py` processes, and ends whatever is left of them."""

    def __init__(self, database: str, folder: Path, secret_key: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "QSTUDIO_DATABASE_URL": f"sqlite:///{database}",
            "QSTUDIO_DATA_DIR": str(folder),
            "QSTUDIO_SECRET_KEY": secret_key,
            "TEST_RUN_COMMAND": json.dumps(STAGE_COMMAND),
            "PYTHONPATH": str(REPOSITORY),
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `manage.py` with arguments, in a session of its own; output goes to `<command>.log`."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=REPOSITORY,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def log(self, command: str) -> str:
        """What the processes of a command have said so far."""
        path = self.folder / f"{command}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def survivors(self) -> list[str]:
        """Command lines of living processes that were given this system's environment."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            try:
                is_ours = process.environ().get("QSTUDIO_DATA_DIR") == str(self.folder)
            except psutil.Error:
                continue
            if is_ours and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.info["cmdline"] or []))
        return found

    def close(self) -> None:
        """End everything that was started here, the Runs' processes included."""
        for process in self.processes:
            kill_group(process.pid)
            process.wait()
        end_stages(self.folder)


def kill_group(pid: int) -> None:
    """SIGKILL for the group that a process leads, if it is still there."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def end_stages(folder: Path) -> None:
    """End every process that works in a directory below a folder."""
    for process in psutil.process_iter(["cmdline"]):
        if any(argument.startswith(f"{folder}/") for argument in process.info["cmdline"] or []):
            kill_group(process.pid)


def lives(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def starts(directory: str | Path) -> list[int]:
    """Process ids of all stage programs that have begun to work in a run directory."""
    path = Path(directory) / "starts.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [int(line.split()[0]) for line in lines]
