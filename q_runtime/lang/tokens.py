"""Tokens of q source text.

A token's `kind` is one of the constants below; `value` holds the decoded literal or the glyph.
"""

from __future__ import annotations

from typing import Any, NamedTuple

LITERAL = "literal"
"""A number, string, byte or temporal literal; `value` is a q value."""
SYMBOLS = "symbols"
NAME = "name"
VERB = "verb"
ITERATOR = "iterator"
OPEN = "open"
"""One of `( [ {`."""
CLOSE = "close"
SEMI = "semi"
ASSIGN = "assign"
"""`:` or `::` standing alone; compound assignment is a verb followed by this."""
END = "end"


class Token(NamedTuple):
    """One token with its place in the source. `spaced`: white space stands before it."""

    kind: str
    value: Any
    start: int
    end: int
    spaced: bool
