"""Reading a growing log by byte offset: its end, what came after an offset, what lies before one.

Never reads a whole file. Lines are given without terminal colours, and of a progress bar that rewrote itself only
the last state stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 64 * 1024
"""Most bytes that one reading takes."""
MAX_LINE = 2000

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NAME = re.compile(r"attempt_(\d+)\.log")


@dataclass(frozen=True)
class LogLine:
    """One line for the page."""

    text: str
    level: str
    """`error`, `warning` or empty."""


@dataclass(frozen=True)
class LogChunk:
    """Whole lines of the bytes from `start` to `end` of a file of `size` bytes."""

    lines: tuple[LogLine, ...]
    start: int
    end: int
    size: int

    @property
    def has_older(self) -> bool:
        return self.start > 0

    @property
    def has_newer(self) -> bool:
        return self.end < self.size


def log_paths(run_directory: Path) -> dict[int, Path]:
    """Number of the process to its log, in order."""
    found = (
        (_NAME.fullmatch(path.name), path)
        for path in (run_directory / "logs").glob("attempt_*.log")
    )
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def read_end(path: Path) -> LogChunk:
    """The last lines."""
    size = path.stat().st_size
    return _read(path, max(0, size - CHUNK_BYTES), size, size, keeps_torn_end=False)


def read_after(path: Path, offset: int) -> LogChunk:
    """Lines that begin at `offset`; an offset beyond the end (a log begun anew) reads the end."""
    size = path.stat().st_size
    if offset > size:
        return read_end(path)
    return _read(
        path, offset, min(size, offset + CHUNK_BYTES), size, keeps_torn_end=False, starts_line=True
    )


def read_before(path: Path, offset: int) -> LogChunk:
    """The lines that end at `offset`."""
    size = path.stat().st_size
    end = min(max(0, offset), size)
    return _read(path, max(0, end - CHUNK_BYTES), end, size, keeps_torn_end=True)


def _read(
    path: Path, start: int, end: int, size: int, *, keeps_torn_end: bool, starts_line: bool = False
) -> LogChunk:
    """Read bytes [start, end) and cut them to whole lines; one line longer than a chunk is cut by force."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(end - start)
    end = start + len(data)
    if start > 0 and not starts_line:
        cut = data.find(b"\n") + 1
        data, start = data[cut:], start + cut
    if not keeps_torn_end and not data.endswith(b"\n"):
        whole = data.rfind(b"\n") + 1
        if whole or len(data) < CHUNK_BYTES:
            end -= len(data) - whole
            data = data[:whole]
    lines = data.decode("utf-8", errors="replace").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return LogChunk(tuple(_line(text) for text in lines), start, end, size)


def _line(raw: str) -> LogLine:
    text = _ESCAPES.sub("", raw).rstrip("\r").rsplit("\r", 1)[-1]
    text = _CONTROLS.sub("�", text)
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]} … ({len(text) - MAX_LINE:,} more characters)"
    lowered = text[:300].lower()
    if "error" in lowered or "traceback" in lowered or "critical" in lowered:
        return LogLine(text, "error")
    return LogLine(text, "warning" if "warning" in lowered else "")
