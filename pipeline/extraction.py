"""Completion -> Program: find the q source in what a policy wrote.

Three forms are understood: fenced blocks, bare q, and q with sentences around it. A completion of a plain format (one
whose prompt leaves nothing but q to write) is taken whole. What this deliberately does not do: parse q or repair it; a
Program with a mistake must reach the engine as it was written.
"""

from __future__ import annotations

import re

_Q_TAGS = ("q", "kdb", "kdb+", "kdbq", "k")
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*([\w+.-]*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL
)
_THOUGHT = re.compile(r"\A.*</think>", re.DOTALL)
_SPECIAL = re.compile(r"<\|[^|<>]{1,40}\|>")
_ASSIGNMENT = re.compile(r"^\.?[A-Za-z][\w.]*\s*(\[[^\]]*\])?\s*:{1,2}\s*\S")
_WORD = re.compile(r"[A-Za-z][a-z']*")
_Q_PUNCTUATION = re.compile(r"[{}\[\]`;\"\\#_$@~%&|^=<>*+!]|[/']:|\d")
_PROSE_START = re.compile(
    r"(?i)^(here|this|the|note|explanation|output|answer|sure|solution|example|below|it|to|we|i)\b"
)


def extract_program(completion: str, plain: bool = False) -> str | None:
    """The q source in a completion, stripped; None when there is none.

    Of several fenced blocks the first q one that contains a function is taken, else the first q one; untagged blocks
    stand in when none is tagged. Blocks tagged with another language are never a Program.
    """
    text = _SPECIAL.sub("", completion).replace("\r\n", "\n")
    if plain:
        return text.strip() or None
    text = _THOUGHT.sub("", text)
    if "```" in text:
        return _from_fences(text)
    return _from_bare_text(text)


def _from_fences(text: str) -> str | None:
    blocks = [(tag.lower(), body.strip()) for tag, body in _FENCE.findall(text) if body.strip()]
    tagged = [body for tag, body in blocks if tag in _Q_TAGS]
    candidates = tagged or [body for tag, body in blocks if not tag]
    if not candidates:
        return None
    return next((body for body in candidates if "{" in body), candidates[0])


def _from_bare_text(text: str) -> str | None:
    """Lines from the first that looks like q to the last before the prose goes on."""
    lines = text.strip("\n").split("\n")
    start = next((i for i, line in enumerate(lines) if _starts_program(line)), None)
    if start is None:
        return text.strip() if _is_single_expression(text) else None
    kept: list[str] = []
    depth = 0
    for line in lines[start:]:
        if depth <= 0 and _is_prose(line):
            break
        kept.append(line)
        depth += sum(map(line.count, "{[(")) - sum(map(line.count, "}])"))
    return "\n".join(kept).strip() or None


def _starts_program(line: str) -> bool:
    """A definition, a lambda or a q comment, standing at the start of a line."""
    text = line.strip()
    if text.startswith("{"):
        return True
    if not _ASSIGNMENT.match(text):
        return False
    return not _is_prose(text)


def _is_prose(line: str) -> bool:
    """A sentence: it begins like one, or it is words and next to none of q's punctuation."""
    text = line.strip()
    if not text or text.startswith(("/", "\\", "}")):
        return False
    n_words = len(_WORD.findall(text))
    n_marks = len(_Q_PUNCTUATION.findall(text))
    if _PROSE_START.match(text) and n_words >= 2 and not _ASSIGNMENT.match(text):
        return True
    return n_words >= 4 and n_marks * 4 < n_words


def _is_single_expression(text: str) -> bool:
    """One line that could be a function by itself, such as `sum` or `(+/)`."""
    line = text.strip()
    return bool(line) and "\n" not in line and not _is_prose(line) and line[-1] not in ".!?:,"
