"""Reading on in a growing file of JSON lines, from a byte offset. A line without its end is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Lines:
    """Whole lines of a file and the byte offset after them."""

    lines: list[bytes]
    start: int
    """Where reading began: the offset asked for, or 0 when the file was replaced by another."""
    end: int


def read_on(path: Path, offset: int, limit: int) -> Lines:
    """At most `limit` whole lines from `offset` on; none when there is nothing new or no file."""
    try:
        with path.open("rb") as file:
            start = offset if _fits(file, offset) else 0
            file.seek(start)
            lines: list[bytes] = []
            end = start
            while len(lines) < limit:
                line = file.readline()
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                lines.append(line)
            return Lines(lines, start, end)
    except FileNotFoundError:
        return Lines([], offset, offset)


def _fits(file: BinaryIO, offset: int) -> bool:
    """Whether the offset is the beginning of a line of this file: else the file is not the one we read."""
    if offset == 0:
        return True
    if offset > file.seek(0, 2):
        return False
    file.seek(offset - 1)
    return file.read(1) == b"\n"
