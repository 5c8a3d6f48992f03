"""`python -m tests.benchmarks [NAME ...]`: one JSON object per line, for the benchmarks whose names begin so, or all.

Fields: `name`, `value`, `unit`, `baseline`, `ratio` (see `tests.benchmarks.measure`). A group of which all were run
ends in a row of the geometric mean of its ratios. It judges nothing: numbers depend on the machine. A benchmark that
gives a wrong answer ends the call with exit code 1.
"""

from __future__ import annotations

import json
import sys

from tests.benchmarks import (
    language,
    list_algorithms,
    number_algorithms,
    sandbox,
    startup,
    vectors,
    verdicts,
)
from tests.benchmarks.measure import BENCHMARKS, geometric_mean, rounded

MODULES = (number_algorithms, list_algorithms, vectors, language, startup, sandbox, verdicts)
"""Importing them registers what they measure."""
GROUPS = ("scalar.", "vector.")
"""Beginnings of the names of benchmarks that are also summed up in one number."""


def main(names: list[str]) -> int:
    """Run the chosen benchmarks. Returns the exit code."""
    chosen = [each for each in BENCHMARKS if not names or each.name.startswith(tuple(names))]
    if not chosen:
        known = ", ".join(each.name for each in BENCHMARKS)
        print(f"no benchmark is called {' or '.join(names)}; there are: {known}", file=sys.stderr)
        return 2
    ratios: dict[str, float] = {}
    for each in chosen:
        try:
            row = each.row()
        except ValueError as error:
            print(f"{each.name}: {error}", file=sys.stderr)
            return 1
        print(json.dumps(row), flush=True)
        if row["ratio"] is not None:
            ratios[each.name] = float(str(row["ratio"]))
    for group in GROUPS:
        members = [each.name for each in BENCHMARKS if each.name.startswith(group)]
        if all(name in ratios for name in members):
            print(json.dumps(mean_row(group, [ratios[name] for name in members])), flush=True)
    return 0


def mean_row(group: str, ratios: list[float]) -> dict[str, object]:
    """What is printed for a whole group: the geometric mean of the ratios."""
    mean = rounded(geometric_mean(ratios))
    return {"name": f"{group}mean", "value": mean, "unit": "ratio", "baseline": 1.0, "ratio": mean}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
