"""What can go wrong when q runs.

    QError(code, detail, span)        the q program signalled: 'type, 'length, a user's own text ...
      QSyntaxError                    tokenizer or parser; always has a span
    RuntimeFault                      not q's fault; q's own traps never see it
      UnsupportedFeature              valid q that this engine does not have yet
      LimitExceeded(kind)             time | memory | output | depth
      Starved                         the machine was too busy to tell
      WorkerCrashed                   the process that ran the program died
      EngineUnavailable               an external engine is absent or refuses to start

Does not format console output: see display.py and console.py.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Span(NamedTuple):
    """A stretch of source text: offsets in characters, line and column counted from 1."""

    start: int
    end: int
    line: int
    column: int


def span_of(source: str, start: int, end: int) -> Span:
    """Locate offsets `start:end` of `source` by line and column."""
    line = source.count("\n", 0, start) + 1
    column = start - (source.rfind("\n", 0, start) + 1) + 1
    return Span(start, end, line, column)


class Frame(NamedTuple):
    """A call: its q text, and the offset in it that evaluation had come to.

    name: the variable that holds the function, where one does. at: -1 for a primitive, of which there is no text.
    """

    source: str
    at: int
    name: str = ""
    is_lambda: bool = False


class QError(Exception):
    """An error signalled by q. `code` is what kdb+ prints after the quote."""

    def __init__(self, code: str, detail: str = "", span: Span | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.span = span
        self.text: str | None = None
        """The text that `span` is a stretch of, once it is known."""
        self.at: int | None = None
        """The offset in `text` of what failed to apply: within `span`, not always at its start."""
        self.frames: tuple[Frame, ...] = ()
        """The calls that led to it, the outermost first, once they are known; of very many only the innermost."""
        self.depth = 0
        """How many calls are around the innermost."""
        self.unread: Frame | None = None
        """The text that could not be read, when that is what it is about."""

    def __str__(self) -> str:
        where = f" (line {self.span.line}, column {self.span.column})" if self.span else ""
        return f"'{self.code}{': ' + self.detail if self.detail else ''}{where}"


class QSyntaxError(QError):
    """Text that is not q. `code` is the offending character or token, as kdb+ reports it."""


class RuntimeFault(Exception):
    """A failure that is not the q program's fault; invisible to q's own traps."""


class UnsupportedFeature(RuntimeFault):
    """Valid q that this engine does not implement."""


class LimitExceeded(RuntimeFault):
    """A resource limit was hit. `kind` names it."""

    def __init__(
        self, kind: Literal["time", "memory", "output", "depth"], detail: str = ""
    ) -> None:
        super().__init__(f"{kind} limit exceeded{': ' + detail if detail else ''}")
        self.kind = kind


class Starved(RuntimeFault):
    """The machine gave an evaluation so little of its processors that its time says nothing about it."""


class WorkerCrashed(RuntimeFault):
    """The process that ran the program ended without an answer."""


class EngineUnavailable(RuntimeFault):
    """An engine cannot be started here."""
