"""Kill rates: every mutant answers the tests in the sandbox, the survivors `EXTRA_DRAWS` further inputs (`trial`).

One process serves all mutants of a reference, or of several references that are our own. Where it ends early, the
mutant that ran has been killed, and those that it kept from running are run again without it. What this deliberately
does not do: decide what an answer means (`trial`) or what rate is enough (`strictness`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.mutation.confined import Subject, program
from pipeline.mutation.mutants import NoMutants, mutate
from pipeline.mutation.report import KillReport
from pipeline.mutation.trial import INFRA, Pending, Trial, end_with, judge, unrepeated
from pipeline.records import Problem, TestCase
from pipeline.seeds import seed_for
from pipeline.typed_values import TypedJsonError, decode_typed, parse_type
from q_runtime import Limits, PythonExecution, PythonJob, PythonPool, PythonResult

EXTRA_DRAWS = 200
"""Inputs drawn for the survivors."""
TIME_S = 10.0
"""Longest time of one mutant for all its inputs, in seconds; a count of passes ends nearly all that would never end."""
SLOW_S = TIME_S / 4
"""A reference that needs longer for its tests has no kill rate: its mutants might be stopped for being slow alone."""
JOB_TIME_S = 600.0


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
    trials = [item for item in prepared if isinstance(item, Trial)]
    _run_out(trials, pool, seed, together)
    for trial in trials:
        survivors = [n for n, item in trial.fates.items() if item.fate == "survived"]
        if survivors and trial.drawn_comparator is not None and not trial.unmeasured:
            trial.extra, trial.pending = [], [Pending(number) for number in survivors]
    _run_out(trials, pool, seed, together)
    return [item.report() if isinstance(item, Trial) else item for item in prepared]


def _prepare(problem: Problem, tests: Sequence[TestCase], max_mutants: int) -> Trial | KillReport:
    cause = ""
    if not problem.reference:
        cause = "the Problem has no Python reference to make mutants of"
    elif not tests:
        cause = "the Problem has no tests"
    else:
        try:
            mutated = mutate(problem, tests, max_mutants)
            pending = [Pending(number) for number in range(len(mutated.mutants))]
            return Trial(problem, tests, mutated, parse_type(problem.returns), pending)
        except NoMutants as error:
            cause = str(error)
    return KillReport(problem=problem.slug, n_tests=len(tests), unmeasured=cause)


def _run_out(trials: Sequence[Trial], pool: PythonPool, seed: int, together: int) -> None:
    """Run what is pending, and again what a lost process kept from running, until nothing is."""
    while waiting := [trial for trial in trials if trial.pending]:
        groups = [waiting[at : at + together] for at in range(0, len(waiting), together)]
        jobs = [_job(str(number), group, seed) for number, group in enumerate(groups)]
        for result in pool.run(jobs):
            _hear(groups[int(result.key)], result)


def _job(key: str, trials: Sequence[Trial], seed: int) -> PythonJob:
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


def _subject(trial: Trial, seed: int) -> Subject:
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


def _hear(trials: Sequence[Trial], result: PythonResult) -> None:
    """Settle what the process said; what it could not say any more stays pending."""
    answers = iter(result.expressions)
    for trial in trials:
        heard = [next(answers, result.load) for _ in range(1 + len(trial.pending))]
        if not _hear_one(trial, heard):
            return


def _hear_one(trial: Trial, heard: Sequence[PythonExecution]) -> bool:
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
                judge(trial, item, _differences(trial, answer))
            elif answer.status == "infra_error":
                trial.unmeasured, trial.pending = INFRA, []
                return False
            else:
                end_with(trial, item, answer)
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


def _hear_baseline(trial: Trial, baseline: PythonExecution) -> None:
    """The reference's own answers: those of the tests again, or those to drawn inputs, which are kept."""
    told = _triples(baseline)
    if trial.extra is not None:
        if any(not isinstance(arguments, tuple) for arguments, _, _ in told):
            raise _NotAnAnswerError
        trial.extra = told
        return
    if len(told) != len(trial.tests):
        raise _NotAnAnswerError
    trial.unmeasured = unrepeated(trial, told)
    if baseline.duration_s > SLOW_S:
        trial.unmeasured = f"the reference takes {baseline.duration_s:.1f} s for its tests"


def _differences(trial: Trial, answer: PythonExecution) -> list[tuple[Any, str, Any]]:
    """Where a mutant differs, by position in the inputs; -1 alone where it could not be loaded."""
    found = _triples(answer)
    limit = len(trial.tests if trial.extra is None else trial.extra)
    if trial.extra is None and [position for position, _, _ in found] == [-1]:
        return found
    if any(type(position) is not int or not 0 <= position < limit for position, _, _ in found):
        raise _NotAnAnswerError
    return found
