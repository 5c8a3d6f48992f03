"""Saying what is on disk. Records are written first and announced after, and a process may be killed in between.

Whoever reads a run directory waits for the announcement, so the next process makes it in the place of the one that was
killed, and makes none twice. What this deliberately does not do: write records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.stages.context import RunContext


def announce_once(context: RunContext, kind: str, message: str, *, by: str, **data: Any) -> None:
    """Append an event, unless there is one of this kind with the same `data[by]`."""
    if all(event.data.get(by) != data[by] for event in context.rundir.events(kind)):
        context.reporter.event(kind, message, **data)


def announce_rest(context: RunContext, kind: str, path: Path, n_written: int, **data: Any) -> None:
    """Append an event for those of the records in a file that no event of this kind has counted."""
    name = context.relative(path)
    told = (event.data for event in context.rundir.events(kind))
    n = n_written - sum(each["n"] for each in told if each["path"] == name)
    if n > 0:
        message = f"{n} {kind.title()} were written by a process that was ended before it said so"
        context.reporter.event(kind, message, path=name, n=n, **data)
