"""Answers of the Python references, from the sandbox: the only source of expected values.

Turns a Problem's generator into TestCases, for the tests that a Problem keeps and for the fresh inputs of one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipeline.comparators import NoComparator, comparator_for_new_inputs
from pipeline.records import Problem, TestCase, Visibility, content_hash
from pipeline.typed_values import (
    TypedJsonError,
    UnrepresentableValue,
    decode_typed,
    encode_typed,
    to_wire,
    to_wire_arguments,
)
from q_runtime import PythonJob, PythonPool

TOGETHER = 100
"""References that share one process where that is allowed."""

_DRAWN = """
def drawn(index):
    reference, entry_point, generator = SOURCES[index]
    names = {}
    exec(reference, names)
    exec(generator, names)
    pairs = []
    for number in range(COUNT):
        try:
            arguments = names["generate"](random.Random(f"{SEED}:{number}"))
            pairs.append((arguments, names[entry_point](*arguments)))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            continue  # an input that the reference has no answer for is no test
    return pairs
"""


def drawn_tests(
    problems: Iterable[Problem],
    pool: PythonPool,
    count: int,
    seed: int,
    first_index: int,
    visibility: Visibility = "hidden",
) -> Iterator[tuple[str, tuple[TestCase, ...]]]:
    """Draw `count` inputs per Problem with a generator and let its reference answer them.

    Inputs on which the reference fails, which q cannot hold or answer, or which repeat a stored test or each other, are
    left out. Nothing is drawn for Problems of which `undrawable` says why not.
    Yields (slug, tests) in any order; the tests are numbered on from `first_index`.
    """
    wanted = {problem.slug: problem for problem in problems if not undrawable(problem)}
    jobs = (
        PythonJob(
            key=problem.slug,
            source=problem.reference,
            entry_point=problem.entry_point,
            generator={"source": problem.generator, "seed": seed, "count": count},
        )
        for problem in wanted.values()
    )
    for result in pool.run(jobs):
        problem = wanted[str(result.key)]
        comparator = comparator_for_new_inputs(test.comparator for test in problem.tests)
        seen = {content_hash(list(test.arguments)) for test in problem.tests}
        tests: list[TestCase] = []
        for call in result.calls:
            arguments = call.arguments
            if call.status != "ok" or arguments is None or _is_repeat(arguments, seen):
                continue
            if not _exists_in_q(problem, arguments, call.value):
                continue
            tests.append(
                TestCase(
                    index=first_index + len(tests),
                    visibility=visibility,
                    arguments=tuple(arguments),
                    expected=call.value,
                    comparator=comparator,
                )
            )
        yield problem.slug, tuple(tests)


def drawn_together(
    problems: Iterable[Problem], pool: PythonPool, count: int, seed: int
) -> Iterator[tuple[str, tuple[TestCase, ...]]]:
    """`drawn_tests` for many Problems whose Python we made ourselves: a hundred share one sandboxed process.

    A process per reference is what keeps strangers' references apart; rows that were put together from accepted
    ones need no such wall between them, and there are thousands of them in every round.
    """
    queue = list(problems)
    batches = {str(at): queue[at : at + TOGETHER] for at in range(0, len(queue), TOGETHER)}
    jobs = [
        PythonJob(
            key=key,
            source=_together_source(batch, count, seed),
            expressions=tuple(f"drawn({index})" for index in range(len(batch))),
        )
        for key, batch in batches.items()
    ]
    for result in pool.run(jobs):
        for problem, answer in zip(batches[result.key], result.expressions, strict=False):
            if answer.status == "ok":
                yield problem.slug, _tests_of(decode_typed(answer.value))


def undrawable(problem: Problem) -> str:
    """Why no tests can be drawn for a Problem, in a sentence without its stop; empty when they can."""
    if not problem.reference:
        return "the Problem has no Python reference"
    if not problem.generator:
        return "the Problem has no input generator"
    try:
        comparator_for_new_inputs(test.comparator for test in problem.tests)
    except NoComparator as error:
        return f"{error}, so nothing says which answers to a new input are right"
    return ""


def largest_answer_share(tests: Iterable[TestCase]) -> float:
    """Share of the commonest expected value: near 1 the tests tell little. 1.0 for no tests."""
    answers = [content_hash(test.expected) for test in tests]
    return max((answers.count(answer) for answer in set(answers)), default=1) / max(1, len(answers))


def _together_source(batch: Sequence[Problem], count: int, seed: int) -> str:
    sources = [(problem.reference, problem.entry_point, problem.generator) for problem in batch]
    return f"import random\nSOURCES = {sources!r}\nSEED, COUNT = {seed}, {count}\n{_DRAWN}"


def _tests_of(pairs: Iterable[tuple[Any, Any]]) -> tuple[TestCase, ...]:
    """TestCases from (arguments, answer) pairs of Python values, without repeats."""
    seen: set[str] = set()
    tests: list[TestCase] = []
    for arguments, answer in pairs:
        encoded = tuple(encode_typed(argument) for argument in arguments)
        if not _is_repeat(encoded, seen):
            tests.append(
                TestCase(
                    index=len(tests),
                    visibility="hidden",
                    arguments=encoded,
                    expected=encode_typed(answer),
                )
            )
    return tuple(tests)


def _exists_in_q(problem: Problem, arguments: Sequence[Any], answer: Any) -> bool:
    """Whether q has values for encoded arguments and their answer: no Program could be asked otherwise."""
    try:
        to_wire_arguments(list(map(decode_typed, arguments)), [p.type for p in problem.params])
        to_wire(decode_typed(answer), problem.returns)
    except (TypedJsonError, UnrepresentableValue):
        return False
    return True


def _is_repeat(arguments: Any, seen: set[str]) -> bool:
    key = content_hash(list(arguments))
    if key in seen:
        return True
    seen.add(key)
    return False
