"""Program results -> Verdicts -> rewards, under a grader that says which values are equal (`graders`).

A grader's id covers its table (docs/grading.md), the conversion of arguments (`typed_values`) and the rules below; a
change to any of them is a new id, because scores under different rules do not compare.

    a Program that does not load      its own status decides (q_error, syntax_error, time_limit, ...)
    a test that fails for the Program  the first such test, in test order, decides
    only faults of ours are left       infra_error before unsupported; both are outside every denominator
    everything matched                 passed

So a wrong answer stays a wrong answer when another test met a gap of the engine, and nothing passes with a test
unanswered. What this deliberately does not do: run Programs (q_runtime) or choose tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.difference import Difference
from pipeline.errors import GradingError
from pipeline.extraction import extract_program
from pipeline.graders import DEFAULT_GRADER, GRADERS, Grader
from pipeline.records import Execution, Problem, TestCase, Verdict, VerdictKind
from pipeline.typed_values import UnrepresentableValue, decode_typed, to_wire_arguments
from q_runtime import ExecutionResult, ProgramResult, QJob, format_wire

__all__ = [
    "GRADER",
    "extract_program",
    "grade",
    "grade_no_program",
    "make_job",
    "reward",
]

GRADER = DEFAULT_GRADER
MAX_ACTUAL_CHARS = 2000
"""Actual values and stdout are stored up to this length."""
_STRAY_BYTES = re.compile("[\udc80-\udcff]")
"""Bytes of q text that are not UTF-8, as surrogate escapes: JSON and databases refuse them."""

_FAULTS_OF_OURS = (VerdictKind.INFRA_ERROR, VerdictKind.UNSUPPORTED)


def make_job(
    key: str, problem: Problem, program: str, tests: Iterable[TestCase] | None = None
) -> QJob:
    """The sandbox job that runs a Program on the Problem's tests (or on `tests` instead).

    Raises:
        GradingError: a test's arguments have no q value; an imported Problem never has such tests.
    """
    types = [param.type for param in problem.params]
    calls: list[tuple[dict[str, Any], ...]] = []
    for test in problem.tests if tests is None else tests:
        try:
            calls.append(to_wire_arguments([decode_typed(item) for item in test.arguments], types))
        except UnrepresentableValue as error:
            raise GradingError(f"{problem.slug}, test {test.index}: {error}") from error
    return QJob(key=key, program=program, entry_point=problem.entry_point, calls=tuple(calls))


def grade(
    tests: Sequence[TestCase],
    returns: str,
    result: ProgramResult,
    *,
    engine: str,
    engine_version: str,
    tests_hash: str,
    grader: Grader = GRADERS[GRADER],
) -> Verdict:
    """Judge what a Program did on the tests; `returns` is the Problem's result type.

    `tests_hash` identifies the tests in the Verdict (`suite.TestSuite` computes it once per Problem).
    """
    frame = _Frame(tests, engine, engine_version, tests_hash, grader)
    if result.load.status != "ok":
        return frame.verdict(
            VerdictKind(result.load.status), result.load.error or "", _reason(result.load)
        )
    executions = tuple(
        _judge(grader, test, returns, call, result.load.stdout)
        for test, call in zip(tests, result.calls, strict=False)
    )
    failed = [item for item in executions if item.outcome != VerdictKind.PASSED]
    own = [item for item in failed if VerdictKind(item.outcome) not in _FAULTS_OF_OURS]
    faults = sorted(failed, key=lambda item: item.outcome != VerdictKind.INFRA_ERROR)
    deciding = next(iter(own or faults), None)
    if deciding is not None:
        kind = VerdictKind(deciding.outcome)
        reason = (
            f"test {deciding.test_index}: {deciding.difference or deciding.error or kind.value}"
        )
        return frame.verdict(kind, deciding.error, reason, executions)
    if len(executions) < len(tests):
        reason = f"{len(tests) - len(executions)} of {len(tests)} tests were not answered"
        return frame.verdict(VerdictKind.INFRA_ERROR, "", reason, executions)
    return frame.verdict(VerdictKind.PASSED, "", "", executions)


def grade_no_program(
    tests: Sequence[TestCase],
    *,
    engine: str,
    engine_version: str,
    tests_hash: str,
    grader: Grader = GRADERS[GRADER],
) -> Verdict:
    """The Verdict of a Completion in which there is no q."""
    frame = _Frame(tests, engine, engine_version, tests_hash, grader)
    return frame.verdict(VerdictKind.NO_PROGRAM, "", "no q was found in the completion")


def reward(verdict: Verdict) -> float | None:
    """1.0 for passed, 0.0 for every other scored Verdict, None where nothing can be said of the Program."""
    if not verdict.kind.is_scored:
        return None
    return 1.0 if verdict.kind is VerdictKind.PASSED else 0.0


class _Frame:
    """What all Verdicts of one call to the grader share."""

    def __init__(
        self,
        tests: Sequence[TestCase],
        engine: str,
        engine_version: str,
        tests_hash: str,
        grader: Grader,
    ) -> None:
        self.tests = tests
        self.engine = engine
        self.engine_version = engine_version
        self.tests_hash = tests_hash
        self.grader = grader

    def verdict(
        self, kind: VerdictKind, error: str, reason: str, executions: tuple[Execution, ...] = ()
    ) -> Verdict:
        return Verdict(
            kind=kind,
            reason=_shorten(" ".join(reason.split()), 300),
            error=_shorten(error, 300) if kind is VerdictKind.Q_ERROR else "",
            n_passed=sum(item.outcome == VerdictKind.PASSED for item in executions),
            n_tests=len(self.tests),
            executions=executions,
            grader=self.grader.id,
            engine=self.engine,
            engine_version=self.engine_version,
            tests_hash=self.tests_hash,
        )


def _judge(
    grader: Grader, test: TestCase, returns: str, call: ExecutionResult, printed: str
) -> Execution:
    """One test: its engine status, or the comparison of the value; `printed` is what the load printed."""
    difference: Difference | None = None
    outcome = str(call.status)
    actual = ""
    if outcome == "ok":
        if call.value is None:
            raise GradingError(f"test {test.index}: the engine reported ok without a value")
        difference = grader.compare(test, returns, call.value, printed + call.stdout)
        outcome = (VerdictKind.WRONG_ANSWER if difference else VerdictKind.PASSED).value
        actual = _shorten(format_wire(call.value), MAX_ACTUAL_CHARS)
    return Execution(
        test_index=test.index,
        outcome=outcome,
        actual=actual,
        difference_kind=difference.kind if difference else "",
        difference=_shorten(str(difference), MAX_ACTUAL_CHARS) if difference else "",
        error=_shorten(_error(call), 300),
        error_at=call.at,
        stdout=_shorten(call.stdout, MAX_ACTUAL_CHARS),
        duration_s=call.duration_s,
    )


def _error(call: ExecutionResult) -> str:
    """What went wrong in a call, empty if nothing did; a gap of ours has no name and is told by its detail."""
    if call.status == "ok":
        return call.error or ""
    named = "" if call.status == "unsupported" else call.error
    return named or call.detail


def _reason(load: ExecutionResult) -> str:
    """Why a Program did not load: its error, which a detail may already begin with, as q or a limit says it."""
    error, detail = load.error or "", load.detail
    if detail.startswith((f"'{error}", f"{error} limit ")):
        return detail
    return " ".join(filter(None, (error, detail))) or load.status


def _shorten(text: str, limit: int) -> str:
    r"""Text for a record: bytes that are no UTF-8 as q writes them, `\377`, and at most `limit` characters."""
    if not text.isascii():
        text = _STRAY_BYTES.sub(lambda found: f"\\{ord(found[0]) - 0xDC00:03o}", text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
