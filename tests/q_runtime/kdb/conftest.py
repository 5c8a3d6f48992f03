"""Our own console stands in for kdb+, as the q binary and as the server: real processes, real sockets."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

OUR_Q = Path(__file__).resolve().parents[3] / "q_runtime" / "bin" / "q"


class RunningQ:
    """A q that listens, with the user `ada` and a limit of two seconds per message."""

    def __init__(self, users: Path) -> None:
        users.write_text("ada:secret\n")
        self.process = subprocess.Popen(
            [str(OUR_Q), "-q", "-p", "0W", "-T", "2", "-u", str(users)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def start_q(tmp_path: Path) -> Iterator[Callable[[], RunningQ]]:
    """Start servers; all end with the test."""
    started: list[RunningQ] = []

    def start() -> RunningQ:
        started.append(RunningQ(tmp_path / "users"))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.kill()


@pytest.fixture(scope="module")
def running_q(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningQ]:
    """One server for the tests of a module."""
    made = RunningQ(tmp_path_factory.mktemp("q") / "users")
    yield made
    made.kill()


@pytest.fixture
def fake_q(tmp_path: Path) -> Callable[[str], str]:
    """Make an executable `q` that runs a line of shell."""

    def make(line: str) -> str:
        path = tmp_path / "q"
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        return str(path)

    return make
