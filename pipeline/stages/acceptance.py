"""What a Program must survive to become a Solution.

Its Problem's own tests, hidden ones included, then fresh inputs that no other run has seen, answered by the Python
reference. And the tests must bite: a Problem can accept nothing whose answers hardly vary, which has no generator of
inputs, or whose tests do not tell mutants of its reference from it. The thresholds are `AcceptanceConfig`; every
refusal has its reason in `rejected.json`, and docs/acceptance.md says what each means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.judging import Candidate
from pipeline.mutation.report import KillReport
from pipeline.records import Attempt, Problem, Solution, TestCase, VerdictKind
from pipeline.references import drawn_tests, largest_answer_share
from pipeline.rundir import read_json, read_records, write_json, write_records
from pipeline.seeds import seed_for
from pipeline.stages.announcing import announce_once
from pipeline.stages.context import RunContext
from pipeline.stages.kill_rates import measured_kill_rates
from pipeline.strictness import bluntness, weakness
from pipeline.suite import TestSuite

FRESH = "fresh_tests.json"
SOLUTIONS = "solutions.jsonl"
REJECTED = "rejected.json"
FIRST_FRESH_INDEX = 1000
"""Fresh inputs are numbered from here, so that evidence shows which kind of test failed."""

Rejected = dict[str, list[dict[str, str]]]
"""By Problem: `{"program", "reason"}` of every Program that passed the stored tests and was not accepted."""


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


def accepted(context: RunContext, directory: Path, iteration: int) -> list[Solution] | None:
    """What an earlier process accepted in an Iteration; None when it did not get so far."""
    path = directory / SOLUTIONS
    if not path.exists():
        return None
    solutions = list(read_records(path, Solution))
    _announce(context, path, solutions, read_json(directory / REJECTED), iteration)
    return solutions


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
    policy = context.config.acceptance
    sources: dict[Candidate, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.verdict.kind is VerdictKind.PASSED:
            sources.setdefault(Candidate(attempt.problem, attempt.program), []).append(attempt)
    candidates = sorted(sources, key=lambda c: (c.problem, -len(sources[c]), c.program or ""))
    rejected: Rejected = {}
    weak = {
        slug: weakness(context.problems[slug], fresh.get(slug, ()), policy)
        for slug in {candidate.problem for candidate in candidates}
    }
    candidates = _without(rejected, candidates, weak)
    candidates = _passing_fresh_inputs(context, candidates, fresh, rejected)
    reports: dict[str, KillReport] = {}
    if policy.min_kill_rate > 0:
        slugs = {candidate.problem for candidate in candidates}
        reports = measured_kill_rates(context, slugs, fresh, iteration)
    blunt = {slug: bluntness(report, policy) for slug, report in reports.items()}
    solutions = []
    for candidate in _without(rejected, candidates, blunt):
        slug = candidate.problem
        evidence = _evidence(context.problems[slug], fresh.get(slug, ()), reports.get(slug))
        solutions.append(_solution(context, candidate, sources[candidate], iteration, evidence))
    _write(context, directory, solutions, rejected, iteration)
    return solutions


def _without(
    rejected: Rejected, candidates: Iterable[Candidate], reasons: Mapping[str, str]
) -> list[Candidate]:
    """The Candidates of Problems for which there is no reason to refuse; the others are noted."""
    kept = []
    for candidate in candidates:
        if reason := reasons.get(candidate.problem, ""):
            _reject(rejected, candidate, reason)
        else:
            kept.append(candidate)
    return kept


def _passing_fresh_inputs(
    context: RunContext,
    candidates: Sequence[Candidate],
    fresh: Mapping[str, tuple[TestCase, ...]],
    rejected: Rejected,
) -> list[Candidate]:
    """The Candidates that pass on fresh inputs, where there are any; the others are noted."""
    suites = {
        slug: TestSuite(context.problems[slug], fresh.get(slug) or context.problems[slug].tests)
        for slug in {item.problem for item in candidates}
    }
    verdicts = context.judge.judge(candidates, suites)
    kept = []
    for candidate, verdict in zip(candidates, verdicts, strict=True):
        if verdict.kind is VerdictKind.PASSED:
            kept.append(candidate)
        else:
            _reject(rejected, candidate, f"fresh input: {verdict.reason or verdict.kind.value}")
    return kept


def _evidence(
    problem: Problem, fresh: Sequence[TestCase], report: KillReport | None
) -> dict[str, Any]:
    """What is known of the inputs that a Program was accepted on."""
    share = largest_answer_share([*problem.tests, *fresh])
    found = {"n_fresh_inputs": len(fresh), "largest_answer_share": round(share, 4)}
    if report is not None:
        found["kill_rate"] = round(report.rate or 0.0, 4)
        found["n_mutants"] = report.count("killed") + report.count("survived")
    return found


def _solution(
    context: RunContext,
    candidate: Candidate,
    attempts: Sequence[Attempt],
    iteration: int,
    evidence: Mapping[str, Any],
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
            **evidence,
            "grader": first.verdict.grader,
            "engine": first.verdict.engine,
            "engine_version": first.verdict.engine_version,
        },
    )


def _reject(rejected: Rejected, candidate: Candidate, reason: str) -> None:
    rejected.setdefault(candidate.problem, []).append(
        {"program": candidate.program or "", "reason": reason}
    )


def _write(
    context: RunContext,
    directory: Path,
    solutions: Sequence[Solution],
    rejected: Rejected,
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
    write_json(directory / REJECTED, rejected)
    path = directory / SOLUTIONS
    write_records(path, solutions)
    _announce(context, path, solutions, rejected, iteration)


def _announce(
    context: RunContext,
    path: Path,
    solutions: Sequence[Solution],
    rejected: Rejected,
    iteration: int,
) -> None:
    refused = Counter(row["reason"].partition(":")[0] for rows in rejected.values() for row in rows)
    told = ", ".join(f"{n} ({reason})" for reason, n in refused.most_common()) or "none"
    announce_once(
        context,
        "solutions",
        f"{len({solution.problem for solution in solutions})} Problems newly solved by "
        f"{len(solutions)} Programs; Programs that passed and were refused: {told}",
        by="path",
        path=context.relative(path),
        n=len(solutions),
        refused=dict(refused),
        iteration=iteration,
    )
