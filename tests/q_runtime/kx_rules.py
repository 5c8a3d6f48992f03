"""The rules under which steps of the documentation sample differ: the two lists, and the report by rule.

`kx_known_wrong.toml` names the steps whose documented answer is wrong or cannot be had without files, `kx_open.toml`
those that this engine does not yet give; each step stands under one rule. This module runs no step: `kx_sample` does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
LIMITS = "limits"
"""The open rule whose steps may pass on a machine that is quick enough."""

Step = tuple[str, int]
"""Session id and number."""


class Rule(NamedTuple):
    """One reason for which steps differ."""

    name: str
    reason: str
    steps: tuple[Step, ...]


@cache
def read_rules(file: str) -> tuple[Rule, ...]:
    """Read the rules of a file of this folder."""
    listed = tomllib.loads((FOLDER / file).read_text(encoding="utf-8"))["rule"]
    return tuple(
        Rule(
            rule["name"],
            rule["reason"],
            tuple((name, n) for name, steps in rule["steps"].items() for n in steps),
        )
        for rule in listed
    )


def known_wrong() -> tuple[Rule, ...]:
    """Return the rules by which the documentation itself is wrong."""
    return read_rules("kx_known_wrong.toml")


def still_open() -> tuple[Rule, ...]:
    """Return the rules that this engine lacks."""
    return read_rules("kx_open.toml")


@cache
def rule_of_known_wrong() -> dict[Step, str]:
    """Return the name of the rule for each step that the documentation has wrong."""
    return {step: rule.name for rule in known_wrong() for step in rule.steps}


def lines_by_rule(differing: Iterable[Step], show: Callable[[Step], str]) -> list[str]:
    """Say under which rule each step that differs stands, with counts and one line of steps for each page.

    What stands under no rule comes last, so that it is not overlooked.
    """
    left = set(differing)
    lines = []
    for heading, rules in (
        ("in no share: wrong in the documentation, or in need of files", known_wrong()),
        ("open, counted as failures", still_open()),
    ):
        lines.append(f"{sum(step in left for r in rules for step in r.steps):4}  {heading}")
        for rule in rules:
            found = [step for step in rule.steps if step in left]
            if found:
                lines += [f"{len(found):8}  {rule.name}: {rule.reason}", *_pages(found, show)]
            left -= set(found)
    lines += [f"{len(left):4}  under no rule", *_pages(sorted(left), show)]
    return lines


def _pages(steps: list[Step], show: Callable[[Step], str]) -> list[str]:
    """Return one line for each page."""
    by_page: dict[str, list[str]] = {}
    for step in steps:
        page, _, session = step[0].rpartition("#")
        by_page.setdefault(page, []).append(f"{session}.{step[1]}{show(step)}")
    return [f"{'':10}{page}  {' '.join(found)}" for page, found in by_page.items()]
