"""What a client saw, against what it should have seen.

Runs in the client's own environment and imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


class Report:
    """Counts comparisons and keeps those that failed."""

    def __init__(self) -> None:
        self.n = 0
        self.failures: list[str] = []

    def same(self, wanted: Any, call: Callable[..., Any], *arguments: Any) -> None:
        """Compare what a call returns, or the type and text of its error, by `repr`, so that 1 is not True."""
        self.n += 1
        try:
            got = repr(call(*arguments))
        except Exception as error:  # noqa: BLE001  any error may be what is wanted
            got = failure(type(error).__name__, str(error))
        if got != (wanted if isinstance(wanted, Failure) else repr(wanted)):
            self.failures.append(f"{arguments!r}: {got} instead of {wanted!r}")

    def finish(self) -> None:
        """Print the report as JSON."""
        sys.stdout.write(json.dumps({"n": self.n, "failures": self.failures}) + "\n")


class Failure(str):
    """The type and the text of an error that is wanted."""


def failure(kind: str, text: str) -> Failure:
    """Make what `same` compares an error with."""
    return Failure(f"{kind}: {text}")
