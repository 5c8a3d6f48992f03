"""A second look at accepted Programs: new inputs under a new seed, answered by the Python reference, judged again.

A Program that fails is judged once more by itself, with three times the time and twice the memory, and its reference is
asked once more for the same inputs: only what fails again, by its own fault, is reported as `failed`. What we lack
(`unsupported`), what broke on our side (`infra_error`), and Problems that no new input can be drawn for say nothing
about a Program. What this deliberately does not do: change anything (`quarantine`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.config import ExecutionConfig
from pipeline.judging import Candidate, Judge
from pipeline.records import Problem, TestCase, Verdict, VerdictKind
from pipeline.references import drawn_tests, undrawable
from pipeline.suite import TestSuite
from q_runtime import PythonPool
from qstudio.problems.services import chunks

FIRST_INDEX = 2000
"""Inputs of an audit are numbered from here: stored tests are below 1000, fresh ones of a Run below 2000."""
CHUNK = 64
"""Problems that are drawn for and judged at a time."""
NO_INPUT = "the generator gave no input that has an answer and is not among the tests"

Outcome = Literal["passed", "failed", "not_judged", "not_drawn"]


@dataclass(frozen=True)
class Finding:
    """What the audit of one Program came to."""

    problem: str
    program: str
    outcome: Outcome
    reason: str = ""
    """Why it is not `passed`, in a sentence."""
    evidence: dict[str, Any] = field(default_factory=dict)
    """For a failure, what `models.Quarantine.evidence` describes."""


@dataclass(frozen=True)
class AuditPlan:
    """How an audit looks."""

    seed: int
    n_inputs: int
    engine: str = "embedded"


def audit(
    programs: Mapping[str, Sequence[str]], problems: Iterable[Problem], plan: AuditPlan
) -> Iterator[list[Finding]]:
    """A Finding for each Program, in lists for a few Problems at a time; `programs` are by slug.

    Raises: GradingError when the engine cannot be used.
    """
    with PythonPool() as pool, Judge(ExecutionConfig(engine=plan.engine)) as judge:
        for chunk in chunks(problems, CHUNK):
            drawn = _drawn(chunk, pool, plan)
            suites = {p.slug: TestSuite(p, drawn[p.slug]) for p in chunk if drawn.get(p.slug)}
            findings = [
                Finding(problem.slug, program, "not_drawn", undrawable(problem) or NO_INPUT)
                for problem in chunk
                if problem.slug not in suites
                for program in programs[problem.slug]
            ]
            candidates = [Candidate(slug, q) for slug in suites for q in programs[slug]]
            verdicts = judge.judge(candidates, suites)
            suspects = []
            for candidate, verdict in zip(candidates, verdicts, strict=True):
                if verdict.kind is VerdictKind.PASSED or not verdict.kind.is_scored:
                    findings.append(_finding(candidate, verdict, suites, plan))
                else:
                    suspects.append(candidate)
            if suspects:
                findings += _second_look(suspects, suites, pool, plan)
            yield findings


def _drawn(
    problems: Sequence[Problem], pool: PythonPool, plan: AuditPlan
) -> dict[str, tuple[TestCase, ...]]:
    return dict(drawn_tests(problems, pool, plan.n_inputs, plan.seed, FIRST_INDEX))


def _second_look(
    suspects: Sequence[Candidate],
    suites: Mapping[str, TestSuite],
    pool: PythonPool,
    plan: AuditPlan,
) -> Iterator[Finding]:
    """What remains of the failures when limits are wide and the reference is asked again."""
    usual = ExecutionConfig(engine=plan.engine)
    patient = usual.model_copy(
        update={"time_s": 3 * usual.time_s, "memory_mb": 2 * usual.memory_mb}
    )
    slugs = {candidate.problem for candidate in suspects}
    again = _drawn([suites[slug].problem for slug in slugs], pool, plan)
    with Judge(patient) as judge:
        verdicts = judge.judge(suspects, suites)
    for candidate, verdict in zip(suspects, verdicts, strict=True):
        if again.get(candidate.problem) != suites[candidate.problem].tests:
            reason = "the reference gives other answers when it is asked again"
            yield Finding(candidate.problem, candidate.program or "", "not_judged", reason)
        else:
            yield _finding(candidate, verdict, suites, plan)


def _finding(
    candidate: Candidate, verdict: Verdict, suites: Mapping[str, TestSuite], plan: AuditPlan
) -> Finding:
    slug, program = candidate.problem, candidate.program or ""
    if verdict.kind is VerdictKind.PASSED:
        return Finding(slug, program, "passed")
    reason = f"{verdict.kind.value}: {verdict.reason}".rstrip(": ")
    if not verdict.kind.is_scored:
        return Finding(slug, program, "not_judged", reason)
    return Finding(slug, program, "failed", reason, _evidence(verdict, suites[slug], plan))


def _evidence(verdict: Verdict, suite: TestSuite, plan: AuditPlan) -> dict[str, Any]:
    """The first input that failed, with what was expected and what came, and how to see it again."""
    found: dict[str, Any] = {
        "seed": plan.seed,
        "n_inputs": len(suite.tests),
        "n_passed": verdict.n_passed,
        "verdict": verdict.kind.value,
        "grader": verdict.grader,
        "engine": verdict.engine,
        "engine_version": verdict.engine_version,
    }
    by_index = {test.index: test for test in suite.tests}
    for execution in verdict.executions:
        scored = VerdictKind(execution.outcome).is_scored
        if scored and execution.outcome != VerdictKind.PASSED.value:
            test = by_index[execution.test_index]
            found["test"] = {
                "arguments": list(test.arguments),
                "expected": test.expected,
                "comparator": test.comparator,
                "actual": execution.actual,
                "difference": execution.difference or execution.error or execution.outcome,
            }
            break
    return found
