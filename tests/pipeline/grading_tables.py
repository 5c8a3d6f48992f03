"""The tables of docs/grading.md as parameters of tests: what the page says is what is executed."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "grading.md"
_CELLS = r"`(?P<type>[^`]+)` \| `(?P<expected>[^`]+)` \| (?P<q>`[^`]+`|`` .+? ``) \| (?P<outcome>\w+) \|$"
_ROW = re.compile(rf"^\| {_CELLS}")
_COMPARATOR_ROW = re.compile(rf"^\| `(?P<comparator>[^`]+)` \| {_CELLS}")
_CONSTANTS = {"nan": math.nan, "inf": math.inf}


def equality_rows(heading: str) -> list[Any]:
    """The rows of a grader's table: type, expected value, q text, outcome."""
    return [pytest.param(*_cells(row), id=_name(row)) for row in _rows(heading, _ROW)]


def comparator_rows() -> list[Any]:
    """The rows of the table of comparators, with the comparator in front."""
    return [
        pytest.param(row["comparator"], *_cells(row), id=f"{row['comparator']} {_name(row)}")
        for row in _rows("Comparators", _COMPARATOR_ROW)
    ]


def _rows(heading: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Every row of the section's table; one that is not understood is an error, and so is a section without any."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    found = [match for line in lines if (match := pattern.match(line))]
    if len(found) != len(lines) or not found:
        raise ValueError(
            f"{len(lines) - len(found)} of {len(lines)} rows under {heading!r} cannot be read"
        )
    return found


def _cells(row: re.Match[str]) -> tuple[str, Any, str, str]:
    expected = eval(row["expected"], {"__builtins__": {}}, dict(_CONSTANTS))
    return (
        row["type"],
        expected,
        row["q"].strip("`").strip() if row["q"][1] != "`" else row["q"][3:-3],
        row["outcome"],
    )


def _name(row: re.Match[str]) -> str:
    return f"{row['expected']} against {row['q']}"
