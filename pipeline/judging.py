"""Programs against Problems: runs the sandbox, asks the grader, and never runs the same Program twice.

A `Judge` holds one q engine with its workers, and a grader. It is the only path in the pipeline by which q is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from pipeline.config import ExecutionConfig
from pipeline.engines import start_engine
from pipeline.errors import GradingError, GradingPaused
from pipeline.graders import DEFAULT_GRADER, find_grader
from pipeline.records import Verdict
from pipeline.suite import TestSuite
from q_runtime import ENGINE_NAMES, EngineUnavailable

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Candidate:
    """One Program to be judged for one Problem; None stands for a Completion without a Program."""

    problem: str
    program: str | None


class Judge:
    """Verdicts for Candidates; a context manager that owns the workers."""

    def __init__(self, execution: ExecutionConfig, grader: str = DEFAULT_GRADER) -> None:
        """Start the workers.

        Raises: GradingError when there is no such grader or engine, GradingPaused when the engine cannot be used now.
        """
        self.grader = find_grader(grader)
        if execution.engine not in ENGINE_NAMES:
            names = ", ".join(ENGINE_NAMES)
            raise GradingError(f"there is no q engine {execution.engine!r}; choose one of {names}")
        try:
            self._engine = start_engine(execution)
        except EngineUnavailable as error:
            raise GradingPaused(
                f"grading is paused: the q engine {execution.engine!r} cannot be used: {error}"
            ) from error
        self.engine = execution.engine
        self.engine_version = self._engine.version
        self._known: dict[tuple[str, str, str], Verdict] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engine.close()

    def judge(
        self,
        candidates: Sequence[Candidate],
        suites: Mapping[str, TestSuite],
        on_progress: Progress = lambda done: None,
    ) -> list[Verdict]:
        """One Verdict per Candidate, in order; equal Candidates are executed once.

        A fault of ours is tried again the next time the same Program is asked about: it is not remembered.
        Raises: GradingPaused when the engine went away; no Program has a Verdict because of it.
        """
        found: dict[Candidate, Verdict] = {}
        owed: dict[Candidate, None] = {}
        for candidate in candidates:
            suite = suites[candidate.problem]
            if candidate.program is None:
                found[candidate] = suite.no_program(self.engine, self.engine_version, self.grader)
            elif known := self._known.get((candidate.problem, candidate.program, suite.tests_hash)):
                found[candidate] = known
            else:
                owed[candidate] = None
        for done, (candidate, verdict) in enumerate(self._run(list(owed), suites), start=1):
            found[candidate] = verdict
            if verdict.kind.is_scored and candidate.program is not None:
                key = (candidate.problem, candidate.program, suites[candidate.problem].tests_hash)
                self._known[key] = verdict
            on_progress(done)
        return [found[candidate] for candidate in candidates]

    def _run(
        self, candidates: Sequence[Candidate], suites: Mapping[str, TestSuite]
    ) -> Iterable[tuple[Candidate, Verdict]]:
        jobs = (
            suites[candidate.problem].job(str(index), candidate.program or "")
            for index, candidate in enumerate(candidates)
        )
        try:
            for result in self._engine.run(jobs):
                candidate = candidates[int(result.key)]
                suite = suites[candidate.problem]
                verdict = suite.grade(result, self.engine, self.engine_version, self.grader)
                yield candidate, verdict
        except EngineUnavailable as error:
            raise GradingPaused(
                f"grading is paused: the q engine {self.engine!r} went away: {error}"
            ) from error
