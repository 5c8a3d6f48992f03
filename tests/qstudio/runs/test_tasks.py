"""What a worker does when a bell rings: one process per Run, however often it rings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qstudio.runs import process
from qstudio.runs.launch import identity_of, kill_run
from qstudio.runs.models import Run
from qstudio.runs.tasks import claim, start_run
from qstudio.runs.transitions import transition
from tests.qstudio.factories import make_run
from tests.qstudio.processes import end_stages, starts, wait_until

State = Run.State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_process_left(outputs):
    yield
    end_stages(outputs)


def test_a_rung_run_is_started_and_its_process_recorded(new_run):
    run = new_run("wait")

    assert "started as process" in start_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.n_processes, run.host) == ("starting", 1, process.this_host())
    wait_until(lambda: starts(run.directory) == [run.pid], "the stage program begins")
    assert process.find(identity_of(run))


def test_two_rings_start_one_process(new_run):
    run = new_run("wait")

    start_run(run.pk)
    assert "nothing to claim" in start_run(run.pk)

    wait_until(lambda: starts(run.directory), "the stage program begins")
    assert len(starts(run.directory)) == 1
    assert Run.objects.get().n_processes == 1


def test_a_ring_after_the_end_starts_nothing(new_run):
    run = new_run("wait")
    transition(run, State.STOPPED)

    assert "nothing to claim" in start_run(run.pk)
    assert start_run(run.pk + 1) == "no such Run"


def test_a_run_over_the_limit_waits_and_says_for_whom(new_run, settings):
    settings.MAX_RUNS = 1
    first, second = new_run("wait"), new_run("wait")
    start_run(first.pk)

    assert "waits for" in start_run(second.pk)

    second.refresh_from_db()
    assert (second.state, second.message) == ("queued", f"waits for {first.key} to end")


@pytest.mark.parametrize(
    ("first", "second", "host", "waits"),
    [
        ("kdb_process", "kdb_process", None, "which uses the licence of kdb+ on this machine"),
        ("kdb_process", "pykx", None, "which uses the licence of kdb+ on this machine"),
        ("kdb_process", "pykx", "elsewhere", ""),
        ("kdb_ipc", "kdb_ipc", "elsewhere", "which uses the kdb+ that runs"),
        ("kdb_ipc", "kdb_process", None, ""),
        ("kdb_process", "embedded", None, ""),
    ],
)
def test_runs_take_turns_with_a_kdb(first: str, second: str, host: str | None, waits: str):
    working = make_run(
        "20260101-first",
        state="running",
        host=host or process.this_host(),
        config={"execution": {"engine": first}},
    )
    queued = make_run("20260101-second", state="queued", config={"execution": {"engine": second}})

    refusal = claim(queued)
    queued.refresh_from_db()

    assert refusal == (f"waits for {working.key} to end, {waits}" if waits else "")
    assert queued.state == ("queued" if waits else "starting")
    assert queued.message == refusal


def test_more_runs_may_use_a_kdb_where_the_operator_says_so(settings):
    settings.MAX_KDB_RUNS, settings.MAX_RUNS = 2, 9
    config = {"execution": {"engine": "kdb_process"}}
    runs = [make_run(f"20260101-{n}", state="queued", config=config) for n in range(3)]

    assert [bool(claim(run)) for run in runs] == [False, False, True]


def test_a_program_that_cannot_be_started_fails_the_run_with_a_sentence(new_run, settings):
    settings.RUN_COMMAND = ["/does/not/exist"]
    run = new_run()

    start_run(run.pk)

    run.refresh_from_db()
    assert run.state == "failed"
    assert "could not be started" in run.state_reason


def test_output_goes_to_one_log_per_process(new_run):
    run = new_run("vanish")
    start_run(run.pk)
    log = Path(run.directory, "logs", "attempt_1.log")

    wait_until(lambda: log.exists() and "last words" in log.read_text(), "the log is written")


def test_the_process_gets_nothing_of_djangos_environment(new_run, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    run = new_run("vanish")
    start_run(run.pk)
    path = Path(run.directory, "starts.txt")
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"), "it has begun")

    assert path.read_text().split()[1] == "0"


def test_killing_ends_the_process_and_the_run_can_be_resumed(new_run):
    run = new_run("stubborn")
    start_run(run.pk)
    wait_until(lambda: starts(run.directory), "the stage program begins")

    assert kill_run(run, by="alice")
    assert not kill_run(run)

    assert run.state == "stopped"
    assert process.find(identity_of(run)) is None
    assert run.is_resumable


def test_killing_a_queued_run_needs_no_process(new_run):
    run = new_run()

    assert kill_run(run)
    assert run.state == "stopped"


def test_the_database_has_the_settings_that_the_directory_has(new_run):
    run = new_run()

    assert json.loads(Path(run.directory, "config.json").read_text()) == run.config
