"""A served session in a process of its own, as a person starts it, on a port that the system chooses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


class Served:
    """A q console that listens."""

    def __init__(self, *arguments: str, port: str = "0W", **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "q_runtime", "-p", port, "-q", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, **environment},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port = int(self.line().split()[-1])

    def line(self) -> str:
        """Read a line that the console prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def type(self, text: str) -> None:
        """Give the console a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """End the process; return its exit status."""
        self.process.terminate()
        status = self.process.wait(timeout=60)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start consoles that listen; all end with the test."""
    started: list[Served] = []

    def start(*arguments: str, **environment: str) -> Served:
        started.append(Served(*arguments, **environment))
        return started[-1]

    yield start
    for served in started:
        served.end()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One console for the tests of a module."""
    made = Served()
    yield made
    made.end()
