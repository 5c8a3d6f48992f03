"""The final report: what is compared, and what is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipeline.config import EvaluationConfig
from pipeline.records import Evaluation
from pipeline.stages import report


def make_evaluation(grader: str, passed: int) -> Evaluation:
    return Evaluation(
        id=f"{grader}{passed}",
        iteration=0,
        policy="p",
        split="test",
        n_problems=8,
        n_samples=4,
        temperature=0.8,
        pass_at={},
        pass_at_all_in={},
        verdicts={},
        per_problem={f"problem-{n}": (4, passed) for n in range(8)},
        grader=grader,
        engine="embedded",
        engine_version="1",
        prompt_format="plain",
    )


def paired(first: Evaluation, second: Evaluation) -> Any:
    context: Any = SimpleNamespace(config=SimpleNamespace(evaluation=EvaluationConfig()))
    return report._paired(context, first, second)


def test_scores_of_one_grader_are_paired() -> None:
    found = paired(make_evaluation("value-1", 1), make_evaluation("value-1", 3))

    assert found.value == 0.5


def test_scores_of_different_graders_are_never_paired() -> None:
    pair = (make_evaluation("value-1", 1), make_evaluation("value-2", 3))
    line = {
        "solved_total": 1,
        "problems_total": 2,
        "seeds": 1,
        "paired": {"diff": None, "ci": None},
    }

    assert paired(*pair) is None
    assert report._conclusion(line, pair).endswith(
        "judged by different graders (value-1 and value-2): scores do not compare."
    )
