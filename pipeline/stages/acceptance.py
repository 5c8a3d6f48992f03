"""What a Program must survive to become a Solution.

Its Problem's own tests, hidden ones included, then fresh inputs that no other run has seen, answered by the Python
reference. A Problem whose answers hardly vary can accept nothing: a constant would pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.judging import Candidate
from pipeline.records import Attempt, Problem, Solution, TestCase, VerdictKind
from pipeline.references import drawn_tests, largest_answer_share
from pipeline.rundir import read_json, read_records, write_json, write_records
from pipeline.seeds import seed_for
from pipeline.stages.context import RunContext
from pipeline.suite import TestSuite

FRESH = "fresh_tests.json"
SOLUTIONS = "solutions.jsonl"
FIRST_FRESH_INDEX = 1000
"""Fresh inputs are numbered from here, so that evidence shows which kind of test failed."""


def fresh_tests(context: RunContext) -> dict[str, tuple[TestCase, ...]]:
    """Fresh inputs for every training Problem with a generator: drawn once per run, from the run's seed."""
    path = context.path / FRESH
    if path.exists():
        return {
            slug: tuple(TestCase.model_validate(row) for row in rows)
            for slug, rows in read_json(path).items()
        }
    count = context.config.acceptance.fresh_inputs
    drawn: dict[str, tuple[TestCase, ...]] = {}
    with context.reporter.stage("dataset", 0, "Drawing fresh inputs", total=len(context.train)):
        seed = seed_for(context.config.seed, "fresh inputs")
        for slug, tests in drawn_tests(
            context.train, context.python_pool, count, seed, FIRST_FRESH_INDEX
        ):
            drawn[slug] = tests
            context.reporter.progress(len(drawn))
            context.reporter.check_stop()
        write_json(
            path, {slug: [t.model_dump(mode="json") for t in drawn[slug]] for slug in sorted(drawn)}
        )
    return drawn


def accepted(directory: Path) -> list[Solution] | None:
    """What an earlier process accepted in an Iteration; None when it did not get so far."""
    path = directory / SOLUTIONS
    return list(read_records(path, Solution)) if path.exists() else None


def accept(
    context: RunContext,
    attempts: Sequence[Attempt],
    fresh: Mapping[str, tuple[TestCase, ...]],
    iteration: int,
    directory: Path,
) -> list[Solution]:
    """The Solutions among the Attempts of one Iteration, the most frequent Program of a Problem first.

    Writes `solutions.jsonl`, `rejected.json` (Programs that passed the stored tests and no more) and one file per
    newly solved Problem in `solved_problems/`.
    """
    passed = [attempt for attempt in attempts if attempt.verdict.kind is VerdictKind.PASSED]
    counts = Counter(Candidate(attempt.problem, attempt.program) for attempt in passed)
    rejected: dict[str, list[dict[str, str]]] = {}
    candidates = []
    for candidate in sorted(
        counts, key=lambda item: (item.problem, -counts[item], item.program or "")
    ):
        reason = _weakness(context, candidate.problem, fresh.get(candidate.problem, ()))
        if reason:
            _reject(rejected, candidate, reason)
        else:
            candidates.append(candidate)
    suites = {
        slug: TestSuite(context.problems[slug], fresh.get(slug) or context.problems[slug].tests)
        for slug in {item.problem for item in candidates}
    }
    verdicts = context.judge.judge(candidates, suites)
    solutions = []
    for candidate, verdict in zip(candidates, verdicts, strict=True):
        if verdict.kind is VerdictKind.PASSED:
            source = [
                a
                for a in passed
                if (a.problem, a.program) == (candidate.problem, candidate.program)
            ]
            solutions.append(_solution(context, candidate, source, iteration, verdict.n_tests))
        else:
            _reject(rejected, candidate, f"fresh input: {verdict.reason or verdict.kind.value}")
    _write(context, directory, solutions, rejected, iteration)
    return solutions


def _weakness(context: RunContext, slug: str, fresh: Iterable[TestCase]) -> str:
    """Why nothing can be accepted for a Problem; empty when its tests discriminate."""
    tests = [*context.problems[slug].tests, *fresh]
    share = largest_answer_share(tests)
    limit = context.config.acceptance.max_same_answer
    if share > limit:
        return f"weak tests: {share:.0%} of the {len(tests)} inputs have the same answer, the limit is {limit:.0%}"
    return ""


def _solution(
    context: RunContext,
    candidate: Candidate,
    attempts: Sequence[Attempt],
    iteration: int,
    n_fresh: int,
) -> Solution:
    first = attempts[0]
    return Solution(
        problem=candidate.problem,
        program=candidate.program or "",
        origin="bootstrap",
        provenance={
            "run": context.path.name,
            "iteration": iteration,
            "policy": first.policy,
            "attempts": [attempt.id for attempt in attempts],
            "n_samples": len(attempts),
            "n_tests": first.verdict.n_tests,
            "n_fresh_inputs": n_fresh,
            "grader": first.verdict.grader,
            "engine": first.verdict.engine,
            "engine_version": first.verdict.engine_version,
        },
    )


def _reject(rejected: dict[str, list[dict[str, str]]], candidate: Candidate, reason: str) -> None:
    rejected.setdefault(candidate.problem, []).append(
        {"program": candidate.program or "", "reason": reason}
    )


def _write(
    context: RunContext,
    directory: Path,
    solutions: Sequence[Solution],
    rejected: dict[str, Any],
    iteration: int,
) -> None:
    by_problem: dict[str, list[Solution]] = {}
    for solution in solutions:
        by_problem.setdefault(solution.problem, []).append(solution)
    for slug, found in by_problem.items():
        problem: Problem = context.problems[slug]
        write_json(
            directory / "solved_problems" / f"{slug}.json",
            {
                "problem": slug,
                "statement": problem.statement,
                "reference": problem.reference,
                "solutions": [solution.model_dump(mode="json") for solution in found],
            },
        )
    write_json(directory / "rejected.json", rejected)
    path = directory / SOLUTIONS
    write_records(path, solutions)
    context.reporter.event(
        "solutions",
        f"{len(by_problem)} Problems newly solved by {len(solutions)} Programs; "
        f"{sum(map(len, rejected.values()))} Programs failed on fresh inputs or weak tests",
        path=context.relative(path),
        n=len(solutions),
        iteration=iteration,
    )
