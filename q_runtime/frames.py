"""How kdb+ shows calls of q that are or were under way. Source: KX basics/debug, ref/dotq."""

from __future__ import annotations

from collections.abc import Sequence

from q_runtime.errors import Frame


def frame_lines(frame: Frame, depth: int, place: str = "") -> tuple[str, str]:
    """Return the two lines that show a frame: its text with its number before it, and a caret below the place.

    place: what stands before the text instead of its name.
    """
    head = f"  [{depth}]  "
    if frame.at < 0:
        return head + frame.name, ""
    first = frame.source.rfind("\n", 0, frame.at) + 1
    row = frame.source[first:].partition("\n")[0]
    head += place or (f"{frame.name}:" if frame.name and not first else "")
    return head + row, " " * (len(head) + frame.at - first) + "^"


def backtrace(frames: Sequence[Frame]) -> str:
    """Return the text of frames that are given the innermost first; the outermost has the number 0."""
    lines = [
        line
        for depth, frame in zip(range(len(frames) - 1, -1, -1), frames, strict=True)
        for line in frame_lines(frame, depth)
    ]
    return "".join(f"{line}\n" for line in lines)


def offset_in(text: str, frames: Sequence[Frame]) -> int | None:
    """Return the offset in `text` that the innermost of the frames written in it had come to; None when none is."""
    for frame in reversed(frames):
        start = text.find(frame.source) if frame.at >= 0 else -1
        if start >= 0:
            return start + frame.at
    return None
