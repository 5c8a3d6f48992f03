"""Source code as HTML, coloured on the server.

Programs come from models and are hostile text: Pygments escapes every character, and this module is the only place
that marks the result as safe. It deliberately does not parse or judge the code.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, QLexer

MAX_CHARACTERS = 20_000
"""Longer text is cut: colouring is for reading, and a page must stay small."""

_FORMATTER = HtmlFormatter(nowrap=True, noclasses=False)
_LEXERS = {"q": QLexer(stripnl=False), "python": PythonLexer(stripnl=False)}


@lru_cache(maxsize=512)
def to_html(text: str, language: str) -> SafeString:
    """Lines of `text` as `<span class="line">` elements for a `<pre>`; `language` is `q` or `python`.

    Raises: KeyError for another language.
    """
    shown = text[:MAX_CHARACTERS]
    coloured = highlight(shown, _LEXERS[language], _FORMATTER).rstrip("\n")
    lines = [f'<span class="line">{line}</span>' for line in _closed_lines(coloured)]
    if len(text) > MAX_CHARACTERS:
        left_out = len(text) - MAX_CHARACTERS
        lines.append(
            f'<span class="line"><em>{left_out:,} more characters are not shown.</em></span>'
        )
    return mark_safe("".join(lines))  # every character of `text` was escaped by Pygments


def _closed_lines(coloured: str) -> list[str]:
    """Split formatted HTML into lines; a span that runs over a line end is closed and opened again."""
    lines: list[str] = []
    open_tag = ""
    for line in coloured.split("\n"):
        whole = open_tag + line
        start = whole.rfind("<span")
        is_open = start > whole.rfind("</span>")
        open_tag = whole[start : whole.index(">", start) + 1] if is_open else ""
        lines.append(whole + ("</span>" if is_open else ""))
    return lines
