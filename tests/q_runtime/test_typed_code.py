"""Code compiled for arguments like the first does what the general code does; it changes only what is its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from q_runtime import LimitExceeded, Limits, QError, Session, UnsupportedFeature
from q_runtime.evaluate import compiler, interpreter
from q_runtime.evaluate.locals import LocalCompiler
from q_runtime.evaluate.shapes import ANY

ARGUMENTS = [
    "3", "0", "-2", "0N", "0W", "-0W", "4611686018427387904", "1b", "2.5", "0n", '"c"', "`s",
    "1 2 3", "0#0", "5 0N -7", "101b", "1 2.5", '"abc"', "enlist 4", "()", "(1;`a)", "(1 2;3 4)", "2i",
]  # fmt: skip
STATEMENTS = [
    "n:n+i", "n:n*n", "n-:3", "i+:1", "n:i-n", "n:n div i", "n:n mod i", "n:n div 3", "n:7 mod n", "n:n%i",
    "n:abs n", "n:neg i", "n:n&i", "n:n|3", "n:0N", "n:0W", "n:0", "i:0", "i:2", "n:n=i", "n:n<i", "n:not n",
    "a[i]:n", "a[0]:i", "a[n]:0", "a[i]+:n", "a[0 1]:i", "a,:n", "a,:i", "a,:a", "b,:n", "b[0]:7", "b[0;0]:i",
    "n:a i", "n:a n", "n:b[0;i]", "n:count a", "n:last a", "n:first b", "n:a[0]=b 0", "n:a[i]<n",
    "b:a", "a:b", "r:a", "a:r", "r,:n", "a:til n mod 7", "a:0#0", "a:n#0", "a:a,n", "a:1_a", "a:reverse a",
    "n:sum a", "n:max a", "a:a+n", "a:enlist n", 'a:"xy"', 'n:"q"', 'a:""', "b:(a;a)", "r:(a;n)", "r:{x,9}a",
    "n:n in 1 2 3", 'n:n in "abc"', "i:count b", "n:$[n>i;n;i]", "n:$[n;1;0.5]", "a:$[i;a;b]",
]  # fmt: skip


LEAVES = [
    "n:gl i", "n:gl n", "n:gl 1", "n:gl a", "n:gl 0N", "n:gr i", "n:gr[i;n]", "n:gr[0;1]", "n:gr[n;-1]", "n:gx i",
    "n:gx n", "n:gd n", "n:gd i", 'n:gd"b"', "n:ge i", "n:ge 7", "n:ge n", "n:gd a", "n:gn+i", "n:n*gn", "n:gn<n",
    "n:last gl", "n:first gl", "n:count gl", "n:count gx", "a:gl", "a:gr i", "a:gr", "a[0]:gn", "a[i]:gl i", "gs:i",
    "a:a,n", "a:a,i", "a:a,gn", "a:1_a", "a:-1_a", "a:i _ a", "a:5_a", "a:-9_a", "n:last a", "n:first a", "a:gl,i",
    "n:gd last a", "n:n in gl", "n:gs", "i:i+1", "i:-1", "a,:n", "a,:gl i", "a:reverse gl", "n:sum gl", 'n:"a"', "n:2",
    "n:`s", "a:0#a", "n:gl[i]+gl[0]", "n:gl[i]=n", "n:$[gl[0]>i;gl 1;gn]", "n:gl", "n:gu", "n:gd",
]  # fmt: skip
"""Statements of which lambdas are made that call no function, so that their globals are steady."""
GLOBALS = {
    "gl": ["1 2 3", "5 0N", "0#0", "101b", "1.5 2", '"xyz"', "(1;`a)", "7", "{x+1}", "`a`b"],
    "gr": ["(1 2;3 4 5)", "(1 2;0#0)", '("ab";"c")', "(1 2;3 4.)", "()", "enlist 4 5", "1 2!3 4"],
    "gx": ["(1;`a;2 3)", '("M";"CM")', "1 2", "({x};3)", "()"],
    "gd": ['"abc"!1 2 3', '"ab"!("x";"yz")', '"aba"!1 2 3', "`a`b!1 2", '"ab"!"ba"', "1 2!3 4", "til 3"],
    "ge": ['7 8!"ab"', "7 0N!1 2", "7 8!(1 2;3)", "1 2.5!3 4", "7 7!3 4", "`s#1 5 9!2 3 4", "0#0!0#0"],
    "gn": ["10", "0N", "0W", "2.5", "1b", '"c"', "3i", "1 2"],
    "gs": ["4", '"str"'],
    "gu": ["1b", "2"],
}  # fmt: skip
"""What the globals are, to begin with and later."""


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Control flow around some statements."""
    body = st.lists(inner, min_size=1, max_size=4).map("; ".join)
    return st.one_of(
        body.map(lambda text: f"do[3; {text}]"),
        body.map(lambda text: f"if[n>i; {text}]"),
        body.map(lambda text: f"k:0; while[k<4; {text}; k+:1]"),
        st.tuples(body, body).map(lambda pair: f"$[i>1; [{pair[0]}]; [{pair[1]}]]"),
    )


