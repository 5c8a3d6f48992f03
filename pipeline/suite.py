"""The tests of one Problem, prepared once and used for many Programs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from pipeline.graders import DEFAULT_GRADER, GRADERS, Grader
from pipeline.grading import grade, grade_no_program, make_job
from pipeline.records import Problem, TestCase, Verdict, content_hash
from q_runtime import ProgramResult, QJob


class TestSuite:
    """A Problem with the TestCases that decide here: its own, or others such as fresh inputs."""

    __test__ = False  # not a pytest class

    def __init__(self, problem: Problem, tests: Iterable[TestCase] | None = None) -> None:
        self.problem = problem
        self.tests = problem.tests if tests is None else tuple(tests)

    @cached_property
    def tests_hash(self) -> str:
        """Content hash of the TestCases: two Verdicts compare only under the same tests."""
        return content_hash([test.model_dump(mode="json") for test in self.tests])

    @cached_property
    def _prepared(self) -> QJob:
        return make_job("", self.problem, "", self.tests)

    def job(self, key: str, program: str) -> QJob:
        """The sandbox job for one Program. Raises: GradingError when an argument has no q value."""
        return QJob(
            key=key,
            program=program,
            entry_point=self._prepared.entry_point,
            calls=self._prepared.calls,
        )

    def grade(
        self,
        result: ProgramResult,
        engine: str,
        engine_version: str,
        grader: Grader = GRADERS[DEFAULT_GRADER],
    ) -> Verdict:
        """The Verdict on what a Program did."""
        return grade(
            self.tests,
            self.problem.returns,
            result,
            engine=engine,
            engine_version=engine_version,
            tests_hash=self.tests_hash,
            grader=grader,
        )

    def no_program(
        self, engine: str, engine_version: str, grader: Grader = GRADERS[DEFAULT_GRADER]
    ) -> Verdict:
        """The Verdict on a Completion without a Program."""
        return grade_no_program(
            self.tests,
            engine=engine,
            engine_version=engine_version,
            tests_hash=self.tests_hash,
            grader=grader,
        )
