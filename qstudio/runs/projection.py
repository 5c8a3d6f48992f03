"""What the events and records of a run directory mean for the tables. Called by `runs.ingest`, in its transactions.

Everything here may be applied twice: rows have unique keys, and values are set, never added to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import F
from django.utils.dateparse import parse_datetime

from pipeline import records
from pipeline.rundir import read_records
from qstudio.problems.models import Problem, Solution
from qstudio.problems.services import store_problems, store_solutions
from qstudio.runs import process
from qstudio.runs.models import (
    Attempt,
    Checkpoint,
    Evaluation,
    Iteration,
    Prompt,
    Run,
    RunEvent,
    Stage,
    Verdict,
)
from qstudio.runs.transitions import transition

RECORD_KINDS: dict[str, type[records.Record]] = {
    "prompts": records.Prompt,
    "attempts": records.Attempt,
    "solutions": records.Solution,
}
"""Events that announce a file of records, and which."""


def forget(run: Run) -> None:
    """Delete the rows of a Run that its directory can give back."""
    Verdict.objects.filter(attempt__run=run).delete()
    for model in (Attempt, Prompt, Evaluation, Checkpoint, Iteration, Stage):
        model.objects.filter(run=run).delete()
    run.events.filter(seq__isnull=False).delete()


class KnownRows:
    """Primary keys of the rows that records refer to, found once per reading."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._problems: dict[str, int] = {}
        self._prompts: dict[str, int] = {}

    def prepare(self, kind: str, rows: Sequence[Any]) -> list[Any]:
        """Resolve references before the transaction; Attempts become rows, the rest stays as it is."""
        if kind != "attempts":
            return list(rows)
        self._find_problems({attempt.problem for attempt in rows})
        self._find_prompts({attempt.prompt_id for attempt in rows})
        return [(self._attempt(record), record.verdict) for record in rows]

    def _find_problems(self, slugs: set[str]) -> None:
        missing = slugs - self._problems.keys()
        if not missing:
            return
        self._problems |= Problem.objects.filter(slug__in=missing).values_list("slug", "pk")
        if missing := slugs - self._problems.keys():
            # A directory from elsewhere brings its Problems along.
            snapshot = read_records(Path(self._run.directory) / "problems.jsonl", records.Problem)
            store_problems(problem for problem in snapshot if problem.slug in missing)
            self._problems |= Problem.objects.filter(slug__in=missing).values_list("slug", "pk")

    def _find_prompts(self, keys: set[str]) -> None:
        missing = keys - self._prompts.keys()
        if not missing:
            return
        # The text follows when the file of Prompts is read, should it be announced late.
        present = Prompt.objects.filter(run=self._run)
        self._prompts |= present.filter(key__in=missing).values_list("key", "pk")
        if missing := keys - self._prompts.keys():
            Prompt.objects.bulk_create(
                [Prompt(run=self._run, key=key, text="") for key in sorted(missing)],
                ignore_conflicts=True,
            )
            self._prompts |= present.filter(key__in=missing).values_list("key", "pk")

    def _attempt(self, record: records.Attempt) -> Attempt:
        return Attempt(
            run=self._run,
            problem_id=self._problems[record.problem],
            prompt_id=self._prompts[record.prompt_id],
            key=record.id,
            purpose=record.purpose,
            split=record.split,
            iteration=record.iteration,
            sample_index=record.sample_index,
            policy=record.policy,
            completion=record.completion.model_dump(),
            program=record.program,
            verdict=record.verdict.kind.value,
            error=record.verdict.error[:80],
            reason=record.verdict.reason[:300],
        )


def store_records(run: Run, kind: str, rows: list[Any]) -> None:
    """Write one batch of prepared records."""
    if kind == "attempts":
        _store_attempts(run, rows)
    elif kind == "prompts":
        Prompt.objects.bulk_create(
            [Prompt(run=run, key=prompt.id, text=prompt.text) for prompt in rows],
            update_conflicts=True,
            unique_fields=["run", "key"],
            update_fields=["text"],
        )
    else:
        _store_solutions(run, rows)


def _store_solutions(run: Run, rows: list[records.Solution]) -> None:
    """Seeds that the database gave to the Run are there already; others, such as the demo's, came with it."""
    given = Solution.objects.filter(run_key="", key__in=[solution.key for solution in rows])
    known = set(given.values_list("key", flat=True))
    store_solutions([solution for solution in rows if solution.key not in known], run_key=run.key)
    of_run = Solution.objects.filter(run_key=run.key, origin=Solution.Origin.BOOTSTRAP)
    found = of_run.values("problem").distinct().count()
    Run.objects.filter(pk=run.pk).update(n_solved=F("n_seeds") + found)


def _store_attempts(run: Run, rows: list[tuple[Attempt, records.Verdict]]) -> None:
    Attempt.objects.bulk_create([attempt for attempt, _ in rows], ignore_conflicts=True)
    keys = [attempt.key for attempt, _ in rows]
    ids = dict(Attempt.objects.filter(run=run, key__in=keys).order_by().values_list("key", "pk"))
    Verdict.objects.bulk_create(
        [
            Verdict(
                attempt_id=ids[attempt.key],
                kind=verdict.kind.value,
                grader=verdict.grader,
                engine=verdict.engine,
                engine_version=verdict.engine_version,
                tests_hash=verdict.tests_hash,
                n_passed=verdict.n_passed,
                n_tests=verdict.n_tests,
                executions=[execution.model_dump() for execution in verdict.executions],
            )
            for attempt, verdict in rows
        ],
        ignore_conflicts=True,
    )


