"""Results files of KX: read without loss, written as KX writes them, and refused where they contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import RecordError
from pipeline.kx_results import (
    KxRow,
    make_evaluation,
    make_row,
    read_kx_results,
    read_verdict,
    slug_of,
    summarise,
    task_of,
)
from pipeline.records import VerdictKind

OF_AN_AGENT: dict[str, Any] = {
    "total_solutions": 4,
    "passed_solutions": 2,
    "errored_solutions": 1,
    "scored_solutions": 3,
    "pass_rate": 0.6666666666666666,
    "total_problems": 4,
    "per_problem_results": [
        {"task_id": 0, "num_samples": 1, "num_correct": 1},
        {"task_id": 12, "num_samples": 1, "num_correct": 0},
        {"task_id": 7, "num_samples": 1, "num_correct": 1},
        {"task_id": 9, "num_samples": 0, "num_correct": 0},
    ],
    "evaluation_type": "agent",
    "agent_model": "some-model",
    "agent_effort": None,
    "agent_metrics": {"total_cost_usd": 1.5, "mean_turns": 7.9},
    "dataset": "q-humaneval",
    "results": [
        {"task_id": 0, "sample_index": 0, "passed": True, "info": "passed", "errored": False},
        {
            "task_id": 12,
            "sample_index": 0,
            "passed": False,
            "info": "failed: Test assertion failed: ",
            "errored": False,
        },
        {"task_id": 7, "sample_index": 0, "passed": True, "info": "passed", "errored": False},
        {
            "task_id": 9,
            "sample_index": 0,
            "passed": False,
            "info": "errored: q startup/license error: no license loaded",
            "errored": True,
        },
    ],
}
BEFORE_JUNE_2026: dict[str, Any] = {
    "total_solutions": 4,
    "passed_solutions": 1,
    "pass_rate": 0.25,
    "total_problems": 2,
    "execution_method": "multithreaded",
    "max_workers": 32,
    "pass_at_1": 0.25,
    "per_problem_results": [
        {"task_id": 0, "num_samples": 2, "num_correct": 1},
        {"task_id": 3, "num_samples": 2, "num_correct": 0},
    ],
    "results": [
        {"task_id": 0, "sample_index": 1, "passed": True, "info": "passed"},
        {"task_id": 0, "sample_index": 0, "passed": False, "info": "timed out"},
        {"task_id": 3, "sample_index": 0, "passed": False, "error": "Empty code"},
        {
            "task_id": 3,
            "sample_index": 1,
            "passed": False,
            "info": "failed: Test execution failed: type",
        },
    ],
}


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(("content", "grader"), [(OF_AN_AGENT, "kx-1"), (BEFORE_JUNE_2026, "kx-0")])
def test_a_file_is_read_without_loss(tmp_path: Path, content: dict[str, Any], grader: str) -> None:
    found = read_kx_results(write(tmp_path / "results.json", content))

    assert found.as_json() == content
    assert found.grader == grader


def test_what_a_file_measured_is_an_evaluation(tmp_path: Path) -> None:
    found = read_kx_results(write(tmp_path / "results.json", BEFORE_JUNE_2026))
    evaluation = make_evaluation(found, "somebody")

    assert evaluation.per_problem == {"q-humaneval-000": (2, 1), "q-humaneval-003": (2, 0)}
    assert evaluation.pass_at["1"].value == BEFORE_JUNE_2026["pass_at_1"]
    assert set(evaluation.pass_at) == {"1"}
    assert evaluation.verdicts == {"passed": 1, "time_limit": 1, "no_program": 1, "q_error": 1}
    assert (evaluation.grader, evaluation.policy, evaluation.n_samples) == ("kx-0", "somebody", 2)


def test_errored_rows_are_outside_the_denominator(tmp_path: Path) -> None:
    found = read_kx_results(write(tmp_path / "results.json", OF_AN_AGENT))
    evaluation = make_evaluation(found, "somebody")

    assert evaluation.per_problem["q-humaneval-009"] == (0, 0)
    assert evaluation.verdicts == {"passed": 2, "wrong_answer": 1, "infra_error": 1}
    assert evaluation.pass_at["1"].value == pytest.approx(OF_AN_AGENT["pass_rate"])
    assert evaluation.pass_at_all_in["1"].value == 0.5


@pytest.mark.parametrize(
    ("kind", "error", "reason", "is_loaded", "info"),
    [
        ("passed", "", "", True, "passed"),
        ("time_limit", "", "test 0: time", True, "timed out"),
        (
            "wrong_answer",
            "",
            "test 1: 8, expected 9",
            True,
            "failed: Test assertion failed: test 1: 8, expected 9",
        ),
        ("q_error", "type", "test 0: type", True, "failed: Test execution failed: type"),
        (
            "q_error",
            "xing",
            "'xing: not defined",
            False,
            "failed: IPC execution error: Failed to create IPC function: xing",
        ),
        (
            "syntax_error",
            "",
            "'}: unexpected (line 1, column 2)",
            False,
            "failed: IPC execution error: Failed to create IPC function: }",
        ),
        ("memory_limit", "", "test 0: wsfull", True, "failed: Test execution failed: memory limit"),
        ("unsupported", "", "a gap", True, "errored: a gap"),
        ("infra_error", "", "", False, "errored: infra_error"),
    ],
)
def test_verdicts_are_said_in_the_words_of_kx(
    kind: str, error: str, reason: str, is_loaded: bool, info: str
) -> None:
    row = make_row("q-humaneval-007", 3, VerdictKind(kind), error, reason, is_loaded=is_loaded)

    assert (row.task_id, row.sample_index, row.info) == (7, 3, info)
    assert row.passed is (kind == "passed")
    assert row.errored is (kind in ("unsupported", "infra_error"))
    lost = {"memory_limit": "q_error", "unsupported": "infra_error"}
    assert read_verdict(row) == lost.get(kind, kind)


def test_a_completion_without_a_program_is_one_that_has_none() -> None:
    row = make_row("own", 0, VerdictKind.NO_PROGRAM, "", "no q was found", is_loaded=False)

    assert (row.task_id, row.error) == ("own", "Empty code")
    assert read_verdict(row) is VerdictKind.NO_PROGRAM


def test_a_summary_is_the_one_that_kx_makes(tmp_path: Path) -> None:
    rows = [
        KxRow(task_id=task, sample_index=n, passed=n < passed, info="as may be", errored=False)
        for task, passed in ((1, 5), (2, 0), (3, 2))
        for n in range(5)
    ]
    made = summarise(rows, workers=2).as_json()

    assert made["pass_at_1"] == pytest.approx((1 + 0 + 0.4) / 3)
    assert made["pass_at_5"] == pytest.approx(2 / 3)
    assert "pass_at_10" not in made
    assert (made["pass_rate"], made["execution_method"]) == (7 / 15, "multithreaded")
    assert made["per_problem_results"][2] == {"task_id": 3, "num_samples": 5, "num_correct": 2}
    assert read_kx_results(write(tmp_path / "r.json", made)).as_json() == made


def test_nothing_at_all_is_a_file_too(tmp_path: Path) -> None:
    made = summarise([]).as_json()

    assert (made["total_problems"], made["pass_rate"]) == (0, 0)
    assert read_kx_results(write(tmp_path / "r.json", made)).as_json() == made


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"passed_solutions": 3}, "2 of 4 rows passed, and the summary says 3 of 4"),
        (
            {"per_problem_results": [{"task_id": 0, "num_samples": 2, "num_correct": 1}]},
            "1 of 1 rows of task 0 passed, and its summary says 1 of 2",
        ),
        ({"results": "none"}, "is no results file of KX: results: input should be a valid"),
        ({"total_solutions": "4"}, "total_solutions: input should be a valid integer"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RecordError, match=sentence):
        read_kx_results(write(tmp_path / "results.json", OF_AN_AGENT | change))


def test_tasks_are_problems() -> None:
    assert [slug_of(7), slug_of("own")] == ["q-humaneval-007", "own"]
    assert [task_of("q-humaneval-007"), task_of("q-humaneval-x"), task_of("own")] == [
        7,
        "q-humaneval-x",
        "own",
    ]
