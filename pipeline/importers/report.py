"""What to say after an import: how many rows were accepted, and why the others were not.

Reasons are counted by kind: what is particular to a row (quoted names, numbers, the text of an exception) is left out
of the kind. What this deliberately does not do: print.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.importers.rows import ImportedRow

_PARTICULAR = (
    (re.compile(r"'[^']*'(, '[^']*')*"), "'...'"),
    (re.compile(r"(?<!q value): .*$"), ""),
    (re.compile(r"\(.*?\)"), "(...)"),
    (re.compile(r"beyond 10\*\*30"), "N"),
    (re.compile(r"\d+"), "N"),
)


@dataclass(frozen=True)
class ImportReport:
    """Counts over the rows of one file."""

    n_rows: int
    n_accepted: int
    n_with_generator: int
    reasons: dict[str, int]
    """Kind of reason to number of refused rows, most frequent first."""

    @property
    def accepted_share(self) -> float:
        """Accepted rows as a proportion of all rows; 0 for an empty file."""
        return self.n_accepted / self.n_rows if self.n_rows else 0.0

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "rows": self.n_rows,
            "accepted": self.n_accepted,
            "accepted_share": round(self.accepted_share, 4),
            "with_generator": self.n_with_generator,
            "reasons": self.reasons,
        }

    def lines(self) -> list[str]:
        """The report as text, one line per kind of reason."""
        head = (
            f"{self.n_accepted} of {self.n_rows} rows accepted ({self.accepted_share:.1%}), "
            f"{self.n_with_generator} of them with an input generator"
        )
        return [head, *(f"  {count:5}  {reason}" for reason, count in self.reasons.items())]


def summarize(rows: Iterable[ImportedRow]) -> ImportReport:
    """Count the rows of an import; only the first reason of a refused row counts."""
    n_rows = n_accepted = n_with_generator = 0
    reasons: Counter[str] = Counter()
    for row in rows:
        n_rows += 1
        if row.problem is not None:
            n_accepted += 1
            n_with_generator += bool(row.problem.generator)
        elif row.reasons:
            reasons[kind_of_reason(row.reasons[0])] += 1
    return ImportReport(n_rows, n_accepted, n_with_generator, dict(reasons.most_common()))


def kind_of_reason(reason: str) -> str:
    """A reason without what is particular to its row."""
    for pattern, replacement in _PARTICULAR:
        reason = pattern.sub(replacement, reason)
    return reason.strip()
