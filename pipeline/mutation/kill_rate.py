"""Kill rates: every mutant answers the tests in the sandbox, and the grader's own comparison judges the answers.

A mutant is killed by the first test whose expected value its answer does not equal, or on which it raises, ends the
process or does not end. "Equal" is what it is for a q Program: the mutant's answer is converted to q under the
Problem's result type and compared by the test's comparator, so a mutant counts as killed only if its translation to q
would fail as well.

The survivors then answer `EXTRA_DRAWS` inputs drawn from the Problem's generator with another seed. One that differs
there has survived: such an input was missing among the tests. One that differs nowhere is probably equivalent and left
out of the rate. A mutant that fails with a TypeError, NameError or AttributeError on every single test is broken and
left out too, since any test would have killed it.

One process serves all mutants of a reference, or of several references that are our own. Where it ends early, the
mutant that ran has been killed, and those that it kept from running are run again without it. What this deliberately
does not do: decide what rate is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.equality import compare
from pipeline.mutation.confined import BROKEN, Subject, program
from pipeline.mutation.mutants import MutatedReference, NoMutants, mutate
from pipeline.mutation.report import Fate, KillReport, MutantFate
from pipeline.records import Problem, TestCase
from pipeline.seeds import seed_for
from pipeline.typed_values import (
    TypedJsonError,
    TypeExpr,
    UnrepresentableValue,
    decode_typed,
    parse_type,
    to_wire,
    to_wire_arguments,
)
from q_runtime import Limits, PythonExecution, PythonJob, PythonPool, PythonResult

EXTRA_DRAWS = 200
"""Inputs drawn for the survivors."""
MIN_EXTRA = 20
"""With fewer different inputs than this nothing is called equivalent."""
FIRST_LOOK = 3
"""Differences asked for at first; most mutants are killed by the first of them."""
ALL = 1_000_000
TIME_S = 10.0
"""Longest time of one mutant for all its inputs, in seconds; a count of passes ends nearly all that would never end."""
SLOW_S = TIME_S / 4
"""A reference that needs longer for its tests has no kill rate: its mutants might be stopped for being slow alone."""
JOB_TIME_S = 600.0
INFRA = "the sandbox lost the process that measured; a fault of ours, measure again"


@dataclass
class _Pending:
    """A mutant that nothing is known of from some input on."""

    number: int
    start: int = 0
    most: int = FIRST_LOOK


@dataclass
class _Trial:
    """One Problem on its way through the rounds."""

    problem: Problem
    tests: Sequence[TestCase]
    reference: MutatedReference
    returns: TypeExpr
    pending: list[_Pending]
    fates: dict[int, MutantFate] = field(default_factory=dict)
    extra: list[Any] | None = None
    """[arguments, kind, value] of the drawn inputs, once the survivors are compared on them."""
    unmeasured: str = ""

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


def mutant_pool(n_workers: int) -> PythonPool:
    """A pool with the limits that `kill_reports` needs."""
    limits = Limits(time_s=TIME_S, output_bytes=8_000_000)
    return PythonPool(n_workers=n_workers, limits=limits, job_time_s=JOB_TIME_S)


def kill_reports(
    suites: Iterable[tuple[Problem, Sequence[TestCase]]],
    pool: PythonPool,
    max_mutants: int,
    seed: int,
    together: int = 1,
) -> list[KillReport]:
    """The report of each Problem on the given tests, in order; `pool` is made by `mutant_pool`.

    `seed` decides the extra inputs; the mutants themselves depend on the reference and the tests alone. `together` is
    how many Problems may share a process, which is cheaper: more than one only for references that are our own.
    """
    prepared = [_prepare(problem, tests, max_mutants) for problem, tests in suites]
    trials = [item for item in prepared if isinstance(item, _Trial)]
    _run_out(trials, pool, seed, together)
    for trial in trials:
        survivors = [n for n, item in trial.fates.items() if item.fate == "survived"]
        if survivors and trial.problem.generator and not trial.unmeasured:
            trial.extra, trial.pending = [], [_Pending(number) for number in survivors]
    _run_out(trials, pool, seed, together)
    return [item.report() if isinstance(item, _Trial) else item for item in prepared]


def _prepare(problem: Problem, tests: Sequence[TestCase], max_mutants: int) -> _Trial | KillReport:
    cause = ""
    if not problem.reference:
        cause = "the Problem has no Python reference to make mutants of"
    elif not tests:
        cause = "the Problem has no tests"
    else:
        try:
            mutated = mutate(problem, tests, max_mutants)
            pending = [_Pending(number) for number in range(len(mutated.mutants))]
            return _Trial(problem, tests, mutated, parse_type(problem.returns), pending)
        except NoMutants as error:
            cause = str(error)
    return KillReport(problem=problem.slug, n_tests=len(tests), unmeasured=cause)


def _run_out(trials: Sequence[_Trial], pool: PythonPool, seed: int, together: int) -> None:
    """Run what is pending, and again what a lost process kept from running, until nothing is."""
    while waiting := [trial for trial in trials if trial.pending]:
        groups = [waiting[at : at + together] for at in range(0, len(waiting), together)]
        jobs = [_job(str(number), group, seed) for number, group in enumerate(groups)]
        for result in pool.run(jobs):
            _hear(groups[int(result.key)], result)


def _job(key: str, trials: Sequence[_Trial], seed: int) -> PythonJob:
    """Everything that is pending of some Problems: for each its base line, then its mutants."""
    expressions = []
    for which, trial in enumerate(trials):
        expressions.append(f"baseline({which})")
        expressions += [
            f"differs({which}, {number}, {item.start}, {item.most})"
            for number, item in enumerate(trial.pending)
        ]
    source = program(_subject(trial, seed) for trial in trials)
    return PythonJob(key=key, source=source, expressions=tuple(expressions))


def _subject(trial: _Trial, seed: int) -> Subject:
    problem, mutants = trial.problem, trial.reference.mutants
    return Subject(
        reference=trial.reference.source,
        mutants=[mutants[item.number].source for item in trial.pending],
        entry_point=problem.entry_point,
        inputs=[tuple(map(decode_typed, test.arguments)) for test in trial.tests],
        generator="" if trial.extra is None else problem.generator,
        seed=seed_for(seed, "mutants", problem.slug),
        count=EXTRA_DRAWS,
    )


def _hear(trials: Sequence[_Trial], result: PythonResult) -> None:
    """Settle what the process said; what it could not say any more stays pending."""
    answers = iter(result.expressions)
    for trial in trials:
        heard = [next(answers, result.load) for _ in range(1 + len(trial.pending))]
        if not _hear_one(trial, heard):
            return


def _hear_one(trial: _Trial, heard: Sequence[PythonExecution]) -> bool:
    """Settle what was said of one Problem; False when the process ended with it."""
    baseline, *answers = heard
    asked, trial.pending = trial.pending, []
    if baseline.status != "ok":
        if baseline.status == "infra_error":
            trial.unmeasured = INFRA
        elif trial.extra is None:
            trial.unmeasured = f"the reference could not be run on its tests: {baseline.error}"
        else:
            for item in asked:
                cause = f"the reference could not be run on drawn inputs: {baseline.error}"
                trial.settle(item.number, "survived", cause=cause)
        return False
    try:
        _hear_baseline(trial, baseline)
        if trial.unmeasured:
            return True
        for place, (item, answer) in enumerate(zip(asked, answers, strict=True)):
            if answer.status == "ok":
                _judge(trial, item, _differences(trial, answer))
            elif answer.status == "infra_error":
                trial.unmeasured, trial.pending = INFRA, []
                return False
            else:
                _end(trial, item, answer)
                trial.pending += asked[place + 1 :]
                return False
    except _NotAnAnswerError:
        trial.unmeasured, trial.pending = "its process sent answers that are none", []
    return True


class _NotAnAnswerError(Exception):
    """What came is not of the form that `confined` sends: the reference has meddled with its process."""


def _triples(execution: PythonExecution) -> list[tuple[Any, str, Any]]:
    """[.., kind, value] as sent. Raises: _NotAnAnswerError."""
    try:
        told = decode_typed(execution.value)
    except TypedJsonError as error:
        raise _NotAnAnswerError from error
    if not isinstance(told, list):
        raise _NotAnAnswerError
    for item in told:
        if not isinstance(item, tuple) or len(item) != 3 or not isinstance(item[1], str):
            raise _NotAnAnswerError
    return told


def _hear_baseline(trial: _Trial, baseline: PythonExecution) -> None:
    """The reference's own answers: those of the tests again, or those to drawn inputs, which are kept."""
    told = _triples(baseline)
    if trial.extra is not None:
        if any(not isinstance(arguments, tuple) for arguments, _, _ in told):
            raise _NotAnAnswerError
        trial.extra = told
        return
    if len(told) != len(trial.tests):
        raise _NotAnAnswerError
    trial.unmeasured = _unrepeated(trial, told)
    if baseline.duration_s > SLOW_S:
        trial.unmeasured = f"the reference takes {baseline.duration_s:.1f} s for its tests"


