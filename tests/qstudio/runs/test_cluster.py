"""Real django-q2 clusters: the hazards of long jobs on a task queue, one test each."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.core.cache import cache
from django_q.models import OrmQ, Success, Task
from django_q.tasks import async_task

from qstudio.runs.launch import resume_run, ring, stop_run
from qstudio.runs.models import Run
from tests.qstudio.processes import kill_group, lives, starts, wait_until


def reread(run: Run) -> Run:
    run.refresh_from_db()
    return run


def until_working(run: Run) -> None:
    wait_until(lambda: starts(run.directory), "the stage program begins")
    wait_until(lambda: reread(run).pid, "its process is recorded")


def test_double_and_late_rings_start_one_process(system, new_run):
    run = new_run("wait")
    ring(run)
    ring(run)
    system.start("qcluster")
    until_working(run)

    ring(run)
    wait_until(
        lambda: Success.objects.filter(group="runs").count() == 3, "all three bells were heard"
    )

    assert len(starts(run.directory)) == 1
    assert reread(run).n_processes == 1


def test_a_task_that_raises_is_not_repeated(system):
    task_id = async_task("qstudio.runs.tasks.start_run", "not a number")
    system.start("qcluster")

    wait_until(lambda: Task.objects.filter(id=task_id).exists(), "the task has ended")

    task = Task.objects.get(id=task_id)
    assert not task.success
    assert task.attempt_count == 1
    wait_until(lambda: not OrmQ.objects.exists(), "the broker has forgotten it")


def test_a_process_starts_from_a_daemonic_worker_and_is_not_its_child(system, new_run):
    run = new_run("wait")
    cluster = system.start("qcluster")
    ring(run)
    until_working(run)

    family = {child.pid for child in psutil.Process(cluster.pid).children(recursive=True)}

    assert run.pid not in family
    assert os.getsid(run.pid) == run.pid


def test_a_task_ends_long_before_the_run(system, new_run):
    run = new_run("wait")
    system.start("qcluster")
    ring(run)
    wait_until(lambda: Success.objects.filter(group="runs").exists(), "the task has ended")
    until_working(run)

    assert lives(run.pid)
    assert not OrmQ.objects.exists()


def test_ending_the_cluster_is_prompt_and_leaves_the_run_alone(system, new_run):
    run = new_run("wait")
    cluster = system.start("qcluster")
    ring(run)
    until_working(run)

    cluster.terminate()

    assert cluster.wait(timeout=20) == 0
    assert lives(run.pid)


def test_killing_the_cluster_leaves_the_run_alone_and_another_cluster_does_not_repeat_it(
    system, new_run
):
    run = new_run("wait")
    cluster = system.start("qcluster")
    system.start("watch", "--every", "0.2")
    ring(run)
    until_working(run)

    kill_group(cluster.pid)
    cluster.wait()
    assert lives(run.pid)

    system.start("qcluster")
    ring(run)
    wait_until(lambda: Success.objects.filter(group="runs").count() >= 1, "the bell was heard")
    Path(run.directory, "go").touch()
    wait_until(lambda: reread(run).state == "succeeded", "the Run has succeeded")
    assert len(starts(run.directory)) == 1


def test_a_killed_run_is_lost_and_resumes_through_the_cluster(system, new_run):
    run = new_run("wait")
    system.start("qcluster")
    system.start("watch", "--every", "0.2")
    ring(run)
    wait_until(lambda: reread(run).state == "running", "the Run is running")

    os.kill(run.pid, signal.SIGKILL)
    wait_until(lambda: reread(run).state == "lost", "the Run is lost")

    assert resume_run(run)
    Path(run.directory, "go").touch()
    wait_until(lambda: reread(run).state == "succeeded", "the Run has succeeded")
    assert (run.n_processes, run.attempts.count()) == (2, 4)


def test_a_restarted_watcher_picks_up_what_happened_meanwhile(system, new_run):
    run = new_run("wait")
    system.start("qcluster")
    watcher = system.start("watch", "--every", "0.2")
    ring(run)
    wait_until(lambda: reread(run).state == "running", "the Run is running")
    kill_group(watcher.pid)
    watcher.wait()

    Path(run.directory, "go").touch()
    wait_until(lambda: not lives(run.pid), "the process has ended")
    system.start("watch", "--every", "0.2")

    wait_until(lambda: reread(run).state == "succeeded", "the Run has succeeded")
    assert run.attempts.count() == 4


def test_two_watchers_at_once_write_everything_once(system, new_run):
    run = new_run("wait")
    system.start("qcluster")
    for _ in range(2):
        system.start("watch", "--every", "0.05")
    ring(run)
    Path(run.directory, "go").touch()

    wait_until(lambda: reread(run).state == "succeeded", "the Run has succeeded")

    states = run.events.filter(kind="state").values_list("data__to", flat=True)
    assert sorted(states) == sorted(set(states))
    assert run.attempts.count() == 4
    assert "Traceback" not in system.log("watch")


def test_stop_and_save_through_the_page_ends_the_process_by_itself(system, new_run):
    run = new_run("wait")
    system.start("qcluster")
    system.start("watch", "--every", "0.2")
    ring(run)
    wait_until(lambda: reread(run).state == "running", "the Run is running")

    stop_run(run, by="alice")

    wait_until(lambda: reread(run).state == "stopped", "the Run has stopped")
    assert run.state_reason == "asked to stop"
    wait_until(lambda: not lives(run.pid), "the process has ended")


def test_a_bell_lost_with_its_broker_row_is_rung_again(system, new_run):
    run = new_run("wait")
    ring(run)
    OrmQ.objects.all().delete()
    cache.clear()  # as if the time after which bells are rung again had passed

    system.start("qcluster")
    system.start("watch", "--every", "0.2")

    until_working(run)
    assert len(starts(run.directory)) == 1


@pytest.mark.parametrize("cluster", ["qstudio", "gpu"])
def test_no_cluster_hands_a_task_out_twice_or_repeats_a_failure(cluster):
    conf = {**settings.Q_CLUSTER, **settings.Q_CLUSTER["ALT_CLUSTERS"].get(cluster, {})}

    assert conf["retry"] >= 2 * conf["timeout"]
    assert (conf["max_attempts"], conf["ack_failures"], conf["catch_up"]) == (1, True, False)
