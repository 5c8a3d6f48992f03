"""Bootstrap runs killed with SIGKILL while they judge: in the end every Verdict is there exactly once.

The whole path is real: the cluster starts the pipeline, which draws from a policy and judges with the embedded engine
in its pool, the watcher ingests. "Equal" is equal to a Run of the same settings that nobody touched.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline import records
from pipeline.rundir import EVENTS, read_records
from qstudio.problems.models import Solution
from qstudio.problems.services import store_problems
from qstudio.runs.adoption import adopt_directory
from qstudio.runs.ingest import ingest, rebuild
from qstudio.runs.launch import create_run, resume_run, ring
from qstudio.runs.models import Run
from tests.pipeline.runs import carry_out, make_run, small_family, smoke_config
from tests.qstudio.processes import REPOSITORY, wait_until

PIPELINE = [sys.executable, "-m", "pipeline", "run"]
KILLED_STAGE = [sys.executable, "-m", "tests.qstudio.runs.killed_stage"]
N_VERDICTS = 1000
"""At least so many are given."""
KILLED_AFTER = (1, 400)
"""How many more are on disk when a process is killed: something between these."""
RUN_S = 120.0
UNSAID = (
    "checkpoint:0",
    "prompts:",
    "evaluation:0",
    "attempts:1",
    "solutions:1",
    "checkpoint:1",
    "iteration_finished:1",
)
"""The announcements before each of which a process is killed, in the order of a run: kind and Iteration."""
ANNOUNCEMENTS = (
    "prompts",
    "attempts",
    "solutions",
    "checkpoint",
    "evaluation",
    "iteration_finished",
)


def lines(directory: str | Path) -> list[str]:
    """The ids of all Attempts on disk whose lines are whole."""
    paths = Path(directory).rglob("*attempts.jsonl")
    return [attempt.id for path in paths for attempt in read_records(path, records.Attempt)]


def on_disk(directory: str | Path) -> dict[str, dict[str, Any]]:
    """All Attempts of a run directory by id, less the times that a clock put there; none is there twice."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(Path(directory).rglob("*attempts.jsonl")):
        for attempt in read_records(path, records.Attempt):
            assert attempt.id not in found, f"{attempt.id} is doubled"
            found[attempt.id] = attempt.model_dump(mode="json")
            for execution in found[attempt.id]["verdict"]["executions"]:
                execution.pop("duration_s")
    return found


def in_database(run: Run) -> dict[str, list[Any]]:
    """All Attempts of a Run by key, with their Verdicts; none is there twice, and none is without one."""
    fields = ("problem__slug", "purpose", "program", "verdict", "error", "reason")
    of_verdict = ("verdicts__kind", "verdicts__n_passed", "verdicts__n_tests")
    rows = list(run.attempts.order_by("pk").values_list("key", *fields, *of_verdict))
    found = {key: rest for key, *rest in rows}
    assert len(found) == len(rows)
    return found


def solutions_of(run: Run) -> list[tuple[str, str]]:
    rows = Solution.objects.filter(run_key=run.key).values_list("problem__slug", "program")
    return sorted(rows)


