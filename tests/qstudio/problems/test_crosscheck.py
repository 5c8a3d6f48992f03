"""Two engines on real Solutions: those of the starter set, embedded and with a q process for each."""

from __future__ import annotations

import pytest

from pipeline.config import ExecutionConfig
from pipeline.judging import Candidate, Judge
from pipeline.problemsets.materialise import materialise
from pipeline.problemsets.starter_set import load_starter
from pipeline.suite import TestSuite
from q_runtime import PythonPool
from qstudio.problems.crosscheck import disagreement
from tests.qstudio.processes import REPOSITORY

EVERY = 11
"""One of so many Problems: a process for each Program takes its time."""


def test_engines_agree_on_solutions_of_the_starter_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QSTUDIO_Q_BINARY", str(REPOSITORY / "q_runtime" / "bin" / "q"))
    with PythonPool(n_workers=1) as pool:
        members = materialise(load_starter()[::EVERY], pool)
    suites = {item.source.slug: TestSuite(item.problem("starter")) for item in members}
    solutions = [item.solution("starter") for item in members]
    candidates = [Candidate(known.problem, known.program) for known in solutions if known]
    verdicts = []
    for engine in ("embedded", "kdb_process"):
        with Judge(ExecutionConfig(engine=engine, workers=1, time_s=20.0)) as judge:
            verdicts.append(judge.judge(candidates, suites))

    assert len(candidates) >= 10
    assert {verdict.kind.value for verdict in verdicts[0]} == {"passed"}
    assert [disagreement(*pair) for pair in zip(*verdicts, strict=True)] == [""] * len(candidates)
