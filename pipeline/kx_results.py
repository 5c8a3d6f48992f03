"""The results file of KX's q evaluation harness: read without loss, and written from our Verdicts.

    total_solutions passed_solutions errored_solutions scored_solutions pass_rate total_problems
    execution_method max_workers pass_at_<k>                    the summary; errored ones are outside the denominator
    per_problem_results  [{task_id, num_samples, num_correct}]  scored samples alone
    results              [{task_id, sample_index, passed, info, errored}]
    evaluation_type agent_... dataset                           of runs with tools, kept as they are

`info` is `passed`, `timed out`, `failed: <reason>` or `errored: <reason>`; a row without a Program has `error` instead.
Files from before June 2026 know no errored rows. A task of q-humaneval is a number, and our Problem is then
`q-humaneval-<nnn>`; any other slug stands for itself. Source: KxSystems/q-evaluation-harness, `outputs/` and what
writes it.

What this deliberately does not do: compare values (`graders.kx`). The format has no place for a grader: what is written
here under another grader than `kx-1` looks like KX's and is not to be set beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr, ValidationError

from pipeline.errors import RecordError
from pipeline.metrics import pass_at_k, pass_at_k_interval
from pipeline.records import Evaluation, VerdictKind, content_hash
from pipeline.rundir import read_json

KS = (1, 5, 10, 20, 50, 100)
"""The k that KX reports, each where every task has so many scored samples."""
HARNESS = "kx-harness"
"""The engine of Evaluations that were read from such a file."""
IMPORTED = -2
"""The iteration of Evaluations that no loop made."""
_PROBLEM = re.compile(r"q-humaneval-(\d{3})")
_ASSERTION = "failed: Test assertion failed: "
_CALL = "failed: Test execution failed: "
_LOAD = "failed: IPC execution error: Failed to create IPC function: "


class _Part(BaseModel):
    """A part of the file; fields that are not named here are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class KxRow(_Part):
    """One sample of one task."""

    task_id: StrictInt | StrictStr
    sample_index: StrictInt
    passed: StrictBool
    info: StrictStr = ""
    errored: StrictBool = False
    error: StrictStr = ""


class KxTask(_Part):
    """The counts of one task."""

    task_id: StrictInt | StrictStr
    num_samples: StrictInt
    num_correct: StrictInt


class KxResults(_Part):
    """A whole file."""

    total_solutions: StrictInt
    passed_solutions: StrictInt
    per_problem_results: tuple[KxTask, ...]
    results: tuple[KxRow, ...]

    @property
    def grader(self) -> str:
        """Which of KX's rules judged: `kx-1` since June 2026, `kx-0` before."""
        return "kx-1" if "errored_solutions" in (self.model_extra or {}) else "kx-0"

    def as_json(self) -> dict[str, Any]:
        """What the file holds: no field more, none less."""
        return self.model_dump(mode="json", exclude_unset=True)


def read_kx_results(path: Path) -> KxResults:
    """Read a results file. Raises: RunDirError, RecordError when it is none, or contradicts itself."""
    try:
        found = KxResults.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise RecordError(
            f"{path} is no results file of KX: {place}: {first['msg'].lower()}"
        ) from error
    contradiction = _contradiction(found)
    if contradiction:
        raise RecordError(f"{path} contradicts itself: {contradiction}")
    return found


def _contradiction(found: KxResults) -> str:
    n, passed = len(found.results), sum(row.passed for row in found.results)
    if (n, passed) != (found.total_solutions, found.passed_solutions):
        stated = f"{found.passed_solutions} of {found.total_solutions}"
        return f"{passed} of {n} rows passed, and the summary says {stated}"
    counted = {task: _count(rows) for task, rows in _by_task(found.results).items()}
    for task in found.per_problem_results:
        counts = counted.get(task.task_id, (0, 0))
        if (task.num_samples, task.num_correct) != counts:
            return (
                f"{counts[1]} of {counts[0]} rows of task {task.task_id} passed, "
                f"and its summary says {task.num_correct} of {task.num_samples}"
            )
    return ""


def _by_task(rows: Iterable[KxRow]) -> dict[int | str, list[KxRow]]:
    """Rows by task, in the order in which the tasks come first."""
    found: dict[int | str, list[KxRow]] = {}
    for row in rows:
        found.setdefault(row.task_id, []).append(row)
    return found


def _count(rows: Iterable[KxRow]) -> tuple[int, int]:
    """Scored samples, and those that passed."""
    scored = [row for row in rows if not row.errored]
    return len(scored), sum(row.passed for row in scored)


def _least(counts: Iterable[tuple[int, int]]) -> int:
    """The fewest samples that a task has."""
    return min((n for n, _ in counts), default=0)