def pools_of(pid: int) -> list[int]:
    """Processes of sandboxes that were made by a process."""
    mark = f'"parent_pid": {pid}'
    found = psutil.process_iter(["cmdline", "status"])
    return [
        process.pid
        for process in found
        if any(mark in argument for argument in process.info["cmdline"] or [])
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def state(run: Run) -> str:
    run.refresh_from_db()
    return run.state


def kill_after(run: Run, n: int) -> list[str]:
    """Kill the Run's process when n Attempts are on disk; which were there, once its workers are gone."""
    wait_until(lambda: len(lines(run.directory)) >= n, f"{n} Verdicts on disk", RUN_S)
    run.refresh_from_db()
    assert run.state == "running", "the signal came too late to test anything"
    pid = run.pid
    assert pools_of(pid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: state(run) == "lost", "the Run is lost")
    wait_until(lambda: not pools_of(pid), "the workers of the killed process ended")
    return lines(run.directory)


def test_a_thousand_verdicts_of_a_run_survive_kill_9_with_nothing_lost_or_counted_twice(system):
    system.environment["TEST_RUN_COMMAND"] = json.dumps(PIPELINE)
    store_problems(member.problem("demo") for member in small_family())
    config = smoke_config(
        "sft.initial_steps=100",  # that there is more than syntax errors
        "sampling.k=32",
        "sampling.problems_per_batch=1",
        "evaluation.samples=12",
    )
    system.start("qcluster")
    system.start("watch", "--every", "0.2")
    untouched = create_run(config)
    ring(untouched)
    wait_until(lambda: state(untouched) == "succeeded", "the untouched Run has succeeded", RUN_S)

    moments = random.Random().sample(range(*KILLED_AFTER), 2)
    kept: list[str] = []
    cut = create_run(config)
    ring(cut)
    for moment in moments:
        now = kill_after(cut, len(kept) + moment)
        assert set(kept) <= set(now), moments
        kept = now
        assert resume_run(cut)
    wait_until(lambda: state(cut) == "succeeded", "the cut Run has succeeded", RUN_S)

    expected = on_disk(untouched.directory)
    assert len(expected) >= N_VERDICTS
    assert len({row["verdict"]["kind"] for row in expected.values()}) > 2
    assert on_disk(cut.directory) == expected, moments
    assert in_database(cut) == in_database(untouched), moments
    assert set(in_database(cut)) == set(expected), moments
    assert solutions_of(cut) == solutions_of(untouched)
    assert cut.n_processes == 3
    for run in (cut, untouched):
        counted = Counter(run.attempts.values_list("verdict", flat=True))
        rebuild(run)
        assert Counter(run.attempts.values_list("verdict", flat=True)) == counted
        assert counted.total() == len(expected)


@pytest.mark.django_db
def test_what_a_killed_process_could_not_announce_the_next_one_announces_once(tmp_path):
    config = smoke_config("loop.max_iterations=1", "sampling.k=8")
    untouched, cut = (make_run(tmp_path / name, config) for name in ("untouched", "cut"))
    assert carry_out(untouched) == 0
    command = [*KILLED_STAGE, str(cut.path), *UNSAID]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.stdout.split() == [
        word for event in UNSAID for word in (event, str(-signal.SIGKILL))
    ], ended.stderr
    assert carry_out(cut) == 0

    told, expected = announced(cut.path), announced(untouched.path)
    assert set(expected) == set(ANNOUNCEMENTS)
    assert told == expected
    runs = [adopt_directory(rundir.path) for rundir in (cut, untouched)]
    for run in runs:
        ingest(run)
    assert in_database(runs[0]) == in_database(runs[1])
    assert set(in_database(runs[0])) == set(on_disk(cut.path))
    assert solutions_of(runs[0]) == solutions_of(runs[1])
    assert rows_of(runs[0]) == rows_of(runs[1])


def announced(directory: Path) -> dict[str, Any]:
    """What the events say is on disk: how many records of which file, and the records that are events themselves."""
    found: dict[str, Any] = {kind: [] for kind in ANNOUNCEMENTS}
    counts: Counter[tuple[str, str]] = Counter()
    for event in read_records(directory / EVENTS, records.RunEvent):
        if event.kind in ("prompts", "attempts"):
            counts[event.kind, event.data["path"]] += event.data["n"]
        elif event.kind in ANNOUNCEMENTS:
            data = {**event.data, "metadata": None}
            found[event.kind].append(data)
    for (kind, path), n in sorted(counts.items()):
        found[kind].append((path, n))
    return found


def rows_of(run: Run) -> list[list[Any]]:
    """What else the database holds of a Run."""
    return [
        sorted(run.evaluations.values_list("key", "policy", "split", "n_problems", "n_samples")),
        sorted(run.checkpoints.values_list("key", "role", "path", "steps", "train_rows")),
        sorted(run.iterations.values_list("index", "attempted", "newly_solved", "solved_total")),
        sorted(run.prompts.values_list("key", "text")),
    ]
