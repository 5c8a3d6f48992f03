"""The first login, and the doctor's look at everything."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from qstudio.core.installation import prepare_admin
from tests.qstudio.processes import REPOSITORY

pytestmark = pytest.mark.django_db


def test_the_first_start_makes_a_login_with_a_password_that_only_the_owner_reads(tmp_path):
    login = prepare_admin()

    user = get_user_model().objects.get()
    assert user.is_superuser
    assert user.check_password(login.password)
    assert len(login.password) >= 12
    assert stat.S_IMODE(os.stat(tmp_path / "admin_password").st_mode) == 0o600


def test_later_starts_tell_the_same_password_until_it_is_changed():
    first = prepare_admin()
    assert prepare_admin() == first

    user = get_user_model().objects.get()
    user.set_password("one of my own")
    user.save()

    assert prepare_admin().password == ""
    assert get_user_model().objects.count() == 1


def test_somebody_elses_superuser_is_left_alone():
    get_user_model().objects.create_superuser("boss", "", "a password")

    login = prepare_admin()

    assert (login.username, login.password) == ("boss", "")
    assert get_user_model().objects.count() == 1


def test_the_doctor_has_a_line_for_everything():
    output = StringIO()
    try:
        call_command("doctor", "--json", stdout=output)
    except CommandError:
        pass  # something of this machine has to be mended; the lines are there all the same

    findings = {row["name"]: row for row in map(json.loads, output.getvalue().splitlines())}
    assert findings.keys() >= {
        "python",
        "database",
        "broker",
        "cache",
        "kdb_process",
        "kdb_ipc",
        "pykx",
        "gpu",
        "disk",
        "port",
    }
    assert all(row["level"] == "ok" or row["action"] for row in findings.values())
    assert findings["database"]["level"] == "ok"
    assert findings["cache"]["level"] == "ok"


def test_the_doctor_runs_q_in_the_sandbox():
    output = StringIO()
    call_command("doctor", stdout=output)

    assert "1+1 is 2" in output.getvalue()
    for layer in (
        "unprivileged_user", "namespaces", "scratch_in_memory", "no_new_privileges", "no_handles_no_environment",
        "resource_limits", "landlock", "seccomp",
    ):  # fmt: skip
        assert layer in output.getvalue()


def test_the_doctor_says_of_every_engine_whether_it_is_usable(monkeypatch):
    monkeypatch.setenv("QSTUDIO_Q_BINARY", str(REPOSITORY / "q_runtime" / "bin" / "q"))
    monkeypatch.setenv("QSTUDIO_KDB_ADDRESS", "127.0.0.1:1")
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", "--json", stdout=output)

    findings = {row["name"]: row for row in map(json.loads, output.getvalue().splitlines())}
    assert findings["kdb_process"]["level"] == "ok"
    assert findings["kdb_process"]["detail"].startswith("usable: ")
    assert findings["kdb_ipc"]["level"] == "fail"
    assert "Connection refused" in findings["kdb_ipc"]["detail"]
    assert "docs/engines.md" in findings["kdb_ipc"]["action"]
    assert findings["pykx"]["level"] == "note"
    assert "has no PyKX" in findings["pykx"]["detail"]


def test_the_doctor_fails_when_the_disk_is_nearly_full(monkeypatch):
    monkeypatch.setattr("qstudio.core.doctor.MIN_DISK_GB", 1e9)
    output = StringIO()

    with pytest.raises(CommandError, match="have to be mended"):
        call_command("doctor", stdout=output)

    assert "fail  disk" in output.getvalue()


@pytest.mark.parametrize(
    "command",
    [["run", "list"], ["load_problems"], ["watch", "--once"], ["ingest_run", "somewhere"]],
    ids=" ".join,
)
def test_a_database_that_is_not_prepared_is_one_sentence(tmp_path, command):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "qstudio.settings",
        "QSTUDIO_DATA_DIR": str(tmp_path / "new"),
    }
    process = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 1
    assert process.stderr.splitlines() == [
        "CommandError: the database is not prepared; run: manage.py migrate, or make run"
    ]
