"""What the reference says of every type at once: order, nulls, and how far atomic functions reach.

Nulls are least and infinities greatest; a null makes arithmetic null and is skipped by aggregates; atomic functions
reach into lists, dictionaries and tables, and take no functions. Each rule is checked over all types that it covers;
what single types give is in `type_matrix/`.
Sources: KX basics/datatypes (nulls, infinities), basics/comparison, basics/atomic, ref/avg, ref/sum, ref/max.
"""

from __future__ import annotations

import pytest

from q_runtime import QError, Session
from tests.q_runtime.test_type_matrix import LETTERS, SAMPLES, read_grids

ASCENDING = {
    "h": "0N -0W -2 -1 0 1 2 0Wh", "i": "0N -0W -2 -1 0 1 2 0Wi", "j": "0N -0W -2 -1 0 1 2 0W",
    "e": "0N -0W -2 -1.5 0 1 2 0We", "f": "0n -0w -2 -1.5 0 1 2 0w",
    "p": "0N -0W 1999.12.31D 2000.01.01D 2000.01.01D01 2000.01.02D 2001.01.01D 0Wp",
    "m": "0N -0W 1999.11 1999.12 2000.01 2000.02 2001.01 0Wm",
    "d": "0N -0W 1999.12.30 1999.12.31 2000.01.01 2000.01.02 2001.01.01 0Wd",
    "z": "(0Nz;-0Wz;1999.12.30T;1999.12.31T;2000.01.01T;2000.01.01T01;2001.01.01T;0Wz)",
    "n": "0N -0W -1D -00:01 00:00 00:01 1D 0Wn", "u": "0N -0W -01:00 -00:01 00:00 00:01 01:00 0Wu",
    "v": "0N -0W -01:00:00 -00:00:01 00:00:00 00:00:01 01:00:00 0Wv",
    "t": "0N -0W -01:00:00.000 -00:00:00.001 00:00:00.000 00:00:00.001 01:00:00.000 0Wt",
}  # fmt: skip
"""Eight items of each type that has infinities, ascending: the null, minus infinity, five numbers, infinity."""
N = 8
LETTERS_BY_NUMBER = {"h": 5, "i": 6, "j": 7, "e": 8, "f": 9, "p": 12, "m": 13, "d": 14, "z": 15, "n": 16, "u": 17,
    "v": 18, "t": 19}  # fmt: skip
COMPARISONS = {
    "<": lambda i, j: i < j, "<=": lambda i, j: i <= j, ">": lambda i, j: i > j,
    ">=": lambda i, j: i >= j, "=": lambda i, j: i == j, "<>": lambda i, j: i != j,
    "~": lambda i, j: i == j,
}  # fmt: skip
ATOMIC_MONADS = (
    "neg abs signum sqrt exp log sin cos tan asin acos atan reciprocal floor ceiling not lower upper"
).split()
ATOMIC_DYADS = "+ - * % & | = <> < > <= >= div mod xbar xexp xlog".split()
SKIP_NULLS = "sum prd min max avg var dev svar sdev".split()
CALLABLES = ("{x}", "{x+y}[1]", "(neg abs@)", "(+)", "(+/)", "(::)")
STRUCTURES = {
    "list of lists": ("{(x;x)}", "{(x;x)}"),
    "dictionary": ("{`a`b!x}", "{`a`b!x}"),
    "dictionary of lists": ("{`a`b!(x;x)}", "{`a`b!(x;x)}"),
    "table": ("{([]a:x;b:x)}", "{([]a:x;b:x)}"),
    "keyed table": ("{([k:`p`q]a:x;b:x)}", "{([k:`p`q]a:x;b:x)}"),
}


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session()
    made.eval_script("S:(" + ";".join(SAMPLES[letter] for letter in LETTERS) + ")")
    return made


def outcome(session: Session, text: str) -> str:
    """The console text of an expression, or its error."""
    try:
        return session.print_or_raise(text)
    except QError as error:
        return f"'{error.code}"


@pytest.mark.parametrize("letter", ASCENDING)
@pytest.mark.parametrize("operator", COMPARISONS)
def test_null_is_least_and_infinity_greatest(session: Session, operator: str, letter: str) -> None:
    session.eval_script(f"V:{ASCENDING[letter]}")
    expected = [[COMPARISONS[operator](i, j) for j in range(N)] for i in range(N)]

    assert session.eval("type V 0") == -LETTERS_BY_NUMBER[letter]
    assert session.eval(f"V {operator}/:\\:V") == expected


