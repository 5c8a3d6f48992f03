"""A run directory that the database does not know becomes a Run: made elsewhere, or outliving its database."""

from __future__ import annotations

from pathlib import Path

from django.utils.text import slugify

from pipeline import records
from pipeline.rundir import EVENTS, RunDir, read_records
from qstudio.problems.models import Problem
from qstudio.problems.services import store_problems
from qstudio.runs.models import Run


def adopt_directory(path: Path) -> Run:
    """The Run of a directory, made from what lies there if need be; its rows are not ingested yet.

    Raises: RunDirError, RecordError, ConfigError when there is no run in it.
    """
    path = path.absolute()
    known = Run.objects.filter(directory=str(path)).first()
    if known is not None:
        return known
    config = RunDir.open(path).config()
    problems = list(read_records(path / "problems.jsonl", records.Problem))
    present = set(
        Problem.objects.filter(slug__in=[p.slug for p in problems]).values_list("slug", flat=True)
    )
    store_problems(problem for problem in problems if problem.slug not in present)
    train = {
        p.slug for p in problems if p.split == "train" and p.problem_set in config.problems.sets
    }
    seeds = {s.problem for s in read_records(path / "solutions.jsonl", records.Solution)} & train
    state, reason = _state(path)
    return Run.objects.create(
        key=_free_key(path.name),
        name=config.name,
        config=config.model_dump(mode="json"),
        directory=str(path),
        state=state,
        state_reason=reason,
        is_headless=True,
        n_problems=len(train),
        n_seeds=len(seeds),
        n_solved=len(seeds),
    )


def _state(path: Path) -> tuple[str, str]:
    """How the run in a directory ended, by its own last words."""
    kinds = ("run_started", "run_finished")
    said = [event for event in read_records(path / EVENTS, records.RunEvent) if event.kind in kinds]
    if said and said[-1].kind == "run_finished" and said[-1].data.get("state") in Run.SAID:
        return said[-1].data["state"], str(said[-1].data.get("reason") or said[-1].message)
    return (
        Run.State.LOST,
        "read from its directory, which does not say how it ended; resume it to go on",
    )


def _free_key(name: str) -> str:
    key = slugify(name)[:70] or "run"
    taken = set(Run.objects.filter(key__startswith=key).values_list("key", flat=True))
    number = 2
    candidate = key
    while candidate in taken:
        candidate, number = f"{key}-{number}", number + 1
    return candidate
