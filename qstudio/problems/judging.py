"""Programs against stored Problems, through the pipeline's own Judge: for verifying files and offered Solutions."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from itertools import islice

from pipeline.config import ExecutionConfig
from pipeline.graders import DEFAULT_GRADER
from pipeline.judging import Candidate, Judge
from pipeline.records import Problem, Verdict
from pipeline.suite import TestSuite

CHUNK = 256
"""Candidates that are judged before the first of them is answered."""


def judge_programs(
    candidates: Iterable[Candidate],
    problems: Mapping[str, Problem],
    engine: str = "embedded",
    grader: str = DEFAULT_GRADER,
    chunk_size: int = CHUNK,
) -> Generator[tuple[Candidate, Verdict], None, None]:
    """A Verdict per Candidate, in order. Raises: GradingError when engine or grader cannot be used."""
    suites: dict[str, TestSuite] = {}
    iterator = iter(candidates)
    with Judge(ExecutionConfig(engine=engine), grader) as judge:
        while chunk := list(islice(iterator, chunk_size)):
            for candidate in chunk:
                if candidate.problem not in suites:
                    suites[candidate.problem] = TestSuite(problems[candidate.problem])
            yield from zip(chunk, judge.judge(chunk, suites), strict=True)
