"""Rounds over the Runs: progress, ends, lost processes, lost bells; twice at once changes nothing."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_q.models import OrmQ

from pipeline.rundir import RunDir
from qstudio.runs import process
from qstudio.runs.launch import identity_fields, resume_run, stop_run
from qstudio.runs.models import Run
from qstudio.runs.tasks import start_run
from qstudio.runs.watch import tend
from tests.qstudio.factories import make_problem, make_run
from tests.qstudio.processes import end_stages, kill_group, starts, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clean(outputs):
    cache.clear()
    yield
    end_stages(outputs)


def working_run(new_run, act: str = "wait") -> Run:
    """A Run whose process has begun, and is known to have."""
    run = new_run(act)
    start_run(run.pk)
    wait_until(lambda: (tend(), reread(run).state == "running")[1], "the Run is running")
    return run


def reread(run: Run) -> Run:
    run.refresh_from_db()
    return run


def until_ended(run: Run) -> Run:
    wait_until(lambda: (tend(), not reread(run).is_active)[1], "the Run has ended")
    return run


def test_a_run_is_followed_from_start_to_success(new_run):
    run = working_run(new_run)
    assert (run.stage, run.iteration, run.total, run.message) == ("sampling", 1, 4, "sampling")

    Path(run.directory, "go").touch()

    until_ended(run)
    assert (run.state, run.state_reason) == ("succeeded", "everything is solved")
    assert run.attempts.count() == 4
    assert run.report["conclusion"] == "it worked"


def test_stop_and_save_ends_as_stopped_and_a_resume_finishes(new_run):
    run = working_run(new_run)
    assert stop_run(run, by="alice")

    until_ended(run)
    assert (run.state, run.state_reason) == ("stopped", "asked to stop")

    resume_run(run)
    Path(run.directory, "go").touch()
    start_run(run.pk)
    until_ended(run)
    assert (run.state, run.n_processes, len(starts(run.directory))) == ("succeeded", 2, 2)


def test_a_killed_process_is_lost_with_a_sentence_and_can_be_resumed(new_run):
    run = working_run(new_run)
    kill_group(run.pid)

    until_ended(run)

    assert run.state == "lost"
    assert "gone without a word" in run.state_reason
    Path(run.directory, "go").touch()
    resume_run(run)
    start_run(run.pk)
    assert until_ended(run).state == "succeeded"


def test_the_last_line_of_the_log_is_part_of_the_sentence(new_run):
    run = new_run("vanish")
    start_run(run.pk)

    until_ended(run)

    assert run.state == "lost"
    assert "the last words" in run.state_reason


def test_a_failure_is_told_with_its_reason(new_run):
    run = new_run("fail")
    start_run(run.pk)

    until_ended(run)

    assert (run.state, run.state_reason) == ("failed", "no luck")


def test_last_words_of_a_dead_process_count_before_its_absence():
    make_problem("add-one")
    run = make_run(state="running", **dead_process())
    RunDir.open(Path(run.directory)).event("run_finished", "Done", state="succeeded", reason="done")

    tend()

    assert reread(run).state == "succeeded"


def test_a_reused_pid_is_not_the_process_of_the_run():
    run = make_run(state="running", **dead_process(pid=os.getpid()))

    tend()

    assert reread(run).state == "lost"


def test_a_run_of_before_the_last_boot_is_lost():
    fields = identity_fields(process.identify(os.getpid())) | {"boot_id": "an-earlier-boot"}
    run = make_run(state="running", **fields)

    tend()

    assert reread(run).state == "lost"


def test_runs_of_other_hosts_are_left_alone():
    run = make_run(state="running", **(dead_process() | {"host": "elsewhere"}))

    tend()

    assert reread(run).state == "running"


def test_a_process_that_is_alive_and_silent_is_said_to_be_so_and_not_lost():
    long_ago = timezone.now() - timedelta(minutes=5)
    run = make_run(
        state="running", heartbeat_at=long_ago, **identity_fields(process.identify(os.getpid()))
    )

    tend()
    assert reread(run).state == "running"
    assert "may be stuck" in run.state_reason

    RunDir.open(Path(run.directory)).write_progress(stage="sft", done=1, total=2, message="working")
    tend()
    assert (reread(run).state_reason, run.stage) == ("heard of again", "sft")


def test_a_run_that_is_being_started_is_given_time_and_then_lost():
    host = process.this_host()
    fresh = make_run("a", state="starting", host=host, heartbeat_at=timezone.now())
    old = make_run(
        "b", state="starting", host=host, heartbeat_at=timezone.now() - timedelta(hours=1)
    )

    tend()

    assert (reread(fresh).state, reread(old).state) == ("starting", "lost")


def test_a_process_whose_starter_died_is_found_by_its_directory(new_run):
    run = new_run("silent")
    start_run(run.pk)
    wait_until(lambda: starts(run.directory), "the stage program begins")
    long_ago = timezone.now() - timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(pid=None, process_started_at=None, heartbeat_at=long_ago)

    wait_until(lambda: (tend(), reread(run).pid)[1], "the process is found")

    assert run.pid == starts(run.directory)[0]
    assert run.state in ("starting", "running")


def test_a_lost_run_whose_process_lives_is_running_again(new_run):
    run = working_run(new_run)
    Run.objects.filter(pk=run.pk).update(state="lost", finished_at=timezone.now())

    tend()

    assert reread(run).state == "running"


def test_a_stop_that_came_before_the_process_listened_is_asked_again(new_run):
    run = working_run(new_run, "stubborn")
    stop_run(run)
    RunDir.open(Path(run.directory)).request(None)

    tend()

    assert RunDir.open(Path(run.directory)).requested() == "stop"


def test_a_process_that_dies_while_it_is_to_stop_is_stopped():
    run = make_run(state="stopping", **dead_process())

    tend()

    assert reread(run).state == "stopped"
    assert "did not say that it saved" in run.state_reason


def test_progress_of_an_earlier_process_is_not_shown():
    run = make_run(state="running", **identity_fields(process.identify(os.getpid())))
    Run.objects.filter(pk=run.pk).update(process_started_at=time.time() + 20)
    RunDir.open(Path(run.directory)).write_progress(stage="old", done=1, total=1, message="old")

    tend()

    assert reread(run).stage == ""


def test_a_bell_that_nobody_heard_is_rung_again_but_not_at_once(
    new_run, django_capture_on_commit_callbacks
):
    new_run()
    with django_capture_on_commit_callbacks(execute=True):
        tend()
        tend()

    assert OrmQ.objects.count() == 1


def test_a_round_with_nothing_new_changes_no_row(new_run):
    run = working_run(new_run, "silent")
    tend()
    before = Run.objects.values().get()

    tend()

    assert Run.objects.values().get() == before
    assert reread(run).state == "running"


def dead_process(pid: int = 4_000_000) -> dict:
    """The columns of a process of this boot that is gone."""
    return {
        "host": process.this_host(),
        "pid": pid,
        "process_started_at": 1_000_000.0,
        "boot_id": process.this_boot(),
    }
