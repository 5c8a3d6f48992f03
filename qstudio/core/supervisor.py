"""Keeping a few long-lived child processes running, and ending them without leaving one behind.

Knows nothing of what they do. Each child leads a session of its own (`tether`), so that a signal reaches all of its
processes; one that ends is started again, after a pause that doubles while it keeps failing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
MAX_PAUSE_S = 30.0
SETTLED_S = 60.0
"""A child that ran so long is healthy again: its next failure begins with a short pause."""


@dataclass
class Child:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    log: Path | None = None
    """Where its output goes; None: to ours."""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause_s: float = 0.0
    n_starts: int = field(default=0)


class Supervisor:
    """Starts children, restarts those that end, stops them all."""

    def __init__(
        self, children: Sequence[Child], cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self.children = list(children)
        self._cwd = cwd
        self._environment = dict(environment)

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            self._start(child)

    def check(self) -> list[str]:
        """Restart what has ended, when its pause is over; sentences about what happened."""
        news: list[str] = []
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                _end_group(child.process, signal.SIGKILL)  # whatever the dead leader left behind
                settled = now - child.started_at > SETTLED_S
                child.pause_s = (
                    1.0 if settled or not child.pause_s else min(2 * child.pause_s, MAX_PAUSE_S)
                )
                child.start_again_at = now + child.pause_s
                news.append(
                    f"{child.name} ended ({_how(child.process.returncode)}); "
                    f"starting it again in {child.pause_s:.0f} s"
                )
                child.process = None
            elif child.process is None and now >= child.start_again_at:
                self._start(child)
        return news

    def stop(self, grace_s: float = 10.0) -> None:
        """End every child and all of its processes: ask, wait at most `grace_s` for all together, force."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            # The leader alone is asked, and ends its own processes in order.
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + grace_s
        for process in running:
            try:
                process.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
        for process in running:
            _end_group(process, signal.SIGKILL)
            process.wait()
        for child in self.children:
            child.process = None

    def _start(self, child: Child) -> None:
        output = child.log.open("ab") if child.log else None
        try:
            child.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *child.command],
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
            )
        finally:
            if output:
                output.close()
        child.started_at = time.monotonic()
        child.n_starts += 1


def _end_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal all processes of the session's group; it is fine when there is none left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"
