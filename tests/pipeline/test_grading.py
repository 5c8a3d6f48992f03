"""Programs out of completions, and verdicts and rewards out of what Programs did."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.grading import GRADER, extract_program, grade, grade_no_program, make_job, reward
from pipeline.records import Param, Problem, TestCase, Verdict, VerdictKind
from q_runtime import ExecutionResult, Limits, ProgramResult, QPool

LOADED = ExecutionResult("ok", {"t": 101, "v": "::"})


def make_tests(*pairs: tuple[list[Any], Any], comparator: str = "equal") -> tuple[TestCase, ...]:
    return tuple(
        TestCase(
            index=index,
            visibility="hidden" if index else "public",
            arguments=tuple(arguments),
            expected=expected,
            comparator=comparator,
        )
        for index, (arguments, expected) in enumerate(pairs)
    )


TESTS = make_tests(([2], 4), ([3], 9), ([4], 16))
SQUARE = Problem(
    slug="square",
    title="square",
    statement="Square a number.",
    entry_point="square",
    params=(Param(name="x", type="int"),),
    returns="int",
    reference="def square(x):\n    return x * x\n",
    tests=TESTS,
    problem_set="own",
    split="train",
    group="square",
)


def long(value: int) -> ExecutionResult:
    return ExecutionResult("ok", {"t": -7, "v": value})


def judge(*calls: ExecutionResult, load: ExecutionResult = LOADED) -> Verdict:
    result = ProgramResult("k", load, calls)
    return grade(
        TESTS, "int", result, engine="embedded", engine_version="1", tests_hash=SQUARE.tests_hash
    )


@pytest.mark.parametrize(
    ("completion", "program"),
    [
        ("```q\nf:{x+1}\n```", "f:{x+1}"),
        ("Sure!\n```q\nf:{x+1}\n```\nUse it: `f 3`.", "f:{x+1}"),
        ("```q\nf 3\n```\n```q\nf:{x}\n```", "f:{x}"),
        ("```python\nprint(1)\n```\n```\nf:{x}\n```", "f:{x}"),
        ("```python\nprint(1)\n```", None),
        ("```q\nf:{x+1}", "f:{x+1}"),
        ("<think>\n```q\nwrong:{x}\n```\n</think>\n```q\nf:{x}\n```", "f:{x}"),
        ("f:{x+1}<|im_end|>", "f:{x+1}"),
        ("f:{[x;y]\n  x+y\n }", "f:{[x;y]\n  x+y\n }"),
        ("Here is the function:\nf:{x+1}\nIt adds one to the number.", "f:{x+1}"),
        ("{x*x}", "{x*x}"),
        ("reverse", "reverse"),
        ("Note: this is not a program at all", None),
        ("I cannot write that function.", None),
        ("", None),
        ("  \n ", None),
    ],
)
def test_programs_are_found_in_completions(completion: str, program: str | None) -> None:
    assert program == extract_program(completion)


def test_a_plain_completion_is_taken_whole() -> None:
    assert extract_program(" sum x \n<|endoftext|>", plain=True) == "sum x"
    assert extract_program("\n", plain=True) is None


def test_all_tests_equal_is_passed() -> None:
    verdict = judge(long(4), long(9), long(16))

    assert (verdict.kind, verdict.n_passed, verdict.n_tests) == (VerdictKind.PASSED, 3, 3)
    assert verdict.grader == GRADER == "value-1"
    assert verdict.tests_hash == SQUARE.tests_hash
    assert reward(verdict) == 1.0


def test_a_wrong_value_is_named_with_its_test() -> None:
    verdict = judge(long(4), long(8), ExecutionResult("ok", {"t": -9, "v": 16.0}))

    assert verdict.kind is VerdictKind.WRONG_ANSWER
    assert verdict.reason == "test 1: 8, expected 9"
    assert [item.difference_kind for item in verdict.executions] == [
        "",
        "wrong_value",
        "wrong_type",
    ]
    assert verdict.executions[1].actual == "8"
    assert reward(verdict) == 0.0


@pytest.mark.parametrize(
    "status", ["q_error", "syntax_error", "time_limit", "memory_limit", "output_limit"]
)
def test_statuses_of_the_program_become_its_verdict(status: Any) -> None:
    failed = ExecutionResult(status, error="type", detail="as it says")
    at_load, at_call = judge(load=failed), judge(long(4), failed, long(16))

    assert at_load.kind == at_call.kind == status
    assert at_load.reason == "type as it says"
    assert at_call.reason == "test 1: type"
    assert at_call.error == ("type" if status == "q_error" else "")
    assert reward(at_load) == reward(at_call) == 0.0


@pytest.mark.parametrize(
    ("status", "error", "detail", "reason"),
    [
        (
            "q_error",
            "xing",
            "'xing: not defined (line 1, column 4)",
            "'xing: not defined (line 1, column 4)",
        ),
        ("q_error", "type", "'type", "'type"),
        (
            "syntax_error",
            ")",
            "'): unexpected (line 1, column 2)",
            "'): unexpected (line 1, column 2)",
        ),
        ("time_limit", "time", "time limit exceeded: 5 s", "time limit exceeded: 5 s"),
        ("memory_limit", "wsfull", "more than 512 MB", "wsfull more than 512 MB"),
        (
            "q_error",
            "no_function",
            "the last value is not a function",
            "no_function the last value is not a function",
        ),
        ("q_error", "stack", "", "stack"),
    ],
)
def test_a_reason_says_the_name_of_an_error_once(
    status: Any, error: str, detail: str, reason: str
) -> None:
    assert judge(load=ExecutionResult(status, error=error, detail=detail)).reason == reason


@pytest.mark.parametrize("status", ["unsupported", "infra_error"])
def test_faults_of_ours_have_no_reward(status: Any) -> None:
    fault = ExecutionResult(status, detail="a gap")

    assert judge(load=fault).kind == judge(long(4), fault, long(16)).kind == status
    assert judge(long(4), fault, long(16)).reason == "test 1: a gap"
    assert reward(judge(long(4), fault, long(16))) is None


def test_a_wrong_answer_stays_one_beside_a_fault_of_ours() -> None:
    verdict = judge(ExecutionResult("unsupported"), ExecutionResult("infra_error"), long(0))

    assert verdict.kind is VerdictKind.WRONG_ANSWER


def test_a_lost_worker_outweighs_a_gap() -> None:
    verdict = judge(long(4), ExecutionResult("unsupported"), ExecutionResult("infra_error"))

    assert verdict.kind is VerdictKind.INFRA_ERROR


def test_nothing_passes_with_a_test_unanswered() -> None:
    verdict = judge(long(4), long(9))

    assert verdict.kind is VerdictKind.INFRA_ERROR
    assert verdict.reason == "1 of 3 tests were not answered"


def test_actual_values_are_stored_up_to_a_limit() -> None:
    huge = ExecutionResult("ok", {"t": 7, "v": list(range(5000))}, stdout="x" * 5000)
    execution = judge(huge, long(9), long(16)).executions[0]

    assert len(execution.actual) == len(execution.stdout) == 2000


def test_no_program_is_a_scored_verdict() -> None:
    verdict = grade_no_program(
        TESTS, engine="embedded", engine_version="1", tests_hash=SQUARE.tests_hash
    )

    assert verdict.kind is VerdictKind.NO_PROGRAM
    assert reward(verdict) == 0.0


@pytest.mark.parametrize(
    ("program", "kind", "reason"),
    [
        ("square:{x*x}", "passed", ""),
        ("{x*x}", "passed", ""),
        ("square:{x+x}", "wrong_answer", "test 1: 6, expected 9"),
        (
            "square:{`float$x*x}",
            "wrong_answer",
            "test 0: right value, wrong type: float, expected long",
        ),
        (
            "square:{upper}",
            "wrong_answer",
            "test 0: a function or projection, expected a value",
        ),
        ("square:{x*`a}", "q_error", "test 0: type"),
        ("square:{while[1b;x+:1]}", "time_limit", None),
        ("square:{x*", "syntax_error", None),
    ],
)
def test_programs_are_judged_by_execution(program: str, kind: str, reason: str | None) -> None:
    with QPool(n_workers=1, limits=Limits(time_s=1.0)) as pool:
        (result,) = pool.run([make_job("k", SQUARE, program)])
    verdict = grade(
        SQUARE.tests,
        SQUARE.returns,
        result,
        engine="embedded",
        engine_version="1",
        tests_hash=SQUARE.tests_hash,
    )

    assert verdict.kind == kind
    assert reason is None or reason == verdict.reason


@pytest.mark.parametrize(
    "program", ['{"c"$200 201,x}', '{-1 "c"$200 201;"a"}', '{\'`$"c"$200 201}']
)
def test_bytes_that_are_no_text_can_be_recorded(program: str):
    problem = SQUARE.model_copy(update={"returns": "str", "tests": make_tests(([2], "four"))})
    with QPool(n_workers=1, limits=Limits()) as pool:
        (result,) = pool.run([make_job("k", problem, program)])
    verdict = grade(
        problem.tests,
        "str",
        result,
        engine="embedded",
        engine_version="1",
        tests_hash=problem.tests_hash,
    )

    assert r"\\310\\311" in verdict.model_dump_json()
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
