"""The run directory: the one place where a run keeps its settings, records, progress and artifacts.

    config.json        resolved settings, written before any work
    problems.jsonl     snapshot of the Problems, `solutions.jsonl` the Solutions known at the start
    meta.json          versions and the processes that worked here
    events.jsonl       append-only: what happened, in order (the dashboard reads on from a byte offset)
    progress.json      the state right now: stage, done, total, message, heartbeat time
    control.json       what a person asks of the run: {"request": "stop"}
    prompts.jsonl      the text of every Prompt, by id
    logs/attempt_<n>.log   standard output and error of the n-th process
    initial/, iterations/<nnn>/, equal_steps_base/   what the stages made

Whole files are replaced by rename; lines are appended and flushed; a torn last line is owed again. Knows nothing of
stages: it only knows how to write so that a crash at any byte loses at most the line being written.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from pipeline.config import RunConfig, resolve
from pipeline.errors import RecordError, RunDirError
from pipeline.records import Record, RunEvent

R = TypeVar("R", bound=Record)

EVENTS = "events.jsonl"
PROGRESS = "progress.json"
CONTROL = "control.json"


def utc_now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by JSON text, whole or not at all. Raises: RunDirError when the disk refuses."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace `path` by text, whole or not at all. Raises: RunDirError when the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunDirError(_disk_sentence(path, error)) from error


def read_json(path: Path) -> Any:
    """The JSON value in `path`. Raises: RunDirError, RecordError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunDirError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise RecordError(f"{path} is not JSON ({error}); restore it or start a new run") from error


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Append lines and flush them to disk; mends a torn last line first. Raises: RunDirError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            _drop_torn_line(file)
            file.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RunDirError(_disk_sentence(path, error)) from error


def append_records(path: Path, records: Iterable[Record]) -> None:
    """Append records, one JSON line each. Raises: RunDirError."""
    append_lines(path, (record.model_dump_json() for record in records))


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Replace `path` by records, one JSON line each. Raises: RunDirError."""
    write_text(path, "".join(f"{record.model_dump_json()}\n" for record in records))


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The whole records in a JSON lines file; a torn last line is passed over. Raises: RecordError."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                name = kind.__name__
                raise RecordError(
                    f"{path} line {number} is not a {name}: {error.errors()[0]['msg']}"
                ) from error


class RunDir:
    """One run's directory. All writing methods may raise `RunDirError`."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._next_seq = 0

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunDir:
        """Make the directory and write the settings; refuses one that already holds a run."""
        if (path / "config.json").exists():
            raise RunDirError(
                f"{path} already holds a run; choose another directory, or resume that run"
            )
        write_json(path / "config.json", config.model_dump(mode="json"))
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """An existing run directory. Raises: RunDirError when there is no run in it."""
        if not (path / "config.json").exists():
            raise RunDirError(f"{path} holds no run: config.json is missing")
        return cls(path)

    def config(self) -> RunConfig:
        """The resolved settings. Raises: ConfigError, RecordError, RunDirError."""
        return resolve(read_json(self.path / "config.json"))

    def event(self, kind: str, message: str, **data: Any) -> RunEvent:
        """Append one event; sequence numbers go on from what the file holds."""
        if self._next_seq == 0:
            self._next_seq = sum(1 for _ in read_records(self.path / EVENTS, RunEvent)) + 1
        record = RunEvent(seq=self._next_seq, time=utc_now(), kind=kind, message=message, data=data)
        append_records(self.path / EVENTS, [record])
        self._next_seq += 1
        return record

    def events(self, kind: str) -> list[RunEvent]:
        """The events of one kind so far, in order."""
        return [e for e in read_records(self.path / EVENTS, RunEvent) if e.kind == kind]

    def write_progress(self, **fields: Any) -> None:
        """Replace the state of the moment; `heartbeat` (Unix time, seconds) is added."""
        write_json(self.path / PROGRESS, {**fields, "heartbeat": time.time(), "pid": os.getpid()})

    def read_progress(self) -> dict[str, Any]:
        """The state of the moment; empty before the first write."""
        path = self.path / PROGRESS
        return read_json(path) if path.exists() else {}

    def request(self, action: str | None) -> None:
        """Ask something of the running process (`stop`), or withdraw it with None."""
        if action is None:
            (self.path / CONTROL).unlink(missing_ok=True)
        else:
            write_json(self.path / CONTROL, {"request": action, "time": utc_now()})

    def requested(self) -> str | None:
        """What a person asks of the run."""
        path = self.path / CONTROL
        return read_json(path).get("request") if path.exists() else None

    def next_log(self) -> Path:
        """A path for the log of the next process that works here."""
        logs = self.path / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        return logs / f"attempt_{len(list(logs.glob('attempt_*.log'))) + 1}.log"


def _drop_torn_line(file: Any) -> None:
    """Cut what a crash left behind the last newline of an open binary file."""
    end = file.seek(0, os.SEEK_END)
    position = end
    while position > 0:
        start = max(0, position - 65_536)
        file.seek(start)
        newline = file.read(position - start).rfind(b"\n")
        if newline >= 0:
            position = start + newline + 1
            break
        position = start
    if position != end:
        file.truncate(position)
    file.seek(0, os.SEEK_END)


def _disk_sentence(path: Path, error: OSError) -> str:
    if error.errno == 28:  # ENOSPC
        return f"the disk is full: {path} could not be written; free some space and resume the run"
    return f"cannot write {path}: {error.strerror}; check the folder's rights and the disk"
