"""The demo's claim, for three seeds: the loop itself, and not more training, teaches the policy.

Marked slow: each seed is the whole demo preset, some minutes on two cores. Run it with `make test ARGS="-m slow"`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest

from pipeline.config import load_preset
from pipeline.problemsets.demo.family import build_family
from pipeline.problemsets.materialise import MaterialisedProblem, materialise
from pipeline.records import Solution
from pipeline.rundir import RunDir, write_records
from q_runtime import PythonPool
from tests.pipeline.runs import carry_out

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@lru_cache(maxsize=1)
def whole_family() -> tuple[MaterialisedProblem, ...]:
    with PythonPool(n_workers=2) as pool:
        return tuple(materialise(build_family(seed=0).problems, pool))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_loop_beats_the_base_line_of_equal_steps(tmp_path: Path, seed: int) -> None:
    rundir = RunDir.create(tmp_path / "run", load_preset("demo", [f"seed={seed}"]))
    write_records(rundir.path / "problems.jsonl", [m.problem("demo") for m in whole_family()])
    seeds = [
        Solution(problem=source.slug, program=source.solution, origin="reference")
        for source in build_family(seed).seeds
        if source.solution is not None
    ]
    write_records(rundir.path / "solutions.jsonl", seeds)

    assert carry_out(rundir) == 0

    findings = (rundir.path / "final_report.json").read_text()
    report = json.loads(findings)
    assert len(report["iterations"]) >= 3, findings
    assert report["solved_total"] >= 2 * report["seeds"], findings
    assert report["paired"]["ci"][0] > 0, findings
    assert report["base_equal_steps"]["steps"] >= report["final"]["steps"], findings
