"""The types that operators and keywords return, and refuse, for every pair of basic types and every shape.

Expectations stand in `type_matrix/`, copied by hand from the reference; nothing there comes from this engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from q_runtime import Session

FOLDER = Path(__file__).parent / "type_matrix"
LETTERS = "bgxhijefcspmdznuvt"
SAMPLES = {
    "b": "1b", "g": '"G"$"8c680a01-5a49-5aab-5a65-d4bfddb6a661"', "x": "0x02", "h": "2h", "i": "2i",
    "j": "2", "e": "2e", "f": "2f", "c": '"a"', "s": "`a", "p": "2001.02.03D04:05:06", "m": "2001.02m",
    "d": "2001.02.03", "z": "2001.02.03T04:05:06.000", "n": "0D00:00:02", "u": "00:02", "v": "00:00:02",
    "t": "00:00:00.002",
}  # fmt: skip
SECOND = {
    "b": "01b", "x": "0x0203", "h": "2 3h", "i": "2 3i", "e": "2 3e", "c": '"ab"', "s": "`a`b",
    "g": '"G"$("8c680a01-5a49-5aab-5a65-d4bfddb6a661";"9c680a01-5a49-5aab-5a65-d4bfddb6a661")',
}  # fmt: skip
"""Two different items in ascending order of the types whose samples cannot be counted on by `+0 1`."""
SHAPES = {
    "atom": "{x}",
    "null": "{first 0#enlist x}",
    "vector": "{2#x}",
    "empty": "{0#x}",
}
PAIRS_OF = {
    "": [("atom", "atom"), ("null", "vector"), ("vector", "atom"), ("empty", "empty")],
    "vectors": [("vector", "vector")],
    "window": [("atom", "vector"), ("atom", "empty")],
}
MATRIX = 'raze{{.[{.Q.t abs type F[x;y]};(x;y);{$[x~"type";".";"!"]}]}[x]each Y}each X'
ROW = '{@[{.Q.t abs type F x};x;{$[x~"type";".";"!"]}]}each X'


@dataclass
class Grid:
    """One table of the file: functions, the shapes it holds for, and a row of letters for each type of x."""

    functions: list[str]
    shapes: str
    rows: dict[str, str]


def read_grids() -> list[Grid]:
    """Read `dyads.txt`."""
    out: list[Grid] = []
    for line in (FOLDER / "dyads.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("/ "):
            continue
        cells = line.replace(" ", "")
        if cells == LETTERS:
            continue
        if len(cells) == 1 + len(LETTERS) and cells[0] in LETTERS:
            out[-1].rows[cells[0]] = cells[1:]
        else:
            names, _, shapes = line.partition(" : ")
            out.append(Grid(names.split(), shapes, {}))
    return out


def read_rows() -> list[tuple[str, str, str]]:
    """Read `monads.txt`: a keyword or lambda, shapes, and a letter for each type."""
    out = []
    for line in (FOLDER / "monads.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("/ "):
            names, shapes, letters = re.split(r"\s:\s", line)
            for name in re.findall(r"\{[^}]*\}|[a-z]+", names):
                out.append((name, shapes.strip(), letters.replace(" ", "")))
    return out


def read_identities() -> list[tuple[str, str, str]]:
    """Read `identities.txt`: shapes, an expression of x, and what it is defined as."""
    lines = (FOLDER / "identities.txt").read_text(encoding="utf-8").splitlines()
    cells = (line.split(" : ") for line in lines if line and not line.startswith("/ "))
    return [(shapes, left, right) for shapes, left, right in cells]


GRIDS = [(name, grid) for grid in read_grids() for name in grid.functions]
ROWS = read_rows()


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session()
    made.eval_script("S:(" + ";".join(SAMPLES[letter] for letter in LETTERS) + ")")
    return made


def differences(expected: str, actual: str, labels: list[str]) -> list[str]:
    """Return the cells that differ, as `label: expected, got actual`."""
    assert len(expected) == len(actual) == len(labels)
    return [
        f"{label}: {want}, got {got}"
        for label, want, got in zip(labels, expected, actual, strict=True)
        if want not in (got, "?")
    ]


@pytest.mark.parametrize(("name", "grid"), GRIDS, ids=[name for name, _ in GRIDS])
def test_types_of_pairs(session: Session, name: str, grid: Grid) -> None:
    expected = "".join(grid.rows[letter] for letter in LETTERS)
    labels = [f"{x} {name} {y}" for x in LETTERS for y in LETTERS]
    session.eval_script(f"F:{{x {name} y}}")
    wrong = []
    for left, right in PAIRS_OF[grid.shapes]:
        session.eval_script(f"X:{SHAPES[left]} each S; Y:{SHAPES[right]} each S")
        found = differences(expected, session.eval(MATRIX), labels)
        wrong += [f"{left} and {right}: {cell}" for cell in found]

    assert wrong == []


@pytest.mark.parametrize(("name", "shapes", "letters"), ROWS, ids=[row[0] for row in ROWS])
def test_types_of_items(session: Session, name: str, shapes: str, letters: str) -> None:
    session.eval_script(f"F:{{{name} x}}")
    wrong = []
    for shape in shapes.split():
        session.eval_script(f"X:{SHAPES[shape]} each S")
        found = differences(letters, session.eval(ROW), [f"{name} {x}" for x in LETTERS])
        wrong += [f"{shape}: {cell}" for cell in found]

    assert wrong == []


@pytest.mark.parametrize(("shapes", "left", "right"), read_identities())
def test_keywords_are_what_defines_them(
    session: Session, shapes: str, left: str, right: str
) -> None:
    items = [SECOND.get(letter, f"{SAMPLES[letter]}+0 1") for letter in LETTERS]
    session.eval_script(f"V:({';'.join(items)}); E:0#/:V; L:{{{left}}}; R:{{{right}}}")
    session.eval_script("F:{@[{(1b;x y)}x;y;{(0b;::)}]}; C:{F[L;x]~F[R;x]}")
    wrong = {
        shape: [
            letter
            for letter, same in zip(
                LETTERS, session.eval(f"C each {shape[0].upper()}"), strict=True
            )
            if not same
        ]
        for shape in shapes.split()
    }

    assert wrong == {shape: [] for shape in shapes.split()}
