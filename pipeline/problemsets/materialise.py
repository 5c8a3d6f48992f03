"""From a built-in set's sources to stored TestCases: the references answer, in the sandbox, under fixed seeds.

A Problem's examples become its public TestCases, filled up with generated ones where there are few; further generated
inputs make the hidden ones. The same sources give the same tests on every machine. What this deliberately does not do:
run q, or draw the fresh inputs of a Run (`references`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.errors import RecordError
from pipeline.problemsets.source import ProblemSource
from pipeline.records import Problem, Solution, TestCase, content_hash
from pipeline.seeds import seed_for
from pipeline.typed_values import (
    UnrepresentableValue,
    decode_typed,
    encode_typed,
    to_wire,
    to_wire_arguments,
)
from q_runtime import PythonExecution, PythonJob, PythonPool, PythonResult

N_DRAWN = 48
"""Inputs drawn per Problem, from which the hidden TestCases are taken."""
MIN_PUBLIC = 3
N_HIDDEN = 12
MIN_TESTS = 10
SET_SEED = 20_260_101
"""Fixes the hidden TestCases: another seed is another problem set."""
LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class MaterialisedProblem:
    """A source with its TestCases, the public ones first."""

    source: ProblemSource
    tests: tuple[TestCase, ...]

    def problem(self, problem_set: str) -> Problem:
        """The record of this Problem in the named set."""
        source = self.source
        return Problem(
            slug=source.slug,
            title=source.title,
            statement=source.statement,
            entry_point=source.entry_point,
            params=source.params,
            returns=source.returns,
            reference=source.reference,
            generator=source.generator,
            tests=self.tests,
            problem_set=problem_set,
            split=source.split,
            group=source.group or source.slug,
            difficulty=source.difficulty,
            tags=source.tags,
            source=f"built-in set {problem_set}",
            licence=LICENCE,
        )

    def solution(self, problem_set: str) -> Solution | None:
        """The record of the set's own Solution, where there is one."""
        if self.source.solution is None:
            return None
        return Solution(
            problem=self.source.slug,
            program=self.source.solution,
            origin="reference",
            provenance={"source": f"built-in set {problem_set}", "licence": LICENCE},
        )


def materialise(sources: Iterable[ProblemSource], pool: PythonPool) -> list[MaterialisedProblem]:
    """Answer the examples and the generated inputs of all sources; the result is in the order of the sources.

    Raises:
        RecordError: a reference fails or contradicts an example, a value has no q form, or too few different
            inputs were generated; the message names the Problem.
    """
    by_slug = {source.slug: source for source in sources}
    done = {
        str(result.key): _with_tests(by_slug[str(result.key)], result)
        for result in pool.run(map(_job, by_slug.values()))
    }
    missing = next((slug for slug in by_slug if slug not in done), None)
    if missing is not None:
        raise RecordError(f"{missing}: the sandbox returned no answers; try again")
    return [done[slug] for slug in by_slug]


def _job(source: ProblemSource) -> PythonJob:
    return PythonJob(
        key=source.slug,
        source=source.reference,
        entry_point=source.entry_point,
        calls=tuple(tuple(map(encode_typed, arguments)) for arguments in source.examples),
        generator={
            "source": source.generator,
            "seed": seed_for(SET_SEED, "tests", source.slug),
            "count": N_DRAWN,
        },
    )


def _with_tests(source: ProblemSource, result: PythonResult) -> MaterialisedProblem:
    if result.load.status != "ok":
        raise RecordError(f"{source.slug}: the reference cannot be loaded: {result.load.error}")
    n_examples = len(source.examples)
    n_public = max(n_examples, MIN_PUBLIC)
    tests: list[TestCase] = []
    seen: set[str] = set()
    for position, call in enumerate(result.calls):
        key = content_hash(list(_arguments(call)))
        if key in seen or len(tests) == n_public + N_HIDDEN:
            continue
        seen.add(key)
        origin = "example" if position < n_examples else "reference"
        tests.append(_test(source, len(tests), call, n_public, origin))
    _check_examples(source, tests)
    n_hidden = len(tests) - n_public
    if len(tests) < MIN_TESTS or n_hidden < n_public:
        raise RecordError(
            f"{source.slug}: only {n_hidden} different inputs in {N_DRAWN} from the generator; "
            "let it vary more"
        )
    return MaterialisedProblem(source, tuple(tests))


def _check_examples(source: ProblemSource, tests: list[TestCase]) -> None:
    """The reference must agree with the answers that a person worked out."""
    for test, expected in zip(tests, source.expected, strict=False):
        if decode_typed(test.expected) != expected:
            raise RecordError(
                f"{source.slug}: examples[{test.index}]: the reference answers {test.expected!r}, "
                f"the example says {expected!r}"
            )


def _test(
    source: ProblemSource, index: int, call: PythonExecution, n_public: int, origin: str
) -> TestCase:
    """The TestCase that one answered call makes."""
    arguments = _arguments(call)
    if call.status != "ok":
        raise RecordError(f"{source.slug}: the reference fails on {arguments!r}: {call.error}")
    types = [param.type for param in source.params]
    try:
        to_wire_arguments(list(map(decode_typed, arguments)), types)
        to_wire(decode_typed(call.value), source.returns)
    except UnrepresentableValue as error:
        raise RecordError(f"{source.slug}: on {arguments!r}: {error}") from error
    return TestCase(
        index=index,
        visibility="public" if index < n_public else "hidden",
        arguments=arguments,
        expected=call.value,
        comparator=source.comparator,
        origin=origin,
    )


def _arguments(call: PythonExecution) -> tuple[Any, ...]:
    """Encoded arguments; none when the generator itself failed."""
    return tuple(call.arguments or ())