def store_events(run: Run, events: Sequence[records.RunEvent]) -> None:
    """Keep the events themselves as rows."""
    RunEvent.objects.bulk_create(
        [
            RunEvent(
                run=run,
                seq=event.seq,
                time=_time(event),
                kind=event.kind[:40],
                message=event.message,
                data=event.data,
            )
            for event in events
        ],
        ignore_conflicts=True,
    )


def apply_event(run: Run, event: records.RunEvent, *, applies_states: bool) -> None:
    """Change the tables as one event says; kinds without a table are only kept as rows."""
    if event.kind in _STATE_HANDLERS:
        if applies_states:
            _STATE_HANDLERS[event.kind](run, event)
    elif event.kind in _HANDLERS:
        _HANDLERS[event.kind](run, event)
    if event.kind == "run_finished":
        _store_report(run)


def _run_started(run: Run, event: records.RunEvent) -> None:
    host, pid = event.data.get("host"), event.data.get("pid")
    if run.pid is None and host == process.this_host() and pid:
        # Its starter died between starting it and writing it down.
        identity = process.identify(int(pid))
        Run.objects.filter(pk=run.pk, pid=None).update(
            host=identity.host,
            pid=identity.pid,
            process_started_at=identity.started_at,
            boot_id=identity.boot_id,
        )
    transition(run, Run.State.RUNNING, event.message, only_from=Run.State.STARTING, at=_time(event))


def _run_finished(run: Run, event: records.RunEvent) -> None:
    state = event.data.get("state")
    if state in Run.SAID:
        reason = str(event.data.get("reason") or event.message)
        transition(run, state, reason, at=_time(event))


def _store_report(run: Run) -> None:
    path = Path(run.directory) / "final_report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    Run.objects.filter(pk=run.pk).update(report=report)


def _stage_started(run: Run, event: records.RunEvent) -> None:
    # A resumed Run begins a stage again; it is the same Stage, and began when it first did.
    Stage.objects.get_or_create(
        run=run,
        name=event.data["stage"],
        iteration=event.data["iteration"],
        defaults={"started_at": _time(event)},
    )


def _stage_finished(run: Run, event: records.RunEvent) -> None:
    Stage.objects.update_or_create(
        run=run,
        name=event.data["stage"],
        iteration=event.data["iteration"],
        defaults={"finished_at": _time(event)},
        create_defaults={"started_at": _time(event), "finished_at": _time(event)},
    )


def _checkpoint(run: Run, event: records.RunEvent) -> None:
    record = records.Checkpoint.model_validate(event.data)
    Checkpoint.objects.update_or_create(
        run=run,
        key=record.id,
        defaults={
            "iteration": record.iteration,
            "role": record.role,
            "path": record.path,
            "parent": record.parent,
            "steps": record.steps,
            "train_rows": record.train_rows,
            "final_loss": record.final_loss,
        },
    )


def _evaluation(run: Run, event: records.RunEvent) -> None:
    record = records.Evaluation.model_validate(event.data)
    Evaluation.objects.update_or_create(
        run=run,
        key=record.id,
        defaults={
            "iteration": record.iteration,
            "policy": record.policy,
            "split": record.split,
            "n_problems": record.n_problems,
            "n_samples": record.n_samples,
            "grader": record.grader,
            "engine": record.engine,
            "engine_version": record.engine_version,
            "record": record.model_dump(mode="json"),
            "created_at": _time(event),
        },
    )


def _iteration_finished(run: Run, event: records.RunEvent) -> None:
    data = event.data
    Iteration.objects.update_or_create(
        run=run,
        index=data["index"],
        defaults={
            "attempted": data.get("attempted", 0),
            "newly_solved": data.get("newly_solved", 0),
            "solved_total": data.get("solved_total", 0),
            "problems_total": data.get("problems_total", 0),
            "train_rows": data.get("train_rows", 0),
            "is_adopted": bool(data.get("adopted", False)),
            "metadata": data.get("metadata", {}),
            "dataset_stats": data.get("dataset_stats", {}),
            "finished_at": _time(event),
        },
    )
    fields = {"n_solved": data.get("solved_total"), "n_problems": data.get("problems_total")}
    known = {name: value for name, value in fields.items() if value is not None}
    if known:
        Run.objects.filter(pk=run.pk).update(**known)


def _time(event: records.RunEvent) -> datetime:
    time = parse_datetime(event.time)
    if time is None:
        raise ValueError(f"event {event.seq} has no time: {event.time!r}")
    return time


_Handler = Callable[[Run, records.RunEvent], None]
_STATE_HANDLERS: dict[str, _Handler] = {
    "run_started": _run_started,
    "run_finished": _run_finished,
}
_HANDLERS: dict[str, _Handler] = {
    "stage_started": _stage_started,
    "stage_finished": _stage_finished,
    "checkpoint": _checkpoint,
    "evaluation": _evaluation,
    "iteration_finished": _iteration_finished,
}
