"""Session: Python in, Python out, state kept, errors with their place."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from q_runtime import QError, Session, UnsupportedFeature
from q_runtime.values.functions import Prim


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1+1", 2),
        ("0N", None),
        ("1.5", 1.5),
        ("1b", True),
        ('"a"', "a"),
        ('"abc"', "abc"),
        ('""', ""),
        ("`abc", "abc"),
        ("1 2 3", [1, 2, 3]),
        ('("ab";"c")', ["ab", "c"]),
        ("(1;`a;2.5)", [1, "a", 2.5]),
        ("`a`b!1 2", {"a": 1, "b": 2}),
        ("([]a:1 2;b:`x`y)", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        ("::", None),
        ("()", []),
        ("{x+y}", "{x+y}"),
        ("a:5", 5),
    ],
)
def test_eval_gives_a_python_value(session: Session, text: str, expected: object) -> None:
    made = session.eval(text)

    assert (type(expected), expected) == (type(made), made)


def test_a_float_null_is_nan(session: Session) -> None:
    assert math.isnan(session.eval("0n"))


@pytest.mark.parametrize(
    ("value", "q_type"),
    [
        (1, -7),
        (1.0, -9),
        (True, -1),
        ("", 10),
        ("a", 10),
        ("ab", 10),
        (None, 101),
        ([1, 2], 7),
        ([1.0], 9),
        ([True], 1),
        (["a", "bc"], 0),
        ([[1], [2]], 0),
        ([1, "a"], 0),
        ((1, 2), 7),
        ({"a": 1}, 99),
        ({3, 1}, 7),
    ],
)
def test_call_takes_python_values(session: Session, value: object, q_type: int) -> None:
    session.define("kind", "{type x}")

    assert q_type == session.call("kind", value)


def test_call_applies_a_global_to_several_arguments(session: Session) -> None:
    session.define("f", "{[a;b;c]a+b*c}")

    assert session.call("f", 1, 2, 3) == 7
    assert session.call("{x+y}", 1, 2) == 3


def test_state_lasts_and_sessions_are_apart(session: Session) -> None:
    session.eval("a:1")
    other = Session()

    assert session.eval("a+1") == 2
    with pytest.raises(QError) as caught:
        other.eval("a")
    assert caught.value.code == "a"


def test_an_error_knows_its_place(session: Session) -> None:
    with pytest.raises(QError) as caught:
        session.eval("a:1\nf:{\n b:x;\n b+`c}\nf 2")

    assert (caught.value.code, caught.value.span.line) == ("type", 4)


def test_console_prints_several_statements(session: Session) -> None:
    assert session.console('a:1\na+1\n-1 "hello";\n`b') == "2\nhello\n`b"


def test_a_brace_in_the_first_column_ends_a_function_in_a_text_and_not_in_a_script(
    session: Session,
) -> None:
    session.define("f", "{\n x+1\n}")
    session.eval("g:{\n x+2\n}")

    assert session.call("f", 1) == 2
    assert session.eval('(g 1;value "{x+\\n3\\n}1")') == [3, 4]
    with pytest.raises(QError):
        session.eval_script("h:{\n x+1\n}")


def test_output_before_an_error_is_kept(session: Session) -> None:
    assert session.console('-1 "first";\n1+`a') == "first\n'type"


def test_a_gap_cannot_be_trapped_by_q(session: Session) -> None:
    def gap(_: object) -> object:
        raise UnsupportedFeature("not here yet")

    session._interpreter.globals.set("gap", Prim("gap", gap, (1,)))
    with pytest.raises(UnsupportedFeature):
        session.eval("@[gap;1;{`trapped}]")


def test_an_int_beyond_64_bits_has_no_q_value(session: Session) -> None:
    with pytest.raises(QError) as caught:
        session.call("{x}", 2**63)

    assert caught.value.code == "domain"


def test_draws_follow_the_seed() -> None:
    first, second = Session(), Session()

    assert first.eval("10?100") == second.eval("10?100")
    assert first.eval("10?100") != first.eval("10?100")


def test_the_module_runs_piped_input() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "q_runtime"],
        input="f:{\n x+1}\nf 1\n1+`a\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "2\n'type\n  [0]  1+`a\n        ^\n") == (done.returncode, done.stdout)
