"""One Problem's mutants on trial: what their answers mean under the grader's own comparison.

A mutant is killed by the first test whose expected value its answer does not equal, or on which it raises, ends the
process or does not end. "Equal" is what it is for a q Program: the mutant's answer is converted to q under the
Problem's result type and compared by the test's comparator, so a mutant counts as killed only if its translation to q
would fail as well.

The survivors then answer inputs drawn from the Problem's generator with another seed. One that differs there has
survived: such an input was missing among the tests. One that differs nowhere is probably equivalent and left out of the
rate. A mutant that fails with a TypeError, NameError or AttributeError on every single test is broken and
left out too, since any test would have killed it.

What this deliberately does not do: run anything (`kill_rate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.comparators import NoComparator, comparator_for_new_inputs
from pipeline.equality import compare
from pipeline.mutation.confined import BROKEN
from pipeline.mutation.mutants import MutatedReference
from pipeline.mutation.report import Fate, KillReport, MutantFate
from pipeline.records import Problem, TestCase
from pipeline.typed_values import (
    TypedJsonError,
    TypeExpr,
    UnrepresentableValue,
    decode_typed,
    to_wire,
    to_wire_arguments,
)
from q_runtime import PythonExecution

MIN_EXTRA = 20
"""With fewer different inputs than this nothing is called equivalent."""
FIRST_LOOK = 3
"""Differences asked for at first; most mutants are killed by the first of them."""
ALL = 1_000_000
INFRA = "the sandbox lost the process that measured; a fault of ours, measure again"


@dataclass
class Pending:
    """A mutant that nothing is known of from some input on."""

    number: int
    start: int = 0
    most: int = FIRST_LOOK


@dataclass
class Trial:
    """One Problem on its way through the rounds."""

    problem: Problem
    tests: Sequence[TestCase]
    reference: MutatedReference
    returns: TypeExpr
    pending: list[Pending]
    fates: dict[int, MutantFate] = field(default_factory=dict)
    extra: list[Any] | None = None
    """[arguments, kind, value] of the drawn inputs, once the survivors are compared on them."""
    unmeasured: str = ""

    @cached_property
    def drawn_comparator(self) -> str | None:
        """How answers to drawn inputs are compared with the reference's; None where nothing can be drawn."""
        try:
            comparator = comparator_for_new_inputs(test.comparator for test in self.tests)
        except NoComparator:
            return None
        return comparator if self.problem.generator else None

    def settle(
        self, number: int, fate: Fate, test_index: int | None = None, cause: str = ""
    ) -> None:
        """Write down what became of a mutant."""
        mutant = self.reference.mutants[number]
        self.fates[number] = MutantFate(
            kind=mutant.kind,
            line=mutant.line,
            change=mutant.change,
            fate=fate,
            test_index=test_index,
            cause=cause[:300],
        )

    def report(self) -> KillReport:
        fates = [] if self.unmeasured else [self.fates[number] for number in sorted(self.fates)]
        return KillReport(
            problem=self.problem.slug,
            n_tests=len(self.tests),
            n_extra_inputs=len(self.extra or ()),
            unmeasured=self.unmeasured,
            is_fault_of_ours=self.unmeasured == INFRA,
            mutants=tuple(fates),
        )


def unrepeated(trial: Trial, told: Sequence[Any]) -> str:
    """Why the reference's own answers are not those of the tests; empty when they are."""
    for test, (_, kind, value) in zip(trial.tests, told, strict=True):
        cause = _difference(trial, test, kind, value)
        if cause:
            return f"the reference does not repeat its answer to test {test.index}: {cause}"
    return ""


def end_with(trial: Trial, item: Pending, answer: PythonExecution) -> None:
    """A mutant with which the process ended, or whose answers could not be sent."""
    cause = f"{answer.status}: {answer.error or ''}".rstrip(": ")
    trial.settle(item.number, "killed" if trial.extra is None else "survived", cause=cause)


def judge(trial: Trial, item: Pending, found: Sequence[Any]) -> None:
    """What a mutant's differences from the reference amount to under the grader's comparison."""
    if trial.extra is not None:
        _judge_extra(trial, item, found)
        return
    is_broken = [_is_broken(kind, value) for _, kind, value in found]
    if found and found[0][0] < 0:
        trial.settle(item.number, "broken", cause=f"it cannot be loaded: {found[0][2]}")
        return
    if len(found) == len(trial.tests) and all(is_broken):
        cause = _difference(trial, trial.tests[0], *found[0][1:])
        trial.settle(item.number, "broken", cause=f"{cause} on every test")
        return
    for position, kind, value in found:
        test = trial.tests[position]
        cause = _difference(trial, test, kind, value)
        if cause:
            trial.settle(item.number, "killed", test.index, cause)
            return
    if len(found) - sum(is_broken) >= item.most:
        trial.pending.append(Pending(item.number, found[-1][0] + 1, ALL))
    else:
        trial.settle(item.number, "survived")


def _is_broken(kind: str, value: Any) -> bool:
    return kind == "no data" or (kind == "raised" and value in BROKEN)


def _judge_extra(trial: Trial, item: Pending, found: Sequence[Any]) -> None:
    """Whether a survivor is told from the reference by an input that is not among the tests."""
    comparator = trial.drawn_comparator
    assert trial.extra is not None
    assert comparator is not None
    types = [param.type for param in trial.problem.params]
    for position, kind, value in found:
        arguments, _, expected = trial.extra[position]
        try:
            to_wire_arguments(arguments, types)
            to_wire(expected, trial.returns)
        except UnrepresentableValue:
            continue  # no test could hold it
        cause = _compared(trial, expected, kind, value, comparator)
        if cause:
            shown = ", ".join(map(repr, arguments))
            cause = f"no test like {trial.problem.entry_point}({shown[:150]}): {cause}"
            trial.settle(item.number, "survived", cause=cause)
            return
    if len(found) >= item.most:
        trial.pending.append(Pending(item.number, found[-1][0] + 1, ALL))
    elif len(trial.extra) >= MIN_EXTRA:
        trial.settle(item.number, "equivalent", cause=f"the same on {len(trial.extra)} inputs")
    else:
        trial.settle(
            item.number, "survived", cause=f"only {len(trial.extra)} other inputs could be drawn"
        )


def _difference(trial: Trial, test: TestCase, kind: str, value: Any) -> str:
    """How an answer differs from what a test expects; empty when it does not."""
    return _compared(trial, decode_typed(test.expected), kind, value, test.comparator)


def _compared(trial: Trial, expected: Any, kind: str, value: Any, comparator: str) -> str:
    if kind == "endless":
        return "does not end"
    if kind == "raised":
        return f"raises {value}"
    if kind != "answered":
        return f"a {value}, which is no data"
    try:
        wire = to_wire(value, trial.returns)
    except (UnrepresentableValue, TypedJsonError) as error:
        return str(error)
    return str(compare(expected, trial.returns, wire, comparator) or "")
