"""Attempts that cannot be judged through a fault of ours: some are borne, more of them end the run, and it resumes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.config import resolve
from pipeline.errors import GradingError
from pipeline.records import Attempt, Completion, Problem, Prompt
from pipeline.reporting import Reporter
from pipeline.rundir import RunDir, read_records, write_records
from pipeline.stages.context import RunContext, open_context
from pipeline.stages.sampling import DrawPlan, draw_attempts
from tests.q_runtime.sandbox.processes import is_busy, kill, wait_until_gone, workers_of
from tests.qstudio.record_factories import make_problem_record, make_prompt_record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

GOOD = "f:{x+1}"
SLOW = "f:{i:0; while[i<100000; i+:1; j:sum til 50]; x+1}"
"""As good, and long enough at work to be found there."""


class FixedGenerator:
    """A policy that writes these Programs."""

    prompt_format = "plain"

    def __init__(self, *programs: str) -> None:
        self.programs = programs

    def prompt(self, problem: Problem) -> Prompt:
        return make_prompt_record(problem.slug)

    def sample(
        self, prompts: Sequence[str], n: int, temperature: float, max_new_tokens: int, seed: int
    ) -> list[list[Completion]]:
        drawn = [
            Completion(
                text=text, n_tokens=9, finish_reason="stop", sampling_seed=seed, temperature=1.0
            )
            for text in self.programs[:n]
        ]
        return [drawn for _ in prompts]


@contextmanager
def opened(path: Path, max_infra_share: float) -> Iterator[RunContext]:
    config = resolve(
        {
            "problems": {"sets": ["sums"]},
            "execution": {"workers": 1, "time_s": 60.0},
            "loop": {"max_infra_share": max_infra_share},
        }
    )
    rundir = RunDir(path) if path.exists() else RunDir.create(path, config)
    write_records(path / "problems.jsonl", [make_problem_record()])
    with open_context(rundir, Reporter(rundir)) as context:
        yield context


@contextmanager
def workers_killed_at_work(context: RunContext) -> Iterator[None]:
    """Meanwhile every worker that is at work for long is killed."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for pid in filter(is_busy, workers_of(context.judge._engine._template.pid)):  # type: ignore[attr-defined]
                kill(pid)
                wait_until_gone([pid])

    killer = threading.Thread(target=work)
    killer.start()
    yield
    over.set()
    killer.join()


def drawn(context: RunContext, *programs: str) -> list[str]:
    """The Verdicts on these Programs, as a stage draws them."""
    path = context.path / "attempts.jsonl"
    plan = DrawPlan("sampling", 1, "policy", path, len(programs), 1.0, 40, 8, seed=0)
    attempts = draw_attempts(context, FixedGenerator(*programs), list(context.train), plan)
    assert list(read_records(path, Attempt)) == attempts
    return [attempt.verdict.kind.value for attempt in attempts]


def test_too_many_faults_of_ours_end_the_run_and_a_resumed_one_judges_again(tmp_path):
    with opened(tmp_path / "run", max_infra_share=0.2) as context:
        with workers_killed_at_work(context), pytest.raises(GradingError) as raised:
            drawn(context, GOOD, SLOW, GOOD)
        assert not (context.path / "attempts.jsonl").exists()
    assert str(raised.value).startswith(
        "1 of 3 Attempts could not be judged through a fault of ours, "
        "more than loop.max_infra_share = 0.2 allows; the last: "
    )

    with opened(tmp_path / "run", max_infra_share=0.2) as context:
        assert drawn(context, GOOD, SLOW, GOOD) == ["passed"] * 3


def test_a_few_faults_of_ours_are_borne_and_counted_apart(tmp_path):
    with opened(tmp_path / "run", max_infra_share=0.5) as context, workers_killed_at_work(context):
        assert drawn(context, GOOD, SLOW, GOOD) == ["passed", "infra_error", "passed"]