BODIES = st.lists(
    st.recursive(st.sampled_from(STATEMENTS), blocks, max_leaves=8), min_size=1, max_size=7
).map("; ".join)


def forget() -> None:
    """Drop all compiled code."""
    for cache in (compiler._lambda_cache, compiler._unit_cache, compiler._statement_cache):
        cache.clear()


@contextmanager
def general_code() -> Iterator[None]:
    """Compile as if nothing were known of any value."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(interpreter, "shape_of", lambda _: ANY)
        monkeypatch.setattr(interpreter, "steady_globals", lambda *_: ())
        monkeypatch.setattr(LocalCompiler, "learn", lambda self, name, shape: ANY)
        monkeypatch.setattr(LocalCompiler, "is_kept", lambda self, name: False)
        forget()
        yield
    forget()


def outcome(text: str, calls: list[str]) -> list[object]:
    """What each call of a function `f` gives: a value in wire form, or the name of an error."""
    session = Session(Limits(time_s=20.0))
    try:
        session.eval(f"f:{text}")
    except QError as error:  # it assigns a local that it has read as a global
        return [error.code]
    out: list[object] = []
    for call in calls:
        try:
            out.append(session.evaluate_wire(call))
        except QError as error:
            out.append(error.code)
        except UnsupportedFeature:
            out.append("unsupported")
    return out


@settings(max_examples=60, deadline=None)
@given(
    body=BODIES,
    calls=st.lists(
        st.lists(st.sampled_from(ARGUMENTS), min_size=4, max_size=4), min_size=1, max_size=3
    ),
)
def test_typed_and_general_code_agree(body: str, calls: list[list[str]]) -> None:
    text = f"{{[a;b;i;n] r:(); k:0; {body}; (a;b;i;n;r)}}"
    texts = [f"f[{';'.join(call)}]" for call in calls]
    typed = outcome(text, texts)
    with general_code():
        general = outcome(text, texts)

    assert typed == general


@st.composite
def changed_globals(draw: st.DrawFn) -> str:
    """A call with some globals assigned before it."""
    names = draw(st.lists(st.sampled_from(sorted(GLOBALS)), max_size=2))
    changes = [f"{name}:{draw(st.sampled_from(GLOBALS[name]))}; " for name in names]
    arguments = draw(st.lists(st.sampled_from(ARGUMENTS), min_size=3, max_size=3))
    return f"{''.join(changes)}f[{';'.join(arguments)}]"


@settings(max_examples=120, deadline=None)
@given(
    body=st.lists(
        st.recursive(st.sampled_from(LEAVES), blocks, max_leaves=5), min_size=1, max_size=5
    ).map("; ".join),
    calls=st.lists(changed_globals(), min_size=1, max_size=4),
    first=st.fixed_dictionaries({name: st.sampled_from(v[:2]) for name, v in GLOBALS.items()}),
)
def test_steady_globals_and_others_agree(
    body: str, calls: list[str], first: dict[str, str]
) -> None:
    text = f"{{[a;i;n] r:(); k:0; {body}; (a;i;n;r)}}"
    start = "; ".join(f"{name}:{value}" for name, value in first.items())
    typed = outcome(text, [start, *calls])
    with general_code():
        general = outcome(text, [start, *calls])

    assert typed == general


@pytest.mark.parametrize(
    ("setup", "text", "calls", "expected"),
    [
        (
            "g:1 2 3",
            "{g x}",
            ["f 1", "g:7 8 9; f 1", "g:{x+1}; f 1", "g:1 2; f 5"],
            [2, 8, 2, None],
        ),
        ("g:10", "{g+x}", ["f 1", "g:0N; f 1", "g:1.5; f 1"], [11, None, 2.5]),
        ('g:"ab"!1 2', "{g x}", ['f"a"', 'f"c"', 'g["c"]:3; f"c"', 'f"ab"'], [1, None, 3, [1, 2]]),
        ("g:(1 2;3 4)", "{g[x;1]}", ["f 1", "f 2", "g:(5 6;enlist 7); f 1"], [4, None, None]),
        ("g:1 2", "{g::x,g; g 0}", ["f 5", "g 0", "f 6"], [5, 5, 6]),
        ("g:1 2; h:{g::x}", "{h x; g}", ["f 5", "f 6"], [5, 6]),
        ("g:1 2", "{r:g; r[0]:x; r}", ["f 5", "g 0", "f 6"], [[5, 2], 1, [6, 2]]),
    ],
)
def test_a_global_is_read_as_it_is_now(
    setup: str, text: str, calls: list[str], expected: list[object]
) -> None:
    session = Session()
    session.eval(f"{setup}; f:{text}")

    assert [session.eval(call) for call in calls] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a:til 3; b:a; a[0]:9; b}[]", [0, 1, 2]),
        ("{a:til 3; a[0]:9; b:a; a[1]:8; b}[]", [9, 1, 2]),
        ("{a:til 3; a[0]:9; b:a; a[1]:8; a}[]", [9, 8, 2]),
        ("{a:til 2; a,:5; b:(a;0); a,:6; first b}[]", [0, 1, 5]),
        ("{a:til 2; a[0]:3; f:{x[0]:7;x}; f a; a}[]", [3, 1]),
        ("{x[0]:9; x,:1; x}v", [9, 2, 3, 1]),
        ("{x[0]:9; v}v", [1, 2, 3]),
        (
            "{a:til 2; r:(); i:0; while[i<3; a[0]:i; r,:enlist a; i+:1]; r}[]",
            [[0, 1], [1, 1], [2, 1]],
        ),
        ("{a:til 2; a[0]:4; g::a; a[0]:5; g}[]", [4, 1]),
        ("{a:til 2; a[0]:4; b:a:a; a[0]:5; b}[]", [4, 1]),
        ("{m:(2;2)#0; n:m; m[0;0]:1; (m;n)}[]", [[[1, 0], [0, 0]], [[0, 0], [0, 0]]]),
        ("{m:(2;2)#0; r:m 0; m[0;0]:1; r}[]", [0, 0]),
        (
            "{a:0#0; i:0; while[i<3000; a,:i; i+:1]; (count a;sum a;last a)}[]",
            [3000, 4498500, 2999],
        ),
        ("{a:3#0; i:0; while[i<3000; a[i mod 3]+:i; i+:1]; a}[]", [1498500, 1499500, 1500500]),
        ("{a:til 2; a[0]:4; t:select from ([]c:a) where c>0; a[0]:5; t`c}[]", [4, 1]),
    ],
)
def test_a_change_is_seen_by_its_own_variable_alone(text: str, expected: object) -> None:
    session = Session()
    session.eval("v:1 2 3")

    assert session.eval(text) == expected
    assert session.eval("v") == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "calls", "expected"),
    [
        ("{x+1}", ["1", "0N", "0W", "1 2", "1.5", "1b"], [2, None, None, [2, 3], 2.5, 2]),
        ("{x*x}", ["3", "4294967296", "3037000500"], [9, 0, -9223372036709301616]),
        ("{n:0; while[x>n; n+:1]; n}", ["5", "0N", "2.5", "1b"], [5, 0, 3, 1]),
        ("{x y}", ["1 2 3;1", "1 2 3;7", "1 2 3;-1", "{x+1};4"], [2, None, None, 5]),
    ],
)
def test_other_arguments_than_the_first_are_served(
    text: str, calls: list[str], expected: list[object]
) -> None:
    session = Session()
    session.eval(f"f:{text}")

    assert [session.eval(f"f[{call}]") for call in calls] == expected


@pytest.mark.parametrize(
    "text",
    [
        "{n:0; while[1b; n+:1]; n}0",
        "{a:til 10; while[1b; a[3]:4]; a}0",
        "f:{$[x>0; f x-1; 1]}; {while[1b; f 10]}0",
        "g:{x+1}; {while[1b; g x]}0",
        "h:{do[100; x+:1]; x}; {while[1b; h x]}0",
        "fib:{$[x<2;x;.z.s[x-1]+.z.s[x-2]]}; fib 60",
    ],
)
def test_endless_work_in_typed_code_hits_the_time_limit(text: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        Session(Limits(time_s=0.3)).eval(text)

    assert caught.value.kind == "time"


def test_appending_without_end_asks_for_memory() -> None:
    with pytest.raises(QError) as caught:
        Session(Limits(time_s=60.0, memory_mb=16)).eval("{a:0#0; while[1b; a,:1]; a}0")

    assert caught.value.code == "wsfull"


def test_nested_iterators_do_not_deepen() -> None:
    session = Session(Limits(depth=20))
    session.eval("g:{first {$[x>0;x;0]} each enlist x}; h:{g x}; f:{h x}")

    assert session.eval("sum f each til 500") == 124750
    assert session.eval("{i:0; while[i<500; f i; i+:1]; i}0") == 500
