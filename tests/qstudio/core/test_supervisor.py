"""Children that are kept running, restarted with a pause, and ended without leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qstudio.core.supervisor import Child, Supervisor
from tests.qstudio.processes import lives, wait_until

SERVER = (
    "import os, signal, subprocess, sys\n"
    "helper = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
    "print(os.getpid(), helper.pid, flush=True)\n"
    "signal.pause()\n"
)


@pytest.fixture
def supervised(tmp_path):
    made = []

    def make(program: str) -> tuple[Supervisor, Child]:
        child = Child("server", [sys.executable, "-c", program], tmp_path / "log")
        supervisor = Supervisor([child], tmp_path, os.environ)
        supervisor.start()
        made.append(supervisor)
        return supervisor, child

    yield make
    for supervisor in made:
        supervisor.stop(0.1)


def pids(tmp_path: Path, line: int = 0) -> list[int]:
    log = tmp_path / "log"
    wait_until(lambda: log.exists() and log.read_text().count("\n") > line, "the server speaks")
    return [int(word) for word in log.read_text().splitlines()[line].split()]


def test_stopping_leaves_no_process_behind(supervised, tmp_path):
    supervisor, _ = supervised(SERVER)
    server, helper = pids(tmp_path)

    supervisor.stop()

    assert not lives(server)
    wait_until(lambda: not lives(helper), "the server's helper is gone as well")


def test_a_child_that_does_not_listen_is_forced(supervised, tmp_path):
    supervisor, _ = supervised(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
    )
    server, helper = pids(tmp_path)

    supervisor.stop(grace_s=0.2)

    assert not lives(server)
    wait_until(lambda: not lives(helper), "the server's helper is gone as well")


def test_a_child_that_dies_is_started_again_without_what_it_left(supervised, tmp_path):
    supervisor, child = supervised(SERVER)
    server, helper = pids(tmp_path)
    os.kill(server, signal.SIGKILL)

    news: list[str] = []
    wait_until(
        lambda: news.extend(supervisor.check()) or child.n_starts == 2, "it is started again"
    )

    assert news == ["server ended (SIGKILL); starting it again in 1 s"]
    assert pids(tmp_path, line=1)[0] != server
    wait_until(lambda: not lives(helper), "the helper of the dead server is gone")


def test_pauses_grow_while_a_child_keeps_failing(supervised):
    supervisor, child = supervised("raise SystemExit(3)")

    news: list[str] = []
    wait_until(lambda: news.extend(supervisor.check()) or len(news) == 2, "it failed twice")

    assert [text.rsplit(" in ", 1)[1] for text in news] == ["1 s", "2 s"]
    assert "exit code 3" in news[0]
    assert child.n_starts == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_children_end_when_the_supervisor_is_killed(tmp_path):
    program = (
        "import os, pathlib, signal, sys\n"
        "from qstudio.core.supervisor import Child, Supervisor\n"
        f"child = Child('server', [sys.executable, '-c', {SERVER!r}], pathlib.Path('log'))\n"
        "Supervisor([child], pathlib.Path('.').absolute(), os.environ).start()\n"
        "signal.pause()\n"
    )
    repository = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=environment)
    server, helper = pids(tmp_path)

    parent.kill()
    parent.wait()

    wait_until(lambda: not lives(server), "the server has ended")
    os.kill(helper, signal.SIGKILL)
