"""Real runs for tests: a run directory over a small part of the demo family, and the process that works in it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from pipeline.config import RunConfig, load_preset
from pipeline.problemsets.demo.family import build_family
from pipeline.problemsets.materialise import MaterialisedProblem, materialise
from pipeline.problemsets.source import ProblemSource
from pipeline.rundir import RunDir, write_records
from q_runtime import PythonPool

REPOSITORY = Path(__file__).resolve().parent.parent.parent
N_TRAIN, N_HELD_OUT = 24, 4


@lru_cache(maxsize=1)
def small_family() -> tuple[MaterialisedProblem, ...]:
    """Some seeds, some unsolved training Problems, a few of dev and of test."""
    problems = build_family(seed=0).problems
    train = [p for p in problems if p.split == "train"]
    seeds = [p for p in train if p.seeded][: N_TRAIN // 2]
    unsolved = [p for p in train if not p.seeded][: N_TRAIN // 2]
    held_out: list[ProblemSource] = []
    for split in ("dev", "test"):
        held_out += [p for p in problems if p.split == split][:N_HELD_OUT]
    with PythonPool(n_workers=1) as pool:
        return tuple(materialise([*seeds, *unsolved, *held_out], pool))


def smoke_config(*overrides: str) -> RunConfig:
    """The smoke preset on one thread, so that test processes side by side do not slow each other down."""
    fixed = [
        "problems.max_train=null",
        "compute.threads=1",
        "execution.workers=1",
        "acceptance.fresh_inputs=4",
    ]
    return load_preset("smoke", [*fixed, *overrides])


def make_run(path: Path, config: RunConfig) -> RunDir:
    """A run directory as the launcher writes it."""
    rundir = RunDir.create(path, config)
    members = small_family()
    write_records(path / "problems.jsonl", [member.problem("demo") for member in members])
    solutions = [member.solution("demo") for member in members]
    write_records(
        path / "solutions.jsonl", [solution for solution in solutions if solution is not None]
    )
    return rundir


def start(rundir: RunDir) -> subprocess.Popen[str]:
    """`python -m pipeline run DIR`, as a worker starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", str(rundir.path)],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )


def carry_out(rundir: RunDir) -> int:
    """Run to the end; returns the exit code, and shows the log of a run that failed."""
    process = start(rundir)
    output, _ = process.communicate()
    if process.returncode not in (0, 3):
        sys.stderr.write(output)
    return process.returncode
