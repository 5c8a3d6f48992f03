"""Hostile sources end in a value, a q error, a gap or a limit: never in a crash or a fault of the engine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from q_runtime import Limits, QError, RuntimeFault, Session
from tests.q_runtime.program_hunt import PRELUDE, fault_of, place_of, programs

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LIMITS = Limits(time_s=0.5, memory_mb=64)
WORDS = (
    'x y z til sum 1 -2 0N 1.5 0n `a `b`c "ab" 1b 0x01 2020.01.01 ( ) [ ] { } ; : :: + - * % & | ^ = < > '
    "$ , # _ ~ ! ? @ . / \\ ' /: \\: ': select from where by update delete if do while each over scan .z.s "
    "([]a:1 2) value string flip"
).split()
HUGE = (
    "til 1000000000000",
    "1000000000#0",
    "10000000000?1",
    "(til 100000) cross til 100000",
    'x:100#"a";do[40;x:x,x]',
    "x:1 2;do[40;x,:x]",
    "x:1 2;do[40;x:raze(x;x)]",
    "x:1 2;do[40;x:,/[(x;x)]]",
    "x:1 2;do[40;x:x where (count x)#2]",
    '10000000000#"ab"',
    "0W#1",
    "1000000 100000#0",
    "{x,x}/[60;1 2 3]",
    "raze 100000#enlist til 100000",
    '(1000000#"x") sv 100000#enlist"ab"',
    'ssr[1000000#"a";"a";100000#"b"]',
    "where 100000#1000000",
    '1000000000$"a"',
    "t:([]a:til 1000);do[40;t:t,t]",
    "-1000000000?2000000000",
    "1000000000#enlist 1 2",
    "til[100000],/:\\:til 100000",
)
"""What asks for more memory than the limits allow."""
ENDLESS = (
    "{.z.s x}1",
    "f:{g x};g:{f x};f 1",
    "{.z.s each x}1 2 3",
    "{.z.s/[x;1 2]}1",
    "{.z.s\\[x;1 2]}1",
    "{@[.z.s;x;{'y}]}1",
    "{.[.z.s;enlist x;{x}]}1",
    "{.[.z.s;enlist x;{.z.s x}]}1",
    "{.z.s .z.s x}1",
    "f:{f'[x]};f 1 2",
    "f:{f peach x};f 1 2",
    "f:{@[x;0;f]};f 1 2",
    "f:{select f each a from ([]a:1 2)};f 1",
    "f:{`f x};f 1",
    "f:('[f;{x}]);f 1",
    'f:{eval parse "f 1"};f 1',
    "{x+1}/[1]",
    "{x+1}/[1b;0]",
    "{1b}{x+1}/0",
    "{not x}\\[0b]",
    "while[1b;1]",
    "while[1b;]",
    "do[0W;1]",
    "do[0W;]",
    'f:{value "f 1"};f 1',
    "f:{value (`f;x)};f 1",
    "x:1;do[60;x:(x;x)];x",
    "x:1;do[60;x:(x;x)];x+1",
    "x:1;do[60;x:(x;x)];string x",
    "x:1;do[60;x:(x;x)];y:1;do[60;y:(y;y)];x~y",
    "x:1;do[60;x:(x;x)];-3!x",
    "x:1;do[60;x:(x;x)];raze over x",
    "x:1;do[60;x:`a`b!(x;x)];x",
    "x:1;do[3000;x:enlist x];x",
    "x:1;do[30000;x:enlist x];x~x",
    "x:1;do[30000;x:enlist x];x+1",
    "x:1;do[30000;x:enlist x];string x",
    "x:{x};do[30000;x:x[]];x",
    "x:{x+y};do[30000;x:'[x;neg]];x",
    '(30#"a") like raze 15#enlist"*a*"',
    '(5000#"a") ss raze 15#enlist"a*"',
    '(3000#"a") like (1500#"*a"),"b"',
    "f:{x,:f x};f 1",
)
"""What never ends, or ends only for an engine that has more stack and time than there is."""
DEEP = (
    "(",
    "[",
    "{",
    "((",
    "f[",
    "{x ",
    "{[a]",
    "(1;",
    "'",
    "1+",
    "- ",
    "`a ",
    "/:",
    "+/",
    "neg ",
    "x:",
    "(x:",
    "1,",
    "$[1;",
    "if[1;",
    "select from ",
    "select a from (",
    "([]a:",
    'value "',
    "\\t ",
    "!",
    "@[",
    "+[",
    "a.b.",
    ":",
    "'[",
    ";",
    "exec ",
)
COMMANDS = (
    "\\P abc",
    "\\P -1",
    "\\P 99",
    "\\P 99999999999999999999",
    "\\c x",
    "\\c 1",
    "\\c 10 20 30",
    "\\c -1 -1",
    "\\S x",
    "\\S 1.5",
    "\\S 99999999999999999999999",
    "\\t:x 1",
    "\\t:-1 1",
    "\\t:99999999999 1",
    "\\ts:x 1",
    "\\t",
    "\\ts",
    "\\d 1",
    "\\d .a.b",
    "\\v 1",
    "\\f x y",
    "\\a .no",
    "\\",
    "\\ ",
    "\\\\ ",
    "\\:",
    "\\t \\t \\t 1",
    "\\x",
    "\\é",
    "\\P 1\n\\P",
    "\\B",
    "\\b x",
    "\\W 9",
    "\\z 7",
    "\\e x",
    "\\o x",
    "\\g x",
    "\\s x",
    "\\T x",
    "\\l x",
    "\\cd x",
    "\\1 x",
    "\\_ x",
    "\\p 1",
    "\\u",
    "\\w",
    "\\r a b",
    'system""',
    'system" "',
    'system"t"',
    'system"P x"',
    'system"c 1"',
    'system"\\\\"',
    "system 1",
    "system`",
    'system"S"',
)


def end_of(text: str) -> str:
    """Run `text` in a fresh session; returns how it ended, and fails for a fault of the engine."""
    try:
        Session(LIMITS).print_or_raise(text)
    except QError as error:
        return error.code
    except RuntimeFault as fault:
        cause = fault.__cause__
        if cause is not None:
            pytest.fail(
                f"{text[:300]!r} broke the engine: {type(cause).__name__}: {str(cause)[:300]}"
            )
        return type(fault).__name__
    return "value"


def names(texts: tuple[str, ...]) -> list[str]:
    """Short test ids for texts."""
    return [text[:40].encode("unicode_escape").decode("ascii") for text in texts]


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_random_text(text: str) -> None:
    end_of(text)


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_random_bytes(data: bytes) -> None:
    end_of(data.decode("utf-8", "surrogateescape"))
    end_of(data.decode("latin-1"))


@given(st.lists(st.sampled_from(WORDS), max_size=14), st.sampled_from(("", " ")))
@settings(max_examples=200, deadline=None)
def test_token_soup(words: list[str], gap: str) -> None:
    end_of(gap.join(words))


@pytest.mark.parametrize("opening", DEEP, ids=names(DEEP))
def test_deep_nesting(opening: str) -> None:
    end_of(opening * (100_000 if len(opening) == 1 else 20_000))
    end_of(opening * 3000 + "1")
    end_of(opening * 200 + "1")


LONG = (
    "1" * 100_000, "1 " * 100_000, '"' + "a" * 1_000_000 + '"', "`a" * 50_000, "a" * 100_000, "1." * 50_000,
    "0x" + "f" * 100_000, "1b " * 50_000, "1e" + "9" * 5000, "-" * 100_000, "2020.01.01" * 10_000,
    "1D" * 50_000, "0N " * 50_000, " " * 1_000_000, "\n" * 100_000, "/" * 100_000, "1;" * 100_000,
    "x\n " * 50_000, "(" + "1;" * 50_000 + "1)", "{" + "[x]" * 50_000, "1 2:" * 10_000, "." * 100_000,
    "`" * 100_000, "a:1;" * 20_000, "x[" + ";" * 100_000 + "]", "{" + "a:1;" * 5000 + "}",
    "{[" + "a;" * 5000 + "]}", "f[" + "1;" * 5000 + "1]", "12:00:" * 10_000, "é" * 10_000, "\x00" * 10_000,
    "\ud800" * 100, '"' + "\\" * 100_001, '"' + "\\377" * 50_000 + '"', "0" * 100_000 + "b",
    "+/" * 20_000 + " 1 2", "9" * 400 + "D", "99999999999999999999D", "9999999999d", "99999999:00",
)  # fmt: skip


@pytest.mark.parametrize("text", LONG, ids=names(LONG))
def test_long_texts(text: str) -> None:
    end_of(text)


@pytest.mark.parametrize("text", HUGE, ids=names(HUGE))
def test_huge_results_are_refused(text: str) -> None:
    assert end_of(text) in ("wsfull", "LimitExceeded", "limit", "length", "domain")


@pytest.mark.parametrize("text", ENDLESS, ids=names(ENDLESS))
def test_endless_programs_end(text: str) -> None:
    end_of(text)


@pytest.mark.parametrize("text", COMMANDS, ids=names(COMMANDS))
def test_commands_refuse_nonsense(text: str) -> None:
    end_of(text)


def test_random_programs_break_nothing() -> None:
    hunt = programs(seed=20)
    session = Session(LIMITS)
    session.eval_script(PRELUDE)
    faults = [
        (program, fault)
        for program in (next(hunt) for _ in range(1500))
        if (fault := fault_of(session, program))
    ]

    assert [f"{program}: {place_of(fault)}" for program, fault in faults] == []
