"""Hostile q Programs and Python references as data: `q.toml` and `python.toml`.

A case says what it attempts and holds one or more sources that are run one after the other. `<<name>>` in a source is
replaced by what the surroundings offer under that name, so that an attempt aims at something that is really there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PLACE = re.compile(r"<<(\w+)>>")
LONG_TEXTS = {
    "brackets": "(" * 3000 + "x" + ")" * 3000,
    "long_literal": "1 " * 200_000,
    "deep_sum": "1+" * 900 + "1",
    "deep_minus": "-" * 100_000 + "1",
    "deep_choice": "".join(f"    elif xs == {n}: pass\n" for n in range(900)),
    "many_locals": "".join(f"v{n}:x+{n};" for n in range(20_000)) + "x",
}
"""What is too long to be written into a file of cases."""


@dataclass(frozen=True)
class Case:
    """One attempt."""

    id: str
    group: str
    attempts: str
    """What it tries, as a phrase."""
    sources: tuple[str, ...]


def groups_of(language: str) -> list[str]:
    """The groups that the cases of a language are in."""
    return list(dict.fromkeys(row["group"] for row in _rows(language)))


def load_cases(language: str, offered: Mapping[str, str]) -> list[Case]:
    """The cases of `q` or `python` with everything that is offered put in. Raises: KeyError for an unknown name."""
    words = {**LONG_TEXTS, **offered}
    return [
        Case(
            id=row["id"],
            group=row["group"],
            attempts=row["attempts"],
            sources=tuple(
                PLACE.sub(lambda found: words[found[1]], source) for source in row["sources"]
            ),
        )
        for row in _rows(language)
    ]


def _rows(language: str) -> list[dict[str, Any]]:
    document = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = document["case"]
    return rows
