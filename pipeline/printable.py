"""What strangers' code said, made fit for a terminal, a file and a database.

What this deliberately does not do: escape for HTML; templates do.
"""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with everything that is not printable escaped: control characters, lone surrogates, line ends."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