def make_row(
    slug: str, sample_index: int, kind: VerdictKind, error: str, reason: str, *, is_loaded: bool
) -> KxRow:
    """Say a Verdict in the words of KX. `is_loaded`: whether the Program loaded, so that tests ran."""
    head: dict[str, Any] = {"task_id": task_of(slug), "sample_index": sample_index}
    if kind is VerdictKind.NO_PROGRAM:
        return KxRow(**head, passed=False, error="Empty code")
    info = _info(kind, error or kind.value.replace("_", " "), reason, is_loaded)
    return KxRow(**head, passed=kind is VerdictKind.PASSED, info=info, errored=not kind.is_scored)


def _info(kind: VerdictKind, error: str, reason: str, is_loaded: bool) -> str:
    if kind is VerdictKind.PASSED:
        return "passed"
    if kind is VerdictKind.TIME_LIMIT:
        return "timed out"
    if not kind.is_scored:
        return f"errored: {reason or kind.value}"
    if kind is VerdictKind.WRONG_ANSWER:
        return _ASSERTION + reason
    if kind is VerdictKind.SYNTAX_ERROR:
        error = reason.split(":")[0].removeprefix("'") or error
    return (_CALL if is_loaded else _LOAD) + error


def read_verdict(row: KxRow) -> VerdictKind:
    """Return the Verdict that a row comes nearest to; KX's words do not tell all of ours apart."""
    if row.passed:
        return VerdictKind.PASSED
    if row.errored or row.info.startswith("errored: "):
        return VerdictKind.INFRA_ERROR
    if row.error or row.info == "failed: Empty Q code":
        return VerdictKind.NO_PROGRAM
    if row.info == "timed out":
        return VerdictKind.TIME_LIMIT
    if row.info.startswith(_ASSERTION.rstrip()):
        return VerdictKind.WRONG_ANSWER
    error = row.info.rpartition(": ")[2]
    is_syntax = row.info.startswith(_LOAD) and len(error) == 1 and not error.isalnum()
    return VerdictKind.SYNTAX_ERROR if is_syntax else VerdictKind.Q_ERROR


def summarise(rows: Sequence[KxRow], workers: int = 1) -> KxResults:
    """Make the file of these rows, with the summary that KX makes."""
    counts = {task: _count(group) for task, group in _by_task(rows).items()}
    n_scored, n_passed = sum(n for n, _ in counts.values()), sum(c for _, c in counts.values())
    scores = {
        f"pass_at_{k}": sum(pass_at_k(n, c, k) for n, c in counts.values()) / len(counts)
        for k in KS
        if k <= _least(counts.values())
    }
    return KxResults(
        total_solutions=len(rows),
        passed_solutions=n_passed,
        errored_solutions=len(rows) - n_scored,
        scored_solutions=n_scored,
        pass_rate=n_passed / n_scored if n_scored else 0,
        total_problems=len(counts),
        execution_method="sequential" if workers == 1 else "multithreaded",
        max_workers=workers,
        **scores,
        per_problem_results=tuple(
            KxTask(task_id=task, num_samples=n, num_correct=c) for task, (n, c) in counts.items()
        ),
        results=tuple(rows),
    )


def make_evaluation(
    found: KxResults, policy: str, resamples: int = 10_000, seed: int = 20_261
) -> Evaluation:
    """Return what the file measured as one of our Evaluations, with intervals clustered by task."""
    groups = {slug_of(task): rows for task, rows in _by_task(found.results).items()}
    scored = {slug: _count(rows) for slug, rows in groups.items()}
    all_in = {slug: (len(rows), scored[slug][1]) for slug, rows in groups.items()}
    verdicts: dict[str, int] = {}
    for row in found.results:
        kind = read_verdict(row).value
        verdicts[kind] = verdicts.get(kind, 0) + 1
    pass_at, pass_at_all_in = (
        {
            str(k): interval
            for k in KS
            if k <= _least(all_in.values())
            and (interval := pass_at_k_interval(counts, k, resamples, seed))
        }
        for counts in (scored, all_in)
    )
    return Evaluation(
        id=content_hash(found.as_json())[:16],
        iteration=IMPORTED,
        policy=policy,
        split="test",
        n_problems=len(groups),
        n_samples=max((n for n, _ in all_in.values()), default=0),
        temperature=0.0,
        pass_at=pass_at,
        pass_at_all_in=pass_at_all_in,
        verdicts=verdicts,
        per_problem=scored,
        grader=found.grader,
        engine=HARNESS,
        engine_version="",
        prompt_format=str((found.model_extra or {}).get("evaluation_type", "one-shot")),
    )


def task_of(slug: str) -> int | str:
    """Return KX's name of a Problem."""
    match = _PROBLEM.fullmatch(slug)
    return int(match[1]) if match else slug


def slug_of(task: int | str) -> str:
    """Return our name of a task of KX."""
    return f"q-humaneval-{task:03d}" if isinstance(task, int) else task
