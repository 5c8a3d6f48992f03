"""`pykx`: every Program in a process of its own with the q inside PyKX.

PyKX is not one of our packages: it lives in an environment of its own, whose Python the operator names, and is imported
there alone (`pykx_host`). Messages and values go over a socket pair in kdb+'s own binary form, so that a Program fares
as with the other engines. Without a licence PyKX has no q in it and is only a client, for which there is `kdb_ipc`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from q_runtime.errors import EngineUnavailable
from q_runtime.ipc.client import Connection
from q_runtime.ipc.faults import ConnectionFault
from q_runtime.ipc.framing import CAPABILITY
from q_runtime.kdb.licence import find_licence_trouble
from q_runtime.kdb.own_process import OwnProcess
from q_runtime.kdb.process_engine import ProcessWorker, start_workers
from q_runtime.kdb.streaming import WorkerEngine
from q_runtime.limits import Limits

START_S = 60.0
"""How long a process may take until it answers; importing PyKX takes about a second."""
HOST = Path(__file__).with_name("pykx_host.py")
_SETTINGS = {"PYKX_IGNORE_QHOME": "true", "PYKX_SUPPRESS_WARNINGS": "true"}
"""PyKX is not to link the files of QHOME into itself, nor to talk."""
_NEVER = ("PYKX_UNLICENSED", "PYKX_LICENSED")


class PykxProcess(OwnProcess):
    """A Python whose PyKX answers on a socket."""

    def __init__(self, python: str, output_chars: int = 65536) -> None:
        self._python = python
        self._socket: socket.socket | None = None
        super().__init__("PyKX", output_chars)

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        number = theirs.fileno()
        try:
            command = [self._python, str(HOST), "serve", str(number)]
            self._spawn(command, _environment(), pass_fds=(number,))
        finally:
            theirs.close()

    def connect(self) -> Connection:
        """Return the connection, made when first asked for, when q has given its first answer.

        Raises: EngineUnavailable with a sentence on what is wrong.
        """
        if self.connection is None:
            if self._socket is None:
                raise EngineUnavailable("the engine is closed")
            self.connection = Connection(self._socket, self.name, START_S, CAPABILITY)
            try:
                self.connection.sync("1b")
            except ConnectionFault as fault:
                raise EngineUnavailable(self._why_not(fault)) from fault
        return self.connection

    def close(self) -> None:
        """Kill the process and remove its directory. May be called more than once, and from another thread."""
        super().close()
        if self._socket is not None:
            self._socket.close()

    def _why_not(self, fault: ConnectionFault) -> str:
        _, words = self.ended_how()
        if trouble := find_licence_trouble(words):
            return f"PyKX has no valid licence: {trouble}"
        return f"PyKX cannot be used: {words or fault}; try it in a terminal"


class Pykx(WorkerEngine[ProcessWorker]):
    """Executes q Programs with the q inside PyKX."""

    name: ClassVar[str] = "pykx"

    def __init__(
        self,
        n_workers: int = 2,
        limits: Limits | None = None,
        *,
        python: str = "",
        job_time_s: float = 60.0,
        wait_s: float = 0.0,
    ) -> None:
        """Find PyKX with a licence and see that its q answers.

        python: path of a Python that has PyKX; our own when empty.
        wait_s: how long a q that once answered and now does not start is tried again.
        Raises: EngineUnavailable with a sentence that says what to do.
        """
        if n_workers < 1:
            raise ValueError(f"n_workers must be at least 1, got {n_workers}")
        found, release = find_pykx(python)
        limits = limits or Limits()
        workers = start_workers(
            lambda: PykxProcess(found, limits.output_bytes), n_workers, limits, job_time_s, wait_s
        )
        self._version = f"{workers[0].version} in PyKX {release}"
        super().__init__(workers)

    @property
    def version(self) -> str:
        """Version and date of q and the version of PyKX, such as `4.1 2025.02.18 in PyKX 4.2.0`."""
        return self._version


def find_pykx(python: str = "") -> tuple[str, str]:
    """Return the path of a Python that has PyKX with a licence, and the version of PyKX; q is not started.

    Raises: EngineUnavailable.
    """
    path = shutil.which(os.path.expanduser(python) if python else sys.executable)
    if path is None:
        raise EngineUnavailable(
            f"there is no program {python}; name the Python of an environment that has PyKX"
        )
    found = _look(path)
    if "version" not in found:
        raise EngineUnavailable(
            f"{path} has no PyKX ({found.get('trouble', 'it gave no answer')}); install it into an environment of "
            "its own and name the Python there in QSTUDIO_PYKX_PYTHON"
        )
    if not found.get("has_licence"):
        raise EngineUnavailable(
            f"PyKX {found['version']} has no licence, and so no q in it; set QLIC to the directory of a licence file, "
            "or use kdb_ipc with a kdb+ that runs"
        )
    return path, str(found["version"])


def _look(python: str) -> dict[str, Any]:
    """What `pykx_host look` prints; empty when it prints nothing that can be read."""
    environment = {**os.environ, **_environment()}
    for name in _NEVER:
        environment.pop(name, None)
    try:
        done = subprocess.run(
            [python, str(HOST), "look"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_S,
        )
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _environment() -> dict[str, str]:
    """Settings of PyKX that the operator has made, and ours."""
    given = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PYKX_") and name not in _NEVER
    }
    return given | _SETTINGS