def _differences(trial: _Trial, answer: PythonExecution) -> list[tuple[Any, str, Any]]:
    """Where a mutant differs, by position in the inputs; -1 alone where it could not be loaded."""
    found = _triples(answer)
    limit = len(trial.tests if trial.extra is None else trial.extra)
    if trial.extra is None and [position for position, _, _ in found] == [-1]:
        return found
    if any(type(position) is not int or not 0 <= position < limit for position, _, _ in found):
        raise _NotAnAnswerError
    return found


def _unrepeated(trial: _Trial, told: Sequence[Any]) -> str:
    """Why the reference's own answers are not those of the tests; empty when they are."""
    for test, (_, kind, value) in zip(trial.tests, told, strict=True):
        cause = _difference(trial, test, kind, value)
        if cause:
            return f"the reference does not repeat its answer to test {test.index}: {cause}"
    return ""


def _end(trial: _Trial, item: _Pending, answer: PythonExecution) -> None:
    """A mutant with which the process ended, or whose answers could not be sent."""
    cause = f"{answer.status}: {answer.error or ''}".rstrip(": ")
    trial.settle(item.number, "killed" if trial.extra is None else "survived", cause=cause)


def _judge(trial: _Trial, item: _Pending, found: Sequence[Any]) -> None:
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
        trial.pending.append(_Pending(item.number, found[-1][0] + 1, ALL))
    else:
        trial.settle(item.number, "survived")


def _is_broken(kind: str, value: Any) -> bool:
    return kind == "no data" or (kind == "raised" and value in BROKEN)


def _judge_extra(trial: _Trial, item: _Pending, found: Sequence[Any]) -> None:
    """Whether a survivor is told from the reference by an input that is not among the tests."""
    assert trial.extra is not None
    types = [param.type for param in trial.problem.params]
    comparator = trial.tests[0].comparator
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
        trial.pending.append(_Pending(item.number, found[-1][0] + 1, ALL))
    elif len(trial.extra) >= MIN_EXTRA:
        trial.settle(item.number, "equivalent", cause=f"the same on {len(trial.extra)} inputs")
    else:
        trial.settle(
            item.number, "survived", cause=f"only {len(trial.extra)} other inputs could be drawn"
        )


def _difference(trial: _Trial, test: TestCase, kind: str, value: Any) -> str:
    """How an answer differs from what a test expects; empty when it does not."""
    return _compared(trial, decode_typed(test.expected), kind, value, test.comparator)


def _compared(trial: _Trial, expected: Any, kind: str, value: Any, comparator: str) -> str:
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
