"""The calls that led to an error: numbered, named, with a caret, as the console and `.Q.sbt` show them.

The form is that of KX basics/debug and ref/dotq; the programs are our own.
"""

from __future__ import annotations

import io

import pytest

from q_runtime import QError, Session
from q_runtime.console import respond
from q_runtime.errors import Frame

SHOWN = [
    # definitions, what is entered, the frame that the console shows
    ("", "10-`a", "[0]  10-`a", "-"),
    ("", "{y-x}[1;`a]", "[1]  {y-x}", "-"),
    ("sub:{x-y}", "1+sub[1;`a]", "[1]  sub:{x-y}", "-y"),
    ("sub:{x-y};outer:{sub[x;`a]}", "outer 1", "[2]  sub:{x-y}", "-y"),
    ("outer:{{x*`a}each x}", "outer 1 2", "[2]  outer@:{x*`a}", "*`a"),
    ("v:1 2 3", "v[0]:`a", "[0]  v[0]:`a", ":`a"),
    ("v:1 2 3", "v,:`a", "[0]  v,:`a", ",:`a"),
    ("", "5+(1;2+`a)", "[0]  5+(1;2+`a)", "+`a"),
    (".my.f:{x%`a}", ".my.f 1", "[1]  .my.f:{x%`a}", "%`a"),
    ("", "2+)", "[0]  2+)", ")"),
    ("", 'value"3+`b"', "[1]  3+`b", "+`b"),
    ("long:{[x]\n  y:x+1;\n  y+`a}", "long 1", "[1]    y+`a}", "+`a"),
]


@pytest.mark.parametrize(("defined", "text", "frame", "place"), SHOWN, ids=[s[1] for s in SHOWN])
def test_the_console_shows_the_innermost_call(
    defined: str, text: str, frame: str, place: str
) -> None:
    session = Session()
    session.eval(defined)
    out = io.StringIO()

    assert not respond(session, text, out)

    _, shown, caret = out.getvalue().rstrip("\n").split("\n")
    assert shown == "  " + frame
    assert shown[caret.index("^") :].startswith(place)


def test_an_error_knows_all_calls_from_the_outermost() -> None:
    session = Session()
    session.eval("sub:{x-y};outer:{sub[x;`a]}")

    with pytest.raises(QError) as caught:
        session.eval("outer 1")

    assert caught.value.frames == (
        Frame("outer 1", 0),
        Frame("{sub[x;`a]}", 1, "outer", is_lambda=True),
        Frame("{x-y}", 2, "sub", is_lambda=True),
    )


def test_a_trap_gets_the_backtrace_with_itself_in_it() -> None:
    session = Session()
    session.eval("sub:{x-y}")

    printed = session.console('.Q.trp[sub[1];`a;{1 x,"\\n",.Q.sbt y;`done}]')

    assert printed.split("\n") == [
        "type",
        "  [2]  sub:{x-y}",
        "             ^",
        "  [1]  (.Q.trp)",
        "",
        '  [0]  .Q.trp[sub[1];`a;{1 x,"\\n",.Q.sbt y;`done}]',
        "       ^",
        "`done",
    ]  # fmt: skip


def test_the_calls_under_way_can_be_printed_without_an_error() -> None:
    session = Session()
    session.eval("inner:{.Q.bt[];x};outer:{1+inner x}")

    assert session.console("outer 4").split("\n") == [
        "  [2]  inner:{.Q.bt[];x}",
        "              ^",
        "  [1]  outer:{1+inner x}",
        "                ^",
        "  [0]  outer 4",
        "       ^",
        "5",
    ]


@pytest.mark.parametrize("text", [".Q.sbt 1", ".Q.sbt(1;2)", '.Q.sbt enlist("f";1)'])
def test_what_is_no_backtrace_is_a_type_error(text: str) -> None:
    assert Session().console(text) == "'type"
