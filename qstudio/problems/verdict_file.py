"""Verdicts on disk, one JSON line per row of a verified file, so that an interrupted verification goes on where it was.

A line is written once and never changed; a torn last line is owed again. Its key says what it is a Verdict on: Problem,
tests, Program, grader and engine. So a file cannot silently mix two inputs, or be taken for another. What this
deliberately does not do: judge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.errors import PipelineError, RecordError
from pipeline.judging import Candidate
from pipeline.records import Problem, content_hash
from pipeline.rundir import append_lines

LINES_TOGETHER = 32
"""Verdicts that reach the disk in one write; so many at most are judged again after a crash."""
Line = dict[str, Any]


class VerdictFile:
    """The Verdicts of one verification. Use as a context manager: leaving it writes what is kept back."""

    def __init__(self, path: Path, engine: str, grader: str) -> None:
        """Read what an earlier call wrote. Raises: RecordError when the file holds something else."""
        self._path = path
        self._engine = engine
        self._grader = grader
        self._hashes: dict[str, str] = {}
        self._pending: list[Line] = []
        self._known = _read(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._flush()

    def find(self, number: int, candidate: Candidate, problem: Problem) -> Line | None:
        """The line of a row, if it was written already.

        Raises: RecordError when the row had another Program, test, grader or engine then.
        """
        line = self._known.get(number)
        if line is not None and line["key"] != self._key(candidate, problem):
            raise RecordError(
                f"{self._path} holds a Verdict on line {number} under another Program, test, grader or engine; "
                "name another file, or remove this one"
            )
        return line

    def add(self, line: Line, candidate: Candidate, problem: Problem) -> None:
        """Keep the line of a row that was judged now. Raises: RunDirError when the disk refuses."""
        self._pending.append({**line, "key": self._key(candidate, problem)})
        if len(self._pending) >= LINES_TOGETHER:
            self._flush()

    def _key(self, candidate: Candidate, problem: Problem) -> str:
        if problem.slug not in self._hashes:
            self._hashes[problem.slug] = problem.tests_hash
        tests = self._hashes[problem.slug]
        parts = [problem.slug, tests, candidate.program, self._grader, self._engine]
        return content_hash(parts)[:32]

    def _flush(self) -> None:
        if self._pending:
            append_lines(self._path, map(json.dumps, self._pending))
            self._pending = []


def _read(path: Path) -> dict[int, Line]:
    """Whole lines by row number. Raises: RecordError, PipelineError."""
    try:
        text = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise PipelineError(f"cannot read {path}: {error.strerror}") from error
    found: dict[int, Line] = {}
    for number, data in enumerate(text.splitlines(keepends=True), start=1):
        if not data.endswith(b"\n"):
            break
        line = _parse(data)
        if line is None or line["row"] in found:
            raise RecordError(
                f"{path} line {number} is not a Verdict that verify wrote once; name another file"
            )
        found[line["row"]] = line
    return found


def _parse(data: bytes) -> Line | None:
    try:
        line = json.loads(data)
    except ValueError:
        return None
    wanted: Mapping[str, type] = {"row": int, "key": str, "problem": str, "verdict": str}
    is_ours = isinstance(line, dict) and all(
        isinstance(line.get(name), kind) for name, kind in wanted.items()
    )
    return line if is_ours else None
