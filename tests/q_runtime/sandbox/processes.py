"""Looking at processes from outside: descendants, whether they live, the loss of one. Linux only, through /proc."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path

PATIENCE_S = 10.0


def children_of(pid: int) -> list[int]:
    """Living children of a process, zombies left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue  # it ended while we looked
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def descendants_of(pid: int) -> list[int]:
    """Living descendants of a process, nearest first."""
    found = children_of(pid)
    for child in found:
        found.extend(children_of(child))
    return found


def workers_of(template_pid: int) -> list[int]:
    """Worker processes below the outer template process."""
    return [worker for inner in children_of(template_pid) for worker in children_of(inner)]


def scratch_directories_of(template_pid: int) -> list[Path]:
    """Directories below which the workers of a template have their scratch space."""
    folders = {
        folder
        for pid in workers_of(template_pid)
        for folder in Path(f"/proc/{pid}/cwd").readlink().parents
    }
    return sorted(folder for folder in folders if folder.name.startswith("q_sandbox_"))


def is_busy(pid: int) -> bool:
    """Tell whether a process has used the processor for longer than starting takes."""
    try:
        user_ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11]
    except OSError:
        return False
    return int(user_ticks) >= 0.2 * os.sysconf("SC_CLK_TCK")


def wait_until_gone(pids: list[int]) -> list[int]:
    """Wait for the processes to end; return those that did not in good time."""
    deadline = time.monotonic() + PATIENCE_S
    return [pid for pid in pids if not _is_gone(pid, deadline)]


def kill(pid: int) -> None:
    """End a process the hard way, if it has not ended already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _is_gone(pid: int, deadline: float) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        timeout_s = max(deadline - time.monotonic(), 0)
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)
