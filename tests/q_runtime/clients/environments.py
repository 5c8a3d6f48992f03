"""A virtual environment for each client, made when a test first asks for it and kept in `.venv-clients/`.

The clients cannot share one: they need versions of NumPy that exclude each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[2] / ".venv-clients"


class NotInstalled(Exception):
    """The client cannot be installed here; the text says why."""


def python_with(client: str) -> Path:
    """Return a Python that has the client and what it needs, at the versions in its file.

    Raises: NotInstalled.
    """
    pins = HERE / f"{client}.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    home = CACHE / client
    python, stamp = home / "bin" / "python", home / "installed"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{client}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.is_file() and stamp.read_text() == digest):
            _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)])
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-input"]
            _run([*pip, "--disable-pip-version-check", "-r", str(pins)])
            stamp.write_text(digest)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NotInstalled(f"{' '.join(command[:4])} ... ended with {last}")
