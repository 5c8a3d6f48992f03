"""A text stream of limited size that stands for standard output while untrusted code runs.

It keeps the beginning, counts nothing it does not keep, and remembers that something was lost. What was printed is
evidence for a person to read; nothing is decided from it except that there was too much of it.
"""

from __future__ import annotations

import io


class BoundedText(io.TextIOBase):
    """Keeps up to `max_chars` characters; the rest is dropped and `has_overflowed` set."""

    def __init__(self, max_chars: int) -> None:
        super().__init__()
        self._max_chars = max_chars
        self._parts: list[str] = []
        self._n_kept = 0
        self.has_overflowed = False

    def writable(self) -> bool:
        """Tell that this is for writing."""
        return True

    def write(self, text: str, /) -> int:
        """Keep what fits."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        room = self._max_chars - self._n_kept
        if len(text) > room:
            self.has_overflowed = True
        if room > 0 and text:
            self._parts.append(text[:room])
            self._n_kept += min(len(text), room)
        return len(text)

    def take(self) -> tuple[str, bool]:
        """Return what was kept and whether something was lost, and begin anew."""
        text, has_overflowed = "".join(self._parts), self.has_overflowed
        self._parts, self._n_kept, self.has_overflowed = [], 0, False
        return text, has_overflowed
