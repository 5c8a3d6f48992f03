"""The matrix of types is whole: every operator and keyword stands in it, and every cell is a value or a q error.

The names are those of `docs/q-coverage.md`, so one that is added without a row in `type_matrix/` fails here.
What a cell must give is said by the files of `type_matrix/`; here it must only be an answer.
"""

from __future__ import annotations

import re

import pytest

from q_runtime import Limits, RuntimeFault, Session, prims
from q_runtime.prims.registry import PRIMITIVES
from tests.architecture.tree import REPOSITORY
from tests.q_runtime.test_type_claims import PREPARED, RULES
from tests.q_runtime.test_type_matrix import GRIDS, LETTERS, ROWS, SAMPLES
from tests.q_runtime.test_type_rules import ASCENDING

NO_DATA = {
    "::": "assigns a global, of any type, as `:` does a local",
    "0:": "its arguments are names of types and text; in the transcripts",
    "1:": "its arguments are names of types and bytes; in the transcripts",
    "csv": "a constant",
    "hopen": "takes an address",
    "hclose": "takes a handle",
    "system": "takes a command",
    "view": "takes a name",
    "views": "takes a namespace",
}
"""Operators and keywords whose result does not depend on the type of data, and why."""

STRUCTURES = (
    '"abc"', "()", '(1;`a;"s")', '("ab";"cd")', "(1 2;3 4)", "(();())", "`a`b!1 2", "`a`b!(1 2;3 4)", "`a`b!`x`y",
    "()!()", "([]a:1 2;b:`x`y)", "([]a:0#1)", "([k:`p`q]a:1 2)", "([k:0#`]a:0#1)", "{x}", "{x|y}", "(1|)", "(+)",
    "(+/)", "(::)", "(neg abs@)", "`D$`a`b", "`D$`a", "`s#1 2 3",
)  # fmt: skip


def cells() -> list[str]:
    """One text for each type and shape."""
    out = list(STRUCTURES)
    for letter in LETTERS:
        sample = SAMPLES[letter]
        out += [sample, f"first 0#{sample}", f"({sample}),first 0#{sample}", f"0#{sample}"]
        if letter in ASCENDING:
            out.append(f"last {ASCENDING[letter]}")
    return out


def names_of_the_reference() -> list[str]:
    """Operators and keywords of the page, without those that are refused."""
    page = (REPOSITORY / "docs" / "q-coverage.md").read_text(encoding="utf-8")
    tables = page[page.index("## Operators") : page.index("## .Q")]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \|", tables, re.MULTILINE)
    return [name.replace("\\|", "|") for name, state in rows if state != "access"]


def test_every_operator_and_keyword_stands_in_the_matrix() -> None:
    tokens = r"[a-z]+\d?|[<>]=|<>|[-:+*%&|^=<>~$#_,!?@.]"
    standing = {name for rule in RULES for name in rule.names} | {name for name, _ in GRIDS}
    standing |= {token for text, _, _ in ROWS for token in re.findall(tokens, text)}

    assert [n for n in names_of_the_reference() if n not in standing and n not in NO_DATA] == []
    assert [n for n in NO_DATA if n in standing or n not in names_of_the_reference()] == []


ITERATORS = frozenset({"over", "scan"})
"""A list that leads in a circle is applied for ever, as it must: `10b over 0`."""
OURS = {
    ("vs", 2): "digits of negative numbers, nulls, floats and times",
    ("value", 1): "the byte code of a lambda",
    ("get", 1): "the byte code of a lambda",
    (".:", 1): "the byte code of a lambda",
}
"""Gaps, each of them said in `docs/q-coverage.md`: cells there may raise UnsupportedFeature."""


def primitives() -> list[tuple[str, int]]:
    """Each primitive with one or two arguments."""
    prims.load()
    return [
        (name, rank)
        for name, made in PRIMITIVES.items()
        for rank in made.ranks
        if rank in (1, 2) and name not in ITERATORS
    ]


def failing_cells(session: Session, name: str, rank: int) -> list[str]:
    """Apply to every cell; return those that neither gave a value nor a q error."""
    texts = cells()
    session.eval_script(f"F:{name if name[0].isalpha() else f'({name})'}")
    wrong = []
    for i, first in enumerate(texts):
        try:
            if rank == 1:
                session.eval(f"@[{{.Q.s1 F X x;0}};{i};0]")
            else:
                session.eval(f"{{@[{{F[X x 0;X x 1];0}};({i};x);0]}}each til {len(texts)}")
        except RuntimeFault as fault:
            wrong.append(f"{name} with {first}: {fault}")
    return wrong


@pytest.mark.parametrize(("name", "rank"), primitives())
def test_every_cell_is_a_value_or_a_q_error(name: str, rank: int) -> None:
    session = Session(Limits(time_s=60.0))
    session.eval_script(f"{PREPARED}\nX:({';'.join(cells())})")
    wrong = failing_cells(session, name, rank)

    if (name, rank) in OURS:
        assert wrong, f"{name} has no gap any more: take it from the list"
        assert all("not supported" in text for text in wrong)
    else:
        assert wrong == []


FORMS = (
    "@[x;y;z]", ".[x;y;z]", "@[x;y;:;z]", "@[x;y;+;z]", ".[x;y;:;z]", ".[x;y;,;z]", "@[x;y;neg]", "ssr[x;y;z]",
    "?[x;y;z]", "$[x;y;z]", "x[y;z]", "x[;y]z", "aj[x;y;z]", "ej[x;y;z]", "wj[(x;x);y;z;(z;(max;`a))]", "?[x;y;0b;z]",
    "?[x;();y;z]", "![x;y;0b;z]", "![x;();y;z]", "x+'y", "x+/:y", "x+\\:y", "x+/y", "x+\\y", "x,'y", "x in'y", "x#'y",
    "x{y}/y", "x{x,y}'y", "x{x+y}':y",
)  # fmt: skip
"""Forms of more than two arguments, and iterators between two."""
OPERANDS = (
    '"abc"', "()", '(1;`a;"s")', "(1 2;3 4)", "(();())", "`a`b!1 2", "()!()", "([]a:1 2;b:`x`y)", "([k:`p`q]a:1 2)",
    "([k:0#`]a:0#1)", "{x|y}", "(+)", "(::)", "`D$`a`b", "1b", "2h", "0N 0W", "0#0", "enlist 1 2", "1 0f", "`a", "`a`b",
    "0#`", "2001.02.03", "(`a;0)", "1 2 3", "`",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_three_give_a_value_or_a_q_error(form: str) -> None:
    session = Session(Limits(time_s=60.0))
    session.eval_script(f"{PREPARED}\nX:({';'.join(OPERANDS)})\nF:{{[x;y;z]{form}}}")
    each = f"each til {len(OPERANDS)}"
    inner = "@[{.Q.s1 F[X x 0;X x 1;X x 2];0};(x;y;z);0]"

    session.eval(f"{{[x]{{[x;y]{{[x;y;z]{inner}}}[x;y]{each}}}[x]{each};0}}{each}")
