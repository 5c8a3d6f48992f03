"""Rows for tests of the web project, and the records behind them; valid by default, every part can be named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from pipeline import records
from pipeline.config import RunConfig, resolve
from pipeline.rundir import RunDir, write_records
from qstudio.problems.models import Problem
from qstudio.problems.services import store_problem, store_solutions
from qstudio.runs.models import Run
from tests.qstudio.record_factories import (
    make_attempt_record,
    make_problem_record,
    make_prompt_record,
    make_test_case,
)

__all__ = [
    "make_attempt_record",
    "make_config",
    "make_problem",
    "make_problem_record",
    "make_prompt_record",
    "make_run",
    "make_solution",
    "make_test_case",
]


def make_problem(slug: str = "add-one", **fields: Any) -> Problem:
    """The row of such a Problem."""
    store_problem(make_problem_record(slug, **fields))
    return Problem.objects.get(slug=slug)


def make_solution(
    problem: str = "add-one", program: str = "f:{x+1}", **fields: Any
) -> records.Solution:
    """A reference Solution, stored."""
    solution = records.Solution(
        problem=problem, program=program, **({"origin": "reference"} | fields)
    )
    store_solutions([solution])
    return solution


def make_config(**sections: Any) -> RunConfig:
    """Settings of a Run over the set `sums`."""
    return resolve({"name": "test", "problems": {"sets": ["sums"]}, **sections})


def make_run(key: str = "20260101-test-00000001", **fields: Any) -> Run:
    """A Run with a directory that holds its settings and the Problems that are rows."""
    directory = RunDir.create(
        Path(fields.pop("directory", settings.OUTPUTS_DIR / key)), make_config()
    )
    write_records(directory.path / "problems.jsonl", [make_problem_record()])
    write_records(directory.path / "solutions.jsonl", [])
    values = {
        "name": "test",
        "config": make_config().model_dump(mode="json"),
        "directory": str(directory.path),
    }
    return Run.objects.create(key=key, **(values | fields))
