"""Run directory to rows: reads on where it stopped, and may be repeated, interrupted or run twice at once.

The events of a Run are read in order from a byte offset. An event that names a file of records first has that file
read on, from an offset of its own. Each transaction takes the Run's row, sees that the offset is still the one it
read from, and moves it with the rows it writes: whoever comes second finds the offset moved and leaves. Rows are
keyed by content, so even a reading from the beginning adds nothing twice.

What an event means for the tables is in `runs.projection`, here is only how it gets there.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from pydantic import ValidationError

from pipeline import records
from pipeline.rundir import EVENTS
from qstudio.runs import projection
from qstudio.runs.models import Run
from qstudio.runs.tailing import Lines, read_on
from qstudio.runs.uses import renew_uses

logger = logging.getLogger(__name__)

BATCH = 250
"""Lines per transaction: SQLite has one writer at a time, and pages must not wait for it."""

R = TypeVar("R", bound=records.Record)


class _Overtaken(Exception):
    """Another process has ingested these lines meanwhile."""


def ingest(run: Run, *, applies_states: bool = True, budget_s: float | None = None) -> int:
    """Bring the rows of a Run up to its directory; how many lines were new.

    `applies_states`: whether the begin and end of its process change the Run's state (not when old events are read
    again). `budget_s`: stop after about so many seconds; the rest is for the next call. `run` is refreshed.
    """
    deadline = time.monotonic() + budget_s if budget_s else None
    reader = _Reader(run, applies_states)
    try:
        while reader.step() and (deadline is None or time.monotonic() < deadline):
            pass
    except _Overtaken:
        pass
    if reader.n_lines:
        run.refresh_from_db()
        if reader.has_results:
            renew_uses(run)
    return reader.n_lines


def rebuild(run: Run) -> int:
    """Drop what ingest wrote for a Run and read its directory from the beginning; lines read.

    Solutions stay, since Reviews hang on them; reading again finds them unchanged.
    """
    projection.forget(run)
    Run.objects.filter(pk=run.pk).update(event_offset=0, file_offsets={})
    run.refresh_from_db()
    return ingest(run, applies_states=False)


class _Reader:
    """One reading of one Run's directory."""

    def __init__(self, run: Run, applies_states: bool) -> None:
        self.run = run
        self.directory = Path(run.directory)
        self.applies_states = applies_states
        self.n_lines = 0
        self.has_results = False
        """Whether a Checkpoint or an Evaluation was among them."""
        self._event_offset, self._file_offsets = run.event_offset, dict(run.file_offsets)
        self._known = projection.KnownRows(run)

    def step(self) -> bool:
        """Ingest one batch of events and the records that they announce; False when there was nothing new."""
        found = read_on(self.directory / EVENTS, self._event_offset, BATCH)
        if not found.lines:
            return False
        events = list(_parse(found.lines, records.RunEvent, self.directory / EVENTS))
        for path in dict.fromkeys(_announced(event) for event in events):
            if path is not None:
                self._read_records(*path)
        with transaction.atomic():
            self._take(event_offset=found)
            for event in events:
                projection.apply_event(self.run, event, applies_states=self.applies_states)
            projection.store_events(self.run, events)
        self._event_offset = found.end
        self.n_lines += len(found.lines)
        self.has_results |= any(event.kind in ("checkpoint", "evaluation") for event in events)
        return True

    def _read_records(self, kind: str, name: str) -> None:
        """Ingest what is new in one file of records."""
        path = self.directory / name
        while True:
            found = read_on(path, self._file_offsets.get(name, 0), BATCH)
            if not found.lines:
                return
            rows = list(_parse(found.lines, projection.RECORD_KINDS[kind], path))
            prepared = self._known.prepare(kind, rows)
            with transaction.atomic():
                self._take(file_offset=(name, found))
                projection.store_records(self.run, kind, prepared)
            self._file_offsets[name] = found.end
            self.n_lines += len(found.lines)

    def _take(
        self, *, event_offset: Lines | None = None, file_offset: tuple[str, Lines] | None = None
    ) -> None:
        """Lock the Run's row and move an offset. Raises: _Overtaken when somebody else has moved it."""
        row = (
            Run.objects.select_for_update().only("event_offset", "file_offsets").get(pk=self.run.pk)
        )
        if event_offset is not None:
            if row.event_offset != self._event_offset:
                raise _Overtaken
            row.event_offset = event_offset.end
        if file_offset is not None:
            name, lines = file_offset
            if row.file_offsets.get(name, 0) != self._file_offsets.get(name, 0):
                raise _Overtaken
            row.file_offsets[name] = lines.end
        Run.objects.filter(pk=row.pk).update(
            event_offset=row.event_offset,
            file_offsets=row.file_offsets,
            updated_at=timezone.now(),
        )


def _without_nul(value: Any) -> Any:
    """JSON in which U+2400, the picture of NUL, stands for it."""
    if isinstance(value, str):
        return value.replace("\0", "\u2400")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nul(item) for name, item in value.items()}
    return value


def _announced(event: records.RunEvent) -> tuple[str, str] | None:
    """Kind and path of the records that an event says were written; a path outside the directory is ignored."""
    if event.kind not in projection.RECORD_KINDS:
        return None
    name = str(event.data.get("path", ""))
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        logger.warning("event %s names no file in the run directory: %r", event.seq, name)
        return None
    return event.kind, name


def _parse(lines: Iterable[bytes], kind: type[R], path: Path) -> Iterable[R]:
    """The records in the lines; a line that holds none is reported and left out, since the rest is good."""
    for line in lines:
        try:
            # PostgreSQL has no text with NUL in it, and models write what they like.
            if rb"\u0000" in line:
                yield kind.model_validate(_without_nul(json.loads(line)))
            else:
                yield kind.model_validate_json(line)
        except ValidationError as error:
            logger.warning(
                "%s: a line is not a %s: %s", path, kind.__name__, error.errors()[0]["msg"]
            )