@pytest.mark.parametrize("letter", ASCENDING)
def test_sorting_searching_and_choosing_follow_the_order(session: Session, letter: str) -> None:
    session.eval_script(f"V:{ASCENDING[letter]}; P:3 0 7 1 6 2 5 4; W:V P")
    wrong = [
        claim
        for claim in (
            "V~asc W", "(reverse V)~desc W", "(iasc P)~iasc W", "(idesc P)~idesc W", "(rank P)~rank W",
            "(til 8)~V bin V", "(til 8)~V binr V", "(til 8)~V?V", "P~V?W",
            "(V 0|\\:til 8)~V[0]|\\:V", "V[P&\\:P]~W&\\:W", "V[P|\\:P]~W|\\:W",
            "01111110b~V within V 1 6", "(V 7)~max W", "(V 1)~min W", "(V 7)~last asc W",
            "10000000b~null V", "V~distinct V,V", "(til 8)~raze value group V",
        )
        if session.eval(claim) is not True
    ]  # fmt: skip

    assert wrong == []


ARITHMETIC = [
    (name, x, y)
    for grid in read_grids()
    for name in grid.functions
    if name in ("+", "-", "*", "%") and not grid.shapes.strip()
    for x in ASCENDING
    for y in ASCENDING
    if grid.rows[x][LETTERS.index(y)] not in ".?"
]


@pytest.mark.parametrize("operator", ["+", "-", "*", "%"])
def test_a_null_on_either_side_makes_arithmetic_null(session: Session, operator: str) -> None:
    wrong = []
    for name, x, y in ARITHMETIC:
        if name == operator:
            null_x, null_y = (f"(first 0#{ASCENDING[t]})" for t in (x, y))
            for text in (f"{null_x}{name}{SAMPLES[y]}", f"{SAMPLES[x]}{name}{null_y}"):
                if session.eval(f"null {text}") is not True:
                    wrong.append(text)

    assert wrong == []


@pytest.mark.parametrize("letter", ASCENDING)
@pytest.mark.parametrize("name", SKIP_NULLS)
def test_aggregates_skip_nulls(session: Session, name: str, letter: str) -> None:
    session.eval_script(f"V:({ASCENDING[letter]})6 4 3 5; A:(1#V),(1#0#V),(2_V),(1#0#V)")
    with_nulls, without = outcome(session, f"{name} A"), outcome(session, f"{name} V 0 2 3")

    assert with_nulls == without


def test_weighted_averages_skip_pairs_with_a_null(session: Session) -> None:
    assert session.eval("(1 0n 2 4 7f wavg 3 1 0n 2 5f)~1 4 7f wavg 3 2 5f") is True


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", ATOMIC_MONADS)
def test_atomic_keywords_reach_into_structures(session: Session, name: str, structure: str) -> None:
    into, outof = STRUCTURES[structure]
    wrong = []
    for i, letter in enumerate(LETTERS):
        session.eval_script(f"V:2#S {i}")
        plain = outcome(session, f"R:{name} V")
        whole = outcome(session, f"T:{name} {into} V")
        if plain.startswith("'"):
            good = plain == whole
        else:
            good = session.eval(f"T~{outof} R") is True
        if not good:
            wrong.append(letter)

    assert wrong == []


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", ATOMIC_DYADS)
def test_atomic_operators_reach_into_structures(
    session: Session, name: str, structure: str
) -> None:
    into, outof = STRUCTURES[structure]
    session.eval_script(
        f"F:{{x {name} y}}; I:{into}; O:{outof}; P:{{@[F x;y;`$]}}\n"
        "Q:{r:P[x;y];$[-11h=type r;r;O r]}\n"
        "D:{x:2#x;y:2#y;r:Q[x;y];$[r~P[I x;I y];1b;0b]}"
    )
    same = session.eval("raze S D/:\\:S")
    labels = [f"{x} {name} {y}" for x in LETTERS for y in LETTERS]

    assert [label for label, good in zip(labels, same, strict=True) if not good] == []


@pytest.mark.parametrize("function", CALLABLES)
def test_atomic_functions_take_no_functions(session: Session, function: str) -> None:
    texts = [f"@[{name};{function};`$]" for name in ATOMIC_MONADS]
    texts += [f".[{{x {name} y}};({function};1 2);`$]" for name in ATOMIC_DYADS]
    texts += [f".[{{x {name} y}};(1 2;{function});`$]" for name in ATOMIC_DYADS]

    assert [t for t in texts if outcome(session, t) != "`type"] == []
