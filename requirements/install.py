"""Makes `.venv/` hold the pinned packages: `python3 requirements/install.py base train [dev]`.

It does nothing when the layers that are asked for were installed by an earlier call and their files have not changed
since. It uses the standard library only. It does not choose versions and names no package index: the first is the
business of the files beside it, the second of pip's own settings.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
VENV = FOLDER.parent / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
LOG = VENV / "install.log"
OLDEST = (3, 11)

REASONS = (
    ("No space left on device", "the disk is full; about 3 GB are needed"),
    ("name resolution", "the package index cannot be reached; check the network"),
    ("NewConnectionError", "the package index cannot be reached; check the network"),
    ("No matching distribution found", "the package index lacks a pinned version for this Python"),
    ("Permission denied", "a file could not be written; check the rights of this folder"),
)
"""What pip prints, and what it means for the person who reads it."""


class SetupError(Exception):
    """The environment could not be made; the text says what to do."""


def main(layers: list[str]) -> int:
    """Install the named layers unless they are in place. Returns the exit code."""
    try:
        if sys.version_info < OLDEST:
            version = ".".join(map(str, sys.version_info[:2]))
            raise SetupError(f"QStudio needs Python 3.11 or newer, and this is {version}")
        with _alone():
            _install(layers)
    except SetupError as error:
        print(f"setup: {error}.", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock on the folder, so that two calls at once do not install over each other."""
    handle = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _install(layers: list[str]) -> None:
    wanted = {layer: _digest(layer) for layer in layers}
    if _works() and wanted.items() <= _installed().items():
        return
    pip = _environment()
    print(f"Installing {' + '.join(layers)} into .venv; the first time takes minutes.", flush=True)
    files = [part for layer in layers for part in ("-r", str(_file(layer)))]
    if _run([*pip, "install", "--disable-pip-version-check", "--no-input", *files]) != 0:
        raise SetupError(_why())
    STAMP.write_text(json.dumps({**_installed(), **wanted}), encoding="utf-8")
    print("Installed.", flush=True)


def _file(layer: str) -> Path:
    return FOLDER / f"{layer}.txt"


def _digest(layer: str) -> str:
    """What the stamp remembers of a layer."""
    if not _file(layer).is_file():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.txt")))
        raise SetupError(f"there is no layer {layer!r}; choose from {known}")
    return hashlib.sha256(_file(layer).read_bytes()).hexdigest()


def _installed() -> dict[str, str]:
    """The layers that are in place, with the digest of the file that each was installed from."""
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _works() -> bool:
    """True when the environment's Python starts and is new enough: a half-made one does not."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return _is_fine([str(PYTHON), "-I", "-c", check])
    except OSError:
        return False


def _is_fine(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _environment() -> list[str]:
    """Make the environment where it is missing or broken. Returns the command that is its pip."""
    if not _works():
        shutil.rmtree(VENV, ignore_errors=True)
        make = [sys.executable, "-m", "venv", str(VENV)]
        # Debian keeps ensurepip in a package of its own; the pip outside can then serve inside.
        if not _is_fine(make) and not _is_fine([*make, "--clear", "--without-pip"]):
            raise SetupError(
                f"{sys.executable} cannot make a virtual environment in {VENV.parent}; "
                "on Debian `apt install python3-venv` may be missing"
            )
    inside = [str(PYTHON), "-m", "pip"]
    for pip in (inside, [sys.executable, "-m", "pip", "--python", str(PYTHON)]):
        if _is_fine([*pip, "--version"]):
            return pip
    raise SetupError("pip is missing; on Debian: apt install python3-pip python3-venv")


def _run(command: list[str]) -> int:
    """Run pip with its words in the log, on a terminal with a sign of life. Returns its exit code."""
    shows = sys.stdout.isatty()
    environ = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            if shows and line.startswith(("Collecting", "Installing")):
                print(f"\r\033[K  {line.strip()[:70]}", end="", flush=True)
    if shows:
        print("\r\033[K", end="", flush=True)
    return process.returncode


def _why() -> str:
    """One sentence on why pip failed, with its last words where the reason is not a known one."""
    text = LOG.read_text(encoding="utf-8")
    known = [meaning for sign, meaning in REASONS if sign in text]
    reason = known[0] if known else f"pip ended with: {text.strip().splitlines()[-1:]}"
    return f"{reason}; all that pip printed is in {LOG.relative_to(FOLDER.parent)}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["base", "train"]))
