"""`python -m tests.benchmarks [NAME ...]`: one JSON object per line, for the benchmarks whose names begin so, or all.

Fields: `name`, `value`, `unit`, `baseline`, `ratio` (see `tests.benchmarks.measure`). It judges nothing: numbers
depend on the machine. A benchmark that gives a wrong answer ends the call with exit code 1.
"""

from __future__ import annotations

import json
import sys

from tests.benchmarks import language, sandbox
from tests.benchmarks.measure import BENCHMARKS

MODULES = (language, sandbox)
"""Importing them registers what they measure."""


def main(names: list[str]) -> int:
    """Run the chosen benchmarks. Returns the exit code."""
    chosen = [each for each in BENCHMARKS if not names or each.name.startswith(tuple(names))]
    if not chosen:
        known = ", ".join(each.name for each in BENCHMARKS)
        print(f"no benchmark is called {' or '.join(names)}; there are: {known}", file=sys.stderr)
        return 2
    for each in chosen:
        try:
            print(json.dumps(each.row()), flush=True)
        except ValueError as error:
            print(f"{each.name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
