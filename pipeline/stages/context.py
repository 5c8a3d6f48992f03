"""What every stage of one run shares: settings, Problems, Solutions, workers, and the reporter.

Problems and Solutions come from the run directory alone. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline.config import RunConfig
from pipeline.errors import RunDirError
from pipeline.generators.base import Generator
from pipeline.judging import Judge
from pipeline.records import Checkpoint, Problem, Solution, Split, content_hash
from pipeline.reporting import Reporter
from pipeline.rundir import RunDir, read_records
from pipeline.suite import TestSuite
from q_runtime import Limits, PythonPool

SEEDS = "solutions.jsonl"
"""The Solutions that a run knows from the start."""
INITIAL = "initial"
EQUAL_STEPS_BASE = "equal_steps_base"


@dataclass
class RunContext:
    """One run in one process."""

    rundir: RunDir
    config: RunConfig
    reporter: Reporter
    problems: dict[str, Problem]
    """All Problems of the snapshot, by slug."""
    seeds: tuple[Solution, ...]
    """Solutions that were known before the run."""
    judge: Judge
    python_pool: PythonPool
    suites: dict[str, TestSuite] = field(default_factory=dict)
    _generator: tuple[str, Generator] | None = None

    @property
    def path(self) -> Path:
        return self.rundir.path

    @cached_property
    def train(self) -> tuple[Problem, ...]:
        """Training Problems of the run's own sets; a limited number is drawn by hash, seeds or not."""
        found = sorted(self._split("train"), key=lambda problem: problem.slug)
        limit = self.config.problems.max_train
        if limit is not None:
            found = sorted(found, key=lambda problem: content_hash(problem.slug))[:limit]
        return tuple(found)

    def held_out(self, split: Split) -> tuple[Problem, ...]:
        """The Problems of `dev` or `test` that a policy is measured on."""
        limit = self.config.problems.max_dev if split == "dev" else self.config.problems.max_test
        return tuple(sorted(self._split(split), key=lambda problem: problem.slug)[:limit])

    @cached_property
    def usable_seeds(self) -> tuple[Solution, ...]:
        """Seeds whose Problem is trained on: of the run's training Problems, or of a seed set."""
        own = {problem.slug for problem in self.train}
        lent = {
            p.slug
            for p in self.problems.values()
            if p.problem_set in self.config.problems.seed_sets
        }
        return tuple(solution for solution in self.seeds if solution.problem in own | lent)

    def iteration_dir(self, index: int) -> Path:
        """Where one Iteration's outputs live."""
        return self.path / "iterations" / f"{index:03d}"

    def relative(self, path: Path) -> str:
        """A path as it is written in records."""
        return path.relative_to(self.path).as_posix()

    def suite(self, slug: str) -> TestSuite:
        """The stored tests of a Problem, prepared for the sandbox."""
        if slug not in self.suites:
            self.suites[slug] = TestSuite(self.problems[slug])
        return self.suites[slug]

    def suites_of(self, problems: Sequence[Problem]) -> dict[str, TestSuite]:
        """The stored tests of several Problems."""
        return {problem.slug: self.suite(problem.slug) for problem in problems}

    def weights(self, checkpoint: Checkpoint) -> str:
        """Where a Checkpoint's weights are: below the run directory, or the base model itself."""
        return checkpoint.path if checkpoint.role == "base" else str(self.path / checkpoint.path)

    def generator(self, checkpoint: Checkpoint) -> Generator:
        """A Generator for a Checkpoint; one policy is held in memory at a time."""
        if self._generator is None or self._generator[0] != checkpoint.id:
            from pipeline.generators.hf import HFGenerator

            self.release_generator()
            config = self.config
            loaded = HFGenerator(
                self.weights(checkpoint),
                config.compute,
                config.policy.prompt_format,
                config.execution.workers,
            )
            self._generator = (checkpoint.id, loaded)
        return self._generator[1]

    def release_generator(self) -> None:
        """Free the memory of the policy that was sampled, before another is trained."""
        self._generator = None

    def _split(self, split: Split) -> list[Problem]:
        sets = self.config.problems.sets
        return [p for p in self.problems.values() if p.split == split and p.problem_set in sets]


@contextmanager
def open_context(rundir: RunDir, reporter: Reporter) -> Iterator[RunContext]:
    """Load the snapshot and start the workers. Raises: PipelineError."""
    config = rundir.config()
    problems = {p.slug: p for p in read_records(rundir.path / "problems.jsonl", Problem)}
    if not problems:
        raise RunDirError(
            f"{rundir.path} has no Problems in problems.jsonl; load or import the set first"
        )
    seeds = tuple(read_records(rundir.path / SEEDS, Solution))
    execution = config.execution
    limits = Limits(time_s=execution.time_s, memory_mb=execution.memory_mb)
    with ExitStack() as stack:
        judge = stack.enter_context(Judge(execution))
        python_pool = stack.enter_context(PythonPool(n_workers=execution.workers, limits=limits))
        yield RunContext(rundir, config, reporter, problems, seeds, judge, python_pool)
