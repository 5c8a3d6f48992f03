"""Limits: each ends an evaluation in its own way, and the session lives on."""

from __future__ import annotations

import pytest

from q_runtime import LimitExceeded, Limits, QError, Session
from q_runtime.limits import Budget


@pytest.mark.parametrize(
    "text",
    ["while[1b;1]", "{x+1}/[{1b};0]", "{while[1b;x+:1]}0", "do[100000000000;1]", "{1b}{x}/1"],
)
def test_an_endless_loop_hits_the_time_limit(text: str) -> None:
    session = Session(Limits(time_s=0.2))

    with pytest.raises(LimitExceeded) as caught:
        session.eval(text)

    assert caught.value.kind == "time"
    assert session.eval("1+1") == 2


def test_a_trap_does_not_catch_the_time_limit() -> None:
    with pytest.raises(LimitExceeded):
        Session(Limits(time_s=0.2)).eval("@[{while[1b;1]};0;`trapped]")


def test_the_instruction_limit_counts_calls_and_passes() -> None:
    session = Session(Limits(instructions=5000))

    assert session.eval("{do[100;x+:1];x}0") == 100
    with pytest.raises(LimitExceeded):
        session.eval("do[100000;1]")


def test_passes_do_not_run_out_once_a_limit_was_met() -> None:
    budget = Budget(Limits(instructions=10))

    for _ in range(2):
        with pytest.raises(LimitExceeded):
            for _ in budget.passes:
                pass


def test_loops_nest_twenty_deep() -> None:
    body = "a+:1"
    for i in range(20):
        body = f"i{i}:0; while[i{i}<1; i{i}+:1; {body}]"

    assert Session().eval(f"{{a:0; {body}; a}}[]") == 1


@pytest.mark.parametrize(
    "text", ["til 1000000000000", "1000000000000#0", "(1000000 1000000)#0", "1000000000?1f"]
)
def test_a_large_allocation_is_wsfull_before_it_happens(text: str) -> None:
    with pytest.raises(QError) as caught:
        Session().eval(text)

    assert caught.value.code == "wsfull"


@pytest.mark.parametrize(
    "text",
    [
        "{.z.s x}0",
        "f:{f x}; f 0",
        "f:{g x}; g:{f x}; f 0",
        "f:{f each x}; f enlist 1",
        "f:{.[f;enlist x]}; f 0",
        "f:{f/[1;x]}; f 0",
    ],
)
def test_endless_recursion_is_stack(text: str) -> None:
    session = Session()

    with pytest.raises(QError) as caught:
        session.eval(text)

    assert caught.value.code == "stack"
    assert session.eval("1+1") == 2


def test_deep_recursion_works() -> None:
    session = Session()
    session.define("f", "{$[x=0;0;1+f x-1]}")
    session.define("g", "{$[x=0;0;1+first .z.s each enlist x-1]}")

    assert session.call("f", 1990) == 1990
    assert session.call("g", 1990) == 1990


def test_depth_is_restored_after_a_trap() -> None:
    session = Session(Limits(depth=50))

    assert session.eval("{do[200;@[{.z.s x};0;0]];7}0") == 7


def test_long_output_hits_the_output_limit() -> None:
    with pytest.raises(LimitExceeded) as caught:
        Session(Limits(output_bytes=1000)).console('do[100;-1(100#"a")]')

    assert caught.value.kind == "output"


@pytest.mark.parametrize(
    "trap", ["@[{'`a};1;{'`b}]", ".[{'`a};1 2;{'`b}]", ".Q.trp[{'`a};1;{[e;b]'`b}]"]
)
def test_an_error_of_a_handler_does_not_hold_the_error_that_it_handled(trap: str) -> None:
    with pytest.raises(QError, match="'b") as caught:
        Session().eval(trap)

    assert caught.value.__context__ is None
