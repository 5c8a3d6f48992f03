"""Evaluations as results files of KX, and such files as Evaluations.

A file that is read becomes a Run of its own, whose directory holds the file and an Evaluation, so that it is found
beside ours and can be written again as it was. What this deliberately does not do: make Attempts of its rows, which
have neither Completion nor Program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.utils.text import slugify

from pipeline.config import RunConfig
from pipeline.judging import Candidate
from pipeline.kx_results import (
    HARNESS,
    KxResults,
    KxRow,
    make_evaluation,
    make_row,
    read_kx_results,
    summarise,
)
from pipeline.records import VerdictKind
from pipeline.rundir import RunDir, write_json
from qstudio.problems.judging import judge_programs
from qstudio.problems.models import Problem
from qstudio.problems.services import problem_record
from qstudio.runs.adoption import adopt_directory
from qstudio.runs.ingest import ingest
from qstudio.runs.models import Attempt, Evaluation, Run

RESULTS_FILE = "kx_results.json"


def import_kx_results(path: Path, policy: str = "") -> tuple[Run, bool]:
    """Read a results file into a Run; say also whether it is new. The same file again is the same Run.

    policy: whose results these are; else the file says it, by its name if nothing else.
    Raises: PipelineError with a sentence.
    """
    found = read_kx_results(path)
    policy = (policy or _policy_of(found, path))[:80]
    evaluation = make_evaluation(found, policy)
    directory = Path(settings.OUTPUTS_DIR) / f"kx-{slugify(policy)[:50]}-{evaluation.id[:8]}"
    is_new = not (directory / "config.json").exists()
    if is_new:
        write_json(directory / RESULTS_FILE, found.as_json())
        rundir = RunDir.create(directory, RunConfig(name=policy))
        rundir.event("evaluation", f"{policy}: read", **evaluation.model_dump(mode="json"))
        reason = f"read from {path.name}, a results file of KX; nothing was run here"
        rundir.event("run_finished", reason, state="succeeded", reason=reason)
    run = adopt_directory(directory)
    ingest(run, applies_states=False)
    return run, is_new


def export_kx_results(
    evaluation: Evaluation, grader: str = "", engine: str = "embedded"
) -> KxResults:
    """Return the results of an Evaluation.

    grader: whose Verdicts; under another one than the Evaluation's the Programs are judged again, by `engine`.
    Raises: PipelineError with a sentence.
    """
    if evaluation.engine == HARNESS:
        return read_kx_results(Path(evaluation.run.directory) / RESULTS_FILE)
    attempts = evaluation.run.attempts.filter(
        purpose="evaluation",
        iteration=evaluation.iteration,
        split=evaluation.split,
        policy=evaluation.policy,
    ).select_related("problem")
    attempts = attempts.order_by("problem__slug", "sample_index")
    if grader and grader != evaluation.grader:
        rows = list(_judged_again(list(attempts), grader, engine))
    else:
        rows = [
            _row_of(attempt, evaluation.grader) for attempt in attempts.prefetch_related("verdicts")
        ]
    workers = int(evaluation.run.config.get("execution", {}).get("workers", 1))
    return summarise(rows, workers)


def _row_of(attempt: Attempt, grader: str) -> KxRow:
    verdicts = [verdict for verdict in attempt.verdicts.all() if verdict.grader == grader]
    is_loaded = bool(verdicts and verdicts[-1].executions)
    return make_row(
        attempt.problem.slug,
        attempt.sample_index,
        VerdictKind(attempt.verdict),
        attempt.error,
        attempt.reason,
        is_loaded=is_loaded,
    )


def _judged_again(attempts: list[Attempt], grader: str, engine: str) -> Iterable[KxRow]:
    slugs = {attempt.problem.slug for attempt in attempts}
    stored = Problem.objects.filter(slug__in=slugs).prefetch_related("tests")
    problems = {row.slug: problem_record(row) for row in stored}
    candidates = [Candidate(attempt.problem.slug, attempt.program) for attempt in attempts]
    judged = judge_programs(candidates, problems, engine, grader)
    for attempt, (candidate, verdict) in zip(attempts, judged, strict=True):
        yield make_row(
            candidate.problem,
            attempt.sample_index,
            verdict.kind,
            verdict.error,
            verdict.reason,
            is_loaded=bool(verdict.executions),
        )


def _policy_of(found: KxResults, path: Path) -> str:
    stated = (found.model_extra or {}).get("agent_model")
    return str(stated or re.sub(r"^results_", "", path.stem) or "unnamed")
