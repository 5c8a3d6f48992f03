"""Claims that hold of every type: `type_matrix/rules.txt` says which, and every operator and keyword stands somewhere.

What pairs of types give is in the grids of `type_matrix/dyads.txt`, what items give in `monads.txt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from q_runtime import Session
from tests.q_runtime.test_type_matrix import FOLDER, LETTERS, SAMPLES
from tests.q_runtime.test_type_rules import ASCENDING

OF_OTHERS = {
    "b": "10110b", "g": f'(0Ng,{SAMPLES["g"]})1 0 0 1 0', "x": "0x0200ff0201", "c": '"b a b"', "s": "`b``a`b",
}  # fmt: skip
"""Some items of each type without infinities, the null and a repeated item among them."""

LISTS = (
    '(1;`a;"s")', "(1 2;3 4)", '("ab";"cd";"ab")', "(();())", "(1 2;`a`b)", "([]a:1 2;b:`x`y)", "`D$`a`b`a",
    "(1 2!3 4;1 2!3 4)", "(neg;abs)",
)  # fmt: skip
TEXTS = ('"banana"', '"  a bc "', '""', '"line\\nline"', '":x"', '1#"B"')
PREPARED = "D:`a`b`c"


def value_sets() -> dict[str, list[tuple[str, ...]]]:
    """The texts of the values that a rule is about, as tuples of x, or of x and y."""
    atoms, vectors, empties, numbers, plain = [], [], [], [], []
    same: list[tuple[str, ...]] = []
    for letter in LETTERS:
        sample = SAMPLES[letter]
        longest = (
            f"({ASCENDING[letter]})6 4 0 7 4 1 3 5" if letter in ASCENDING else OF_OTHERS[letter]
        )
        found = [f"enlist {sample}", f"2#{sample}", f"enlist first 0#{sample}", longest]
        atoms += [sample, f"first 0#{sample}"]
        vectors += found
        empties.append(f"0#{sample}")
        if letter in ASCENDING:
            atoms += [f"({ASCENDING[letter]}){i}" for i in (1, 7)]
            numbers += found
            plain += [found[0], f"({ASCENDING[letter]})4 5 6 3"]
        same += product([*found, f"0#{sample}"], repeat=2)
    twos = [f"2#{SAMPLES[letter]}" for letter in LETTERS]
    one = {
        "atoms": atoms, "vectors": vectors, "empties": empties, "lists": list(LISTS), "numbers": numbers,
        "plain": plain, "real": plain[:10],
        "integers": [f"({ASCENDING[letter]})6 4 0 7 4 1 3 5" for letter in "hij"],
        "texts": list(TEXTS),
    }  # fmt: skip
    return {
        **{name: [(text,) for text in texts] for name, texts in one.items()},
        "same": same,
        "pairs": list(product(twos, repeat=2)),
    }


VALUES = value_sets()


@dataclass
class Rule:
    """One line of the file."""

    names: list[str]
    values: list[str]
    claim: str


def read_rules() -> list[Rule]:
    """Read `rules.txt`."""
    out = []
    for line in (FOLDER / "rules.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("/ "):
            names, values, claim = line.split(" : ", 2)
            out.append(Rule(names.split(), values.split(), claim))
    return out


RULES = read_rules()


@pytest.fixture
def session() -> Session:
    made = Session()
    made.eval_script(PREPARED)
    return made


@pytest.mark.parametrize("rule", RULES, ids=[" ".join(rule.names) for rule in RULES])
def test_the_claim_holds_of_every_type(session: Session, rule: Rule) -> None:
    session.eval_script(f"F:{{{rule.claim}}}")
    wrong = []
    for values in (v for name in rule.values for v in VALUES[name]):
        arguments = f"enlist {values[0]}" if len(values) == 1 else f"({values[0]};{values[1]})"
        found = session.eval(f'.[F;{arguments};{{"\'",x}}]')
        if found is not True:
            wrong.append((values, found))

    assert wrong == []
