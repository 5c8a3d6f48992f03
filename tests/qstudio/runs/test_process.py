"""Recognising, starting and ending operating-system processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from qstudio.runs import process
from tests.qstudio.processes import kill_group, lives, wait_until

FOREVER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
    "print(child.pid, flush=True)\n"
    "signal.pause()",
]


@pytest.fixture
def spawn(tmp_path):
    spawned = []

    def start(command):
        identity = process.spawn(command, log=tmp_path / "log", cwd=tmp_path)
        spawned.append(identity)
        wait_until(lambda: (tmp_path / "log").read_text(), "the program speaks")
        return identity

    yield start
    for identity in spawned:
        kill_group(identity.pid)


def test_a_spawned_process_is_nobodys_child_and_leads_its_session(spawn):
    identity = spawn(FOREVER)

    found = process.find(identity)

    assert found is not None
    assert found.ppid() != os.getpid()
    assert os.getsid(identity.pid) == identity.pid


def test_a_spawned_process_leaves_no_zombie(spawn):
    identity = spawn(FOREVER)
    kill_group(identity.pid)

    wait_until(lambda: not process.find(identity), "the process is gone")
    assert not [p for p in psutil.Process().children() if p.status() == psutil.STATUS_ZOMBIE]


def test_a_zombie_counts_as_gone():
    child = subprocess.Popen(FOREVER, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    identity = process.identify(child.pid)
    assert process.find(identity)

    child.kill()
    wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, "it is a zombie")

    assert process.find(identity) is None
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize(
    "difference",
    [{"host": "elsewhere"}, {"boot_id": "an-earlier-boot"}, {"started_at": 1_000_000.0}],
    ids=str,
)
def test_a_process_with_the_same_pid_is_not_ours(difference):
    ours = process.identify(os.getpid())
    assert process.find(ours)

    assert process.find(replace(ours, **difference)) is None


def test_a_program_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(OSError, match=r"could not be started: .*No such file"):
        process.spawn(["/does/not/exist"], log=tmp_path / "log", cwd=tmp_path)


def test_killing_reaches_the_whole_family_even_when_it_does_not_listen(spawn, tmp_path):
    identity = spawn(DEAF)
    grandchild = int((tmp_path / "log").read_text().split()[0])

    assert process.kill(identity, grace_s=0.2)

    assert not lives(identity.pid)
    assert not lives(grandchild)


def test_killing_what_is_gone_is_fine():
    child = subprocess.Popen([sys.executable, "-c", ""])
    identity = process.identify(child.pid)
    child.wait()

    assert process.kill(identity, grace_s=0.1)


def test_a_run_sees_which_kdb_it_may_use():
    environment = {"QSTUDIO_Q_BINARY": "q", "QSTUDIO_KDB_USER": "ada", "QLIC": "/licence"}

    assert process.clean_environment(environment) == environment


def test_a_run_sees_no_secret_and_nothing_of_django():
    environment = {
        "PATH": "/bin",
        "HF_HOME": "/models",
        "OMP_NUM_THREADS": "2",
        "QSTUDIO_SECRET_KEY": "s",
        "QSTUDIO_DATABASE_URL": "postgres://user:password@host/db",
        "DJANGO_SETTINGS_MODULE": "qstudio.settings",
        "AWS_SECRET_ACCESS_KEY": "s",
        "Q_CLUSTER_NAME": "gpu",
    }

    assert process.clean_environment(environment).keys() == {"PATH", "HF_HOME", "OMP_NUM_THREADS"}


def test_a_process_is_found_by_the_directory_it_works_in(spawn, tmp_path):
    directory = tmp_path / "run"
    assert process.find_working_in(directory) is None

    identity = spawn([*FOREVER, str(directory)])

    found = process.find_working_in(Path(directory))
    assert found is not None
    assert found.pid == identity.pid
