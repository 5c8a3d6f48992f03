"""The whole system as one command: start, login, restart of parts, Ctrl-C, and what survives a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import urllib.request
from pathlib import Path

import psutil
import pytest

from qstudio.problems.builtin import BUILTIN_SETS, sets_version
from qstudio.runs.launch import ring
from qstudio.runs.models import Run
from tests.qstudio.factories import make_problem
from tests.qstudio.processes import System, lives, starts, wait_until


@pytest.fixture
def installed(system: System) -> System:
    """A system in which the built-in sets count as loaded."""
    for name in BUILTIN_SETS:
        make_problem(f"one-of-{name}", problem_set=name)
    notes = dict.fromkeys(BUILTIN_SETS, sets_version())
    (system.folder / "problem_sets.json").write_text(json.dumps(notes), encoding="utf-8")
    return system


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_up(system: System, port: int) -> subprocess.Popen[bytes]:
    """Start everything and wait for the address to be announced."""
    n_before = system.log("up").count("QStudio is at")
    process = system.start("up", "--port", str(port), "--no-demo")
    wait_until(
        lambda: system.log("up").count("QStudio is at") > n_before or process.poll() is not None,
        "the address is announced",
    )
    assert process.poll() is None, system.log("up")
    return process


def child(process: subprocess.Popen[bytes], word: str) -> psutil.Process:
    """The direct child whose command line holds a word."""
    return next(c for c in psutil.Process(process.pid).children() if word in " ".join(c.cmdline()))


def login_page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=20) as answer:
        return answer.read().decode()


def state(run: Run) -> str:
    run.refresh_from_db()
    return run.state


def test_it_serves_and_says_where_and_ends_without_leftovers(installed, port):
    process = start_up(installed, port)

    assert f"http://127.0.0.1:{port}/" in installed.log("up")
    assert "password" in login_page(port)
    password = (installed.folder / "admin_password").read_text().strip()
    assert password in installed.log("up")
    assert stat.S_IMODE(os.stat(installed.folder / "admin_password").st_mode) == 0o600

    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    wait_until(lambda: not installed.survivors(), "nothing is left")


def test_a_second_one_is_refused_with_the_address_of_the_first(installed, port):
    start_up(installed, port)

    second = installed.start("up", "--port", str(port + 1))

    assert second.wait(timeout=60) == 1
    assert (
        f"is running already (process {installed.processes[0].pid}, http://127.0.0.1:{port}/)"
        in (installed.log("up"))
    )


def test_a_port_in_use_is_named_with_what_to_do(installed):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        process = installed.start("up", "--port", str(port))

        assert process.wait(timeout=60) == 1
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in installed.log("up")
    assert f'make run ARGS="--port {port + 1}"' in installed.log("up")
    assert "Traceback" not in installed.log("up")


def test_ctrl_c_saves_the_run_and_the_next_start_resumes_it(installed, port, new_run):
    run = new_run("wait")
    ring(run)
    process = start_up(installed, port)
    wait_until(lambda: state(run) == "running", "the Run is running")

    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0

    assert state(run) == "stopped"
    assert run.resumes_itself
    assert not lives(run.pid)

    Path(run.directory, "go").touch()
    start_up(installed, port)
    wait_until(lambda: state(run) == "succeeded", "the Run has succeeded")
    assert len(starts(run.directory)) == 2


def test_a_run_that_a_person_stopped_stays_stopped(installed, port, new_run):
    run = new_run("wait")
    Run.objects.filter(pk=run.pk).update(state="stopped")

    start_up(installed, port)

    assert state(run) == "stopped"


def test_a_killed_system_leaves_the_run_going_and_the_next_one_follows_it(installed, port, new_run):
    run = new_run("wait")
    ring(run)
    process = start_up(installed, port)
    wait_until(lambda: state(run) == "running", "the Run is running")

    process.kill()
    process.wait()
    wait_until(lambda: not installed.survivors(), "web server, workers and watcher have ended")
    assert lives(run.pid)

    start_up(installed, port)
    Path(run.directory, "go").touch()
    wait_until(lambda: state(run) == "succeeded", "the Run has succeeded")
    assert len(starts(run.directory)) == 1


@pytest.mark.parametrize("part", ["gunicorn", "qcluster", "watch"])
def test_a_killed_part_comes_back_and_the_run_does_not_notice(installed, port, new_run, part):
    run = new_run("wait")
    ring(run)
    process = start_up(installed, port)
    wait_until(lambda: state(run) == "running", "the Run is running")
    killed = child(process, part)

    killed.kill()

    wait_until(lambda: "starting it again" in installed.log("up"), "the end is noticed")
    wait_until(
        lambda: any(
            part in " ".join(c.cmdline()) and c.pid != killed.pid
            for c in psutil.Process(process.pid).children()
        ),
        "the part is back",
    )
    assert lives(run.pid)
    Path(run.directory, "go").touch()
    wait_until(lambda: state(run) == "succeeded", "the Run has succeeded")
    wait_until(lambda: "password" in _page_or_nothing(port), "pages are served")


def _page_or_nothing(port: int) -> str:
    try:
        return login_page(port)
    except OSError:
        return ""
