"""Operating-system processes of Runs: starting, recognising and ending them.

A process is known by host, pid, start time and boot id together: a pid alone may belong to somebody else tomorrow.
Knows nothing of the database.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

DETACH = Path(__file__).with_name("detach.py")
START_TOLERANCE_S = 30.0
"""Start times count from the boot time, which moves when the clock is set; no pid comes round again so soon."""

_PASSED_ON = {
    *(
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "TZ",
        "TMPDIR",
        "TERM",
        "LD_LIBRARY_PATH",
    ),
    *("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHASHSEED", "COLUMNS"),
    *(
        "QHOME",
        "QLIC",
        "QSTUDIO_Q_BINARY",
        "QSTUDIO_PYKX_PYTHON",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ),
}
_PASSED_ON_PREFIXES = (
    *(
        "LC_",
        "XDG_",
        "HF_",
        "TRANSFORMERS_",
        "TOKENIZERS_",
        "OMP_",
        "MKL_",
        "OPENBLAS_",
        "NUMEXPR_",
    ),
    *("TORCH", "CUDA_", "NVIDIA_", "NCCL_", "SSL_CERT_", "PYKX_", "QSTUDIO_KDB_"),
)


@dataclass(frozen=True)
class ProcessIdentity:
    """What tells one process from every other, also after its pid is used again."""

    host: str
    pid: int
    started_at: float
    """Unix time, seconds."""
    boot_id: str


def this_host() -> str:
    """Name of this machine."""
    return socket.gethostname()


def this_boot() -> str:
    """Id of the time since this machine was started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"boot-{int(psutil.boot_time())}"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a Run may see of our environment: nothing of Django's, and no secret but the login at kdb+ that it needs."""
    return {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }


def spawn(command: Sequence[str], *, log: Path, cwd: Path, niceness: int = 0) -> ProcessIdentity:
    """Start a detached process, its output appended to `log`. Raises: OSError when it cannot be started."""
    launcher = [sys.executable, "-I", "-S", str(DETACH), str(niceness), str(log), "--", *command]
    result = subprocess.run(
        launcher,
        cwd=cwd,
        env=clean_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or ["no reason given"]
        raise OSError(f"{command[0]} could not be started: {lines[-1]}")
    return identify(int(result.stdout))


def identify(pid: int) -> ProcessIdentity:
    """The identity of a process of this machine; start time 0 when it is gone already."""
    try:
        started_at = psutil.Process(pid).create_time()
    except psutil.Error:
        started_at = 0.0
    return ProcessIdentity(this_host(), pid, started_at, this_boot())


def is_local(identity: ProcessIdentity) -> bool:
    """Whether the process, if it lives, is one of this machine."""
    return identity.host == this_host()


def find(identity: ProcessIdentity) -> psutil.Process | None:
    """The living process; None when it is gone, a zombie, or another one under the same pid."""
    if not is_local(identity) or identity.boot_id != this_boot():
        return None
    try:
        process = psutil.Process(identity.pid)
        if abs(process.create_time() - identity.started_at) > START_TOLERANCE_S:
            return None
        return None if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else process
    except psutil.Error:
        return None


def find_working_in(directory: Path) -> psutil.Process | None:
    """A living process of this machine whose arguments end with a run directory."""
    for process in psutil.process_iter(["cmdline", "status"]):
        arguments = process.info["cmdline"] or []
        if (
            arguments
            and str(directory) == arguments[-1]
            and str(DETACH) not in arguments
            and not any(argument.endswith("manage.py") for argument in arguments)
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ):
            return process
    return None


def wait_gone(process: psutil.Process, patience_s: float) -> bool:
    """Wait for a process to end, at most `patience_s`; says whether it did."""
    _, alive = psutil.wait_procs([process], timeout=patience_s)
    return not alive


def request_stop(identity: ProcessIdentity) -> bool:
    """Ask the process, and it alone, to stop and save; says whether there was one to ask."""
    process = find(identity)
    if process is None:
        return False
    try:
        process.terminate()
    except psutil.Error:
        return False
    return True


def kill(identity: ProcessIdentity, grace_s: float) -> bool:
    """End a process with its group and descendants: ask, wait at most `grace_s`, force; True when all are gone."""
    process = find(identity)
    if process is None:
        return True
    family = [process, *_descendants(process)]
    _signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    _, alive = psutil.wait_procs([process], timeout=grace_s)
    if not alive:
        psutil.wait_procs(family, timeout=max(0.0, min(2.0, deadline - time.monotonic())))
    if alive:
        family = list({*family, *_descendants(process)})
        _signal_group(process.pid, signal.SIGKILL)
    for member in family:
        try:
            member.kill()
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(family, timeout=5)
    return not [member for member in alive if _lives(member)]


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal_group(pid: int, number: int) -> None:
    """Signal the group that the process leads; a process that leads none is signalled alone."""
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass
