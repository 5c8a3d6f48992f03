"""q Programs: which function is called, what comes back, and every way to fail as data."""

from __future__ import annotations

import pytest

from q_runtime.errors import EngineUnavailable
from q_runtime.sandbox import QPool
from tests.q_runtime.sandbox.q_calls import long, run_program

LONGS = {"t": 7, "v": [3, 1, 2]}


def test_values_come_back_in_wire_form(q_pool: QPool) -> None:
    result = run_program(q_pool, "f:{asc x}", (LONGS,), ({"t": 7, "v": []},))

    assert result.load.status == "ok"
    assert [call.value for call in result.calls] == [{"t": 7, "v": [1, 2, 3]}, {"t": 7, "v": []}]
    assert all(call.error is None and call.duration_s > 0 for call in result.calls)


def test_the_entry_point_is_called_though_more_follows(q_pool: QPool) -> None:
    result = run_program(q_pool, "g:{x*2}\nf:{1+g x}\nf 10", (long(4),))

    assert result.load.value == long(21)
    assert result.calls[0].value == long(9)


def test_a_function_may_end_in_the_first_column(q_pool: QPool) -> None:
    result = run_program(q_pool, "f:{[x]\n  y:2*x;\ny+1\n}\n", (long(4),))

    assert result.calls[0].value == long(9)


def test_without_the_entry_point_the_last_function_is_called(q_pool: QPool) -> None:
    assert run_program(q_pool, "{x+y}", (long(1), long(2))).calls[0].value == long(3)
    assert run_program(q_pool, "g:{x}; {x*3}", (long(2),), entry_point=None).calls[0].value == long(
        6
    )


def test_a_name_of_q_itself_is_not_an_entry_point(q_pool: QPool) -> None:
    result = run_program(q_pool, "5", (LONGS,), entry_point="count")

    assert (result.load.status, result.load.error) == ("q_error", "no_function")
    assert result.calls == ()


@pytest.mark.parametrize("program", ["", "5", "f:5", "f"])
def test_a_program_without_a_function_has_no_calls(q_pool: QPool, program: str) -> None:
    result = run_program(q_pool, program, (long(1),))

    assert result.load.status == "q_error"
    assert result.calls == ()


def test_a_program_may_be_loaded_without_calls(q_pool: QPool) -> None:
    result = run_program(q_pool, "2+3", entry_point=None)

    assert (result.load.status, result.load.value) == ("ok", long(5))


def test_an_error_is_named_by_q(q_pool: QPool) -> None:
    result = run_program(q_pool, "f:{x+`a}", (long(1),), (long(2),))

    assert [(call.status, call.error) for call in result.calls] == [("q_error", "type")] * 2


def test_a_user_s_own_error_is_its_text(q_pool: QPool) -> None:
    call = run_program(q_pool, "f:{'`oops}", (long(1),)).calls[0]

    assert (call.status, call.error) == ("q_error", "oops")


def test_an_error_while_loading_leaves_no_calls(q_pool: QPool) -> None:
    result = run_program(q_pool, "f:{x}\n1+`a", (long(1),))

    assert (result.load.status, result.load.error) == ("q_error", "type")
    assert result.calls == ()


def test_text_that_is_not_q_is_a_syntax_error(q_pool: QPool) -> None:
    result = run_program(q_pool, "f:{x+", (long(1),))

    assert result.load.status == "syntax_error"
    assert result.calls == ()


def test_one_call_s_error_does_not_stop_the_next(q_pool: QPool) -> None:
    result = run_program(q_pool, "f:{$[x=0;'`zero;10 div x]}", (long(0),), (long(5),))

    assert [call.status for call in result.calls] == ["q_error", "ok"]


def test_printed_text_is_evidence_of_its_call(q_pool: QPool) -> None:
    result = run_program(q_pool, "show 1\nf:{show x; x}", (long(2),), (long(3),))

    assert result.load.stdout == "1\n"
    assert [(call.stdout, call.value) for call in result.calls] == [
        ("2\n", long(2)),
        ("3\n", long(3)),
    ]


def test_deep_recursion_within_the_limit_works(q_pool: QPool) -> None:
    assert run_program(q_pool, "f:{$[x=0;0;1+f x-1]}", (long(1900),)).calls[0].value == long(1900)


def test_a_program_sees_nothing_of_another(q_pool: QPool) -> None:
    for _ in range(4):
        assert run_program(q_pool, "secret:42; f:{secret}", (long(0),)).calls[0].value == long(42)
        spied = run_program(q_pool, "f:{secret}", (long(0),)).calls[0]

        assert (spied.status, spied.error) == ("q_error", "secret")


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        ('raze string md5 "abc"', "900150983cd24fb0d6963f7d28e17f72"),
        ('raze string -33!"abc"', "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ('.Q.btoa "abc"', "YWJj"),
        ("string type first 1?0Ng", "-2"),
    ],
)
def test_what_q_needs_of_the_library_is_there(q_pool: QPool, program: str, wanted: str) -> None:
    load = run_program(q_pool, program, entry_point=None).load

    assert load.value == {"t": 10, "v": wanted}, load


def test_only_the_embedded_engine_runs_here() -> None:
    with pytest.raises(EngineUnavailable, match="pykx"):
        QPool(1, engine="pykx")


def test_an_engine_names_itself(q_pool: QPool) -> None:
    assert q_pool.name == "embedded"
    assert q_pool.version


@pytest.mark.parametrize(
    ("program", "place"),
    [
        ("f:{x+`a}", "+`a"),
        ("g:{y-x}\nf:{\n  1+g[x;`b]}", "-x"),
        ("f:{2*count each til x,`a}", "til"),
        ("f:{nosuch x}", "nosuch"),
        ("f:{[a]\n  b:a;\n  b[`z]:1;\n  b}", ":1"),
    ],
)
def test_an_error_in_a_call_is_placed_in_the_program(
    q_pool: QPool, program: str, place: str
) -> None:
    call = run_program(q_pool, program, (long(1),)).calls[0]

    assert call.status == "q_error"
    assert call.at is not None
    assert program[call.at :].startswith(place)


def test_an_error_while_loading_is_placed_too(q_pool: QPool) -> None:
    assert run_program(q_pool, "a:1;\nb:a+`c").load.at == 8
    assert run_program(q_pool, "f:{x+1}}").load.at == 7
    assert run_program(q_pool, "f:{x}", (long(1),)).calls[0].at is None
