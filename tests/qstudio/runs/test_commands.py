"""`manage.py run` and `manage.py ingest_run`."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from pipeline.rundir import RunDir, append_records
from qstudio.runs.models import Attempt, Run
from tests.qstudio.factories import make_attempt_record, make_problem, make_run

pytestmark = pytest.mark.django_db


def call(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_runs_are_listed():
    make_run("20260101-a-00000001", state="lost", state_reason="its process is gone")

    assert "its process is gone" in call("run", "list")
    assert json.loads(call("run", "list", "--json"))["state"] == "lost"


def test_a_run_may_be_named_by_its_beginning():
    make_run("20260101-a-00000001")
    make_run("20260101-b-00000002")

    assert "stopped before it began" in call("run", "stop", "20260101-a")
    with pytest.raises(CommandError, match="more than one Run"):
        call("run", "stop", "20260101")
    with pytest.raises(CommandError, match="there is no Run 'x'"):
        call("run", "stop", "x")


def test_what_cannot_be_done_is_one_sentence():
    make_run("a", state="succeeded")

    with pytest.raises(CommandError, match="nothing to stop"):
        call("run", "stop", "a")
    with pytest.raises(CommandError, match="nothing to kill"):
        call("run", "kill", "a")
    with pytest.raises(CommandError, match="only a failed, stopped, paused or lost Run"):
        call("run", "resume", "a")
    with pytest.raises(CommandError, match="no log yet"):
        call("run", "logs", "a")


def test_a_run_is_resumed_by_a_worker():
    make_run("a", state="lost")

    assert "queued" in call("run", "resume", "a")
    assert Run.objects.get().state == "queued"


def test_the_newest_log_is_printed_from_its_end():
    run = make_run("a")
    RunDir.open(Path(run.directory)).next_log().write_text("one\ntwo\nthree\n")

    assert call("run", "logs", "a", "--lines", "2") == "two\nthree\n"


def test_a_directory_from_elsewhere_becomes_a_run():
    make_problem()
    run = make_run()
    directory = RunDir.open(Path(run.directory))
    append_records(directory.path / "attempts.jsonl", [make_attempt_record(n) for n in range(3)])
    directory.event("attempts", "3 Attempts", path="attempts.jsonl", n=3)
    directory.event("run_finished", "Done", state="succeeded", reason="all solved")
    run.delete()

    first = json.loads(call("ingest_run", str(directory.path), "--json"))
    again = json.loads(call("ingest_run", str(directory.path), "--json"))
    rebuilt = json.loads(call("ingest_run", str(directory.path), "--rebuild", "--json"))

    assert [found["attempts"] for found in (first, again, rebuilt)] == [3, 3, 3]
    assert [found["lines"] for found in (first, again, rebuilt)] == [5, 0, 5]
    assert Run.objects.get().state == "succeeded"
    assert Attempt.objects.count() == 3


def test_a_directory_without_a_run_is_one_sentence(tmp_path):
    with pytest.raises(CommandError, match=r"holds no run: config\.json is missing"):
        call("ingest_run", str(tmp_path))
