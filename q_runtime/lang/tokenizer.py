"""Text to tokens. Comments and white space vanish; every token keeps its offsets.

Line structure (which lines make one statement) is the business of `statements`, used for scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from q_runtime.errors import QSyntaxError, span_of
from q_runtime.lang import tokens as tk
from q_runtime.lang.literals import read_number
from q_runtime.lang.tokens import Token
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.vectors import CHARS, Value, Vec, make_atom, symbols, vector
from q_runtime.values.vectors import symbol as symbol_atom

_SPACE = re.compile(r"[ \t\r\n]+")
_NAME = re.compile(r"\.?[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_SYMBOL_BODY = re.compile(r":[A-Za-z0-9_.:/\-]*|[A-Za-z0-9.][A-Za-z0-9_.]*(?::[A-Za-z0-9_.:/]*)?|")
_NUMBER = re.compile(
    r"0x[0-9a-fA-F]*|[01]+b(?![A-Za-z0-9])|-?\d+D(?:\d\d?(?::\d\d(?::\d\d(?:\.\d*)?)?)?)?"
    r"|\d{4}\.\d\d\.\d\d(?:[dpz](?![A-Za-z0-9])|[DT](?:\d\d?(?::\d\d(?::\d\d(?:\.\d*)?)?)?)?)?"
    r"|-?\d+:\d\d(?::\d\d(?:\.\d*)?)?[uvtnpz]?"
    r"|-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[A-Za-z]*",
    re.ASCII,
)
_NUMBER_RUN = re.compile(r"-?[0-9.][0-9A-Za-z.:]*")
"""What kdb+ takes for one number, whether it is one or not."""
_COLON = re.compile(r":(?![0-9])|(?<![0-9A-Za-z.:][012])(?<=[012]):")
"""A colon that is no part of the number before it: nothing of a clock follows, or `0:`, `1:` or `2:` begins there."""
_BARE = re.compile(r"-?[0-9.:]+$")
_COMMENT_LINE = re.compile(r"/[^\n]*")
_OCTAL = re.compile(r"[0-7]{3}")
_ESCAPES = {"n": 10, "t": 9, "r": 13, '"': 34, "\\": 92, "/": 47}
_PLAIN = re.compile(
    r"[ \t\r\n]*+(?:([A-Za-z][A-Za-z0-9_]*+(?:\.[A-Za-z0-9_]+)*)|(;)|([(\[{])|([)\]}])|(::?)"
    r"|([+*%&|^=$,#_~!?@]|<[=>]?|>=?|-(?!\.?[0-9]))|([0-9]{1,18}+(?![0-9A-Za-z.:]|[ \t\r\n]+[-0-9.]))"
    r"|([\\']:?)|(\"[^\"\\]*+\"))"
)
"""Tokens that are what they look like, whatever stands beside them, with the white space before them."""
_KINDS = (
    tk.END,
    tk.NAME,
    tk.SEMI,
    tk.OPEN,
    tk.CLOSE,
    tk.ASSIGN,
    tk.VERB,
    tk.LITERAL,
    tk.ITERATOR,
    tk.LITERAL,
)
"""The kind of such a token, by the group that matched."""
_token = tuple.__new__


_CLOSER = {"(": ")", "[": "]", "{": "}"}


def syntax_error(source: str, code: str, start: int, detail: str) -> QSyntaxError:
    """Build the error for the text at offset `start`."""
    return QSyntaxError(code, detail, span_of(source, start, start + max(1, len(code))))


def _string(data: bytes) -> Value:
    return CHARS[data[0]] if len(data) == 1 else Vec(10, np.frombuffer(data, np.uint8))


def _plain_literal(word: str) -> Value:
    """Return the value of a few digits, or of a string without escapes."""
    return int(word) if word[0] != '"' else _string(word[1:-1].encode("utf-8", "surrogateescape"))


def _read_string(source: str, start: int) -> tuple[Value, int]:
    """Read the string literal with escapes that opens at `start`; returns its value and the end offset."""
    out = bytearray()
    i, n = start + 1, len(source)
    while i < n:
        ch = source[i]
        if ch == '"':
            return _string(bytes(out)), i + 1
        if ch == "\\":
            i += 1
            code = source[i] if i < n else ""
            if code in _ESCAPES:
                out.append(_ESCAPES[code])
            elif _OCTAL.match(source, i):
                out.append(int(source[i : i + 3], 8) & 255)
                i += 2
            elif code:
                out += code.encode("utf-8", "surrogateescape")
            else:
                raise syntax_error(source, '"', start, "string is not closed")
            i += 1
            continue
        out += ch.encode("utf-8", "surrogateescape")
        i += 1
    raise syntax_error(source, '"', start, "string is not closed")


def _read_symbols(source: str, start: int) -> tuple[Value, int]:
    names = []
    i = start
    while i < len(source) and source[i] == "`":
        body = _SYMBOL_BODY.match(source, i + 1)
        names.append(body[0] if body else "")
        i = body.end() if body else i + 1
    return (symbol_atom(names[0]) if len(names) == 1 else symbols(names)), i


def _one_number(source: str, word: str, start: int) -> tuple[int, object]:
    """Read one number word; boolean and byte runs come back as lists of raw values."""
    if word.startswith("0x"):
        digits = word[2:]
        if len(digits) % 2:
            digits = "0" + digits
        raws = list(bytes.fromhex(digits))
        return 4, raws[0] if len(raws) == 1 else raws
    if word.endswith("b") and set(word[:-1]) <= {"0", "1"}:
        flags = [ch == "1" for ch in word[:-1]]
        return 1, flags[0] if len(flags) == 1 else flags
    made = read_number(word)
    if made is None:
        raise syntax_error(source, word, start, "not a number")
    return made


_HARMLESS = frozenset({7, 9})
_INFINITE = {"0W": float("inf"), "-0W": float("-inf")}


def _number_list(source: str, words: list[tuple[str, int, int]]) -> Value:
    """Build the value of one number word, or of several that stand side by side."""
    shared = words[-1][0][-1]
    if len(words) > 1 and shared in "mdznuvtp" and words[-1][0] != "0n":
        words = [(_with_suffix(w, shared), s, e) for w, s, e in words]
    parts = [_one_number(source, word, start) for word, start, _ in words]
    if len(parts) == 1:
        t, raw = parts[0]
        return vector(t, raw) if isinstance(raw, list) else make_atom(t, _stored(t, raw))
    kinds = {t for t, _ in parts}
    last_word, last_start, _ = words[-1]
    t = parts[-1][0]
    if kinds - {t} - _HARMLESS or any(isinstance(raw, list) for _, raw in parts):
        raise syntax_error(source, last_word, last_start, "mixed types in a list of numbers")
    explicit = last_word.lstrip("-") not in ("0N", "0W") and (
        last_word[-1].isalpha() or t not in _HARMLESS
    )
    if t == 7 and 9 in kinds and not explicit:
        t = 9
    if t in (1, 4) or (9 in kinds and t not in qt.FLOATS):
        raise syntax_error(source, last_word, last_start, "mixed types in a list of numbers")
    if t in qt.FLOATS:
        parts = [
            (9, _INFINITE[word]) if word in _INFINITE else part
            for part, (word, _, _) in zip(parts, words, strict=True)
        ]
    arrays = [widen_array(kind, vector(kind, [raw]).a, t) for kind, raw in parts]
    return Vec(t, np.concatenate(arrays))


def _with_suffix(word: str, letter: str) -> str:
    """Give a word of a list the type letter behind the last one, unless it is whole without it, as a date is."""
    longer = word + letter
    return longer if _BARE.match(word) and read_number(longer) is not None else word


def _stored(t: int, raw: object) -> object:
    return float(np.float32(raw)) if t == 8 else raw  # type: ignore[arg-type]


def _minus_starts_number(source: str, i: int, previous: Token | None, spaced: bool) -> bool:
    """Decide whether `-` at `i`, before a digit, belongs to the number."""
    if previous is None or spaced:
        return True
    if previous.kind in (tk.LITERAL, tk.SYMBOLS, tk.NAME, tk.CLOSE):
        return False
    return True


def tokenize(source: str) -> list[Token]:
    """Turn text into tokens, ending with one END token.

    Raises: QSyntaxError with the offending character or word as its code.
    """
    out: list[Token] = []
    i, n = 0, len(source)
    spaced = True
    while i < n:
        plain = _PLAIN.match(source, i)
        if plain is not None:
            group = plain.lastindex or 0
            start, end = plain.span(group)
            kind, value = _KINDS[group], plain[group]
            if kind is tk.LITERAL:
                value = _plain_literal(value)
            out.append(_token(Token, (kind, value, start, end, spaced or start > i)))
            i, spaced = end, False
            continue
        ch = source[i]
        if ch in " \t\r\n":
            i = _SPACE.match(source, i).end()  # type: ignore[union-attr]
            spaced = True
            continue
        if ch == "/" and spaced:
            i = _COMMENT_LINE.match(source, i).end()  # type: ignore[union-attr]
            continue
        previous = out[-1] if out else None
        follower = source[i + 1] if i + 1 < n else ""
        is_digit = _digit(ch) or (ch == "." and _digit(follower) and _free(previous, spaced))
        if ch == "-" and (_digit(follower) or _dot_digit(source, i + 1)):
            is_digit = _minus_starts_number(source, i, previous, spaced)
        if is_digit and not (_digit(ch) and _is_file_verb(source, i)):
            i = _append_number(source, i, spaced, out)
        elif ch == '"':
            try:
                value, end = _read_string(source, i)
            except QSyntaxError:
                check_brackets(source, out)
                raise
            out.append(Token(tk.LITERAL, value, i, end, spaced))
            i = end
        elif ch == "`":
            value, end = _read_symbols(source, i)
            out.append(Token(tk.SYMBOLS, value, i, end, spaced))
            i = end
        else:
            token = _read_mark(source, i, spaced)
            out.append(token)
            i = token.end
        spaced = False
    out.append(Token(tk.END, "", n, n, spaced))
    return out


def check_brackets(source: str, tokens: list[Token]) -> None:
    """Raise for the first bracket that closes no bracket of its kind, else for the last one that is left open.

    kdb+ looks at the brackets of a text before anything else in it. Raises: QSyntaxError.
    """
    waiting: list[Token] = []
    for token in tokens:
        if token.kind == tk.OPEN:
            waiting.append(token)
        elif token.kind == tk.CLOSE and (
            not waiting or _CLOSER[waiting.pop().value] != token.value
        ):
            raise syntax_error(source, token.value, token.start, "closes no bracket of its kind")
    if waiting:
        raise syntax_error(source, waiting[-1].value, waiting[-1].start, "bracket is not closed")


def _free(previous: Token | None, spaced: bool) -> bool:
    return previous is None or spaced or previous.kind not in (tk.NAME, tk.CLOSE, tk.LITERAL)


def _digit(ch: str) -> bool:
    """Say whether `ch` (a character or nothing) is one of 0 to 9; other digits of Unicode are none here."""
    return "0" <= ch <= "9"


def _dot_digit(source: str, i: int) -> bool:
    return source[i : i + 1] == "." and _digit(source[i + 1 : i + 2])


def _is_file_verb(source: str, i: int) -> bool:
    after = source[i + 2 : i + 4]
    is_clock = len(after) == 2 and _digit(after[0]) and _digit(after[1])
    return source[i] in "012" and source[i + 1 : i + 2] == ":" and not is_clock


def _append_number(source: str, i: int, spaced: bool, out: list[Token]) -> int:
    """Read the run of numbers at `i` as one literal token; returns the offset after it."""
    words: list[tuple[str, int, int]] = []
    end = i
    while True:
        found = _NUMBER.match(source, end if not words else i)
        assert found is not None
        whole = _NUMBER_RUN.match(source, found.start())
        if (
            whole is not None
            and whole.end() > found.end()
            and not _COLON.match(source, found.end())
        ):
            raise syntax_error(source, whole[0], found.start(), "not a number")
        words.append((found[0], found.start(), found.end()))
        end = found.end()
        gap = _SPACE.match(source, end)
        if gap is None:
            break
        i = gap.end()
        head = source[i : i + 2].lstrip("-")
        starts = _digit(head[:1]) or (head[:1] == "." and _digit(source[i + 1 : i + 2]))
        if not starts and not (source[i : i + 1] == "-" and _dot_digit(source, i + 1)):
            break
        if _digit(source[i : i + 1]) and _is_file_verb(source, i):
            break
    first = words[0][1]
    out.append(Token(tk.LITERAL, _number_list(source, words), first, end, spaced))
    return end


def _read_mark(source: str, i: int, spaced: bool) -> Token:
    """Read a name that begins with a dot, a verb or an iterator at `i`."""
    ch = source[i]
    if ch == "." and source[i + 1 : i + 2].isalpha():
        found = _NAME.match(source, i)
        if found:
            return Token(tk.NAME, found[0], i, found.end(), spaced)
    if ch == "/":
        width = 2 if source[i + 1 : i + 2] == ":" else 1
        return Token(tk.ITERATOR, source[i : i + width], i, i + width, spaced)
    if _digit(ch):
        return Token(tk.VERB, source[i : i + 2], i, i + 2, spaced)
    if ch in "-.":
        return Token(tk.VERB, ch, i, i + 1, spaced)
    if " " < ch <= "~":
        raise syntax_error(source, ch, i, "unexpected character")
    raise QSyntaxError("char", f"no character of q: {ch!r}", span_of(source, i, i + 1))


def statements(source: str, *, is_script: bool = True) -> Iterator[tuple[int, str]]:
    r"""Split a script, or a text as `value` takes it, into its statements: (offset in the source, text).

    A line continues the statement above when it starts with white space; while a bracket is open, empty lines and
    comments do not end it. Any other line of a script starts a statement, a closing brace too: then the statement
    above, which has a bracket open, is an error, as it is when kdb+ loads a script. In a text every line continues
    the statement above while a bracket is open. A line holding only `/` opens a comment that a line holding only
    `\\` closes; a lone `\\` elsewhere ends the source.
    """
    offset = 0
    start, held, depth = 0, "", 0
    in_comment = False
    for line in source.splitlines(keepends=True):
        here, offset = offset, offset + len(line)
        bare = line.rstrip()
        if in_comment:
            in_comment = bare != "\\"
            continue
        if not depth and bare == "/":
            in_comment = True
            continue
        if not depth and bare == "\\":
            break
        is_inside = depth > 0 and (not is_script or bare[:1] in ("", "/"))
        continues = held and (is_inside or line[0] in " \t")
        if not continues:
            if held.strip():
                yield start, held
            start, held, depth = here, "", 0
        if not held and bare.startswith("/"):
            continue
        if not held:
            start = here
        held += line
        depth = open_depth(held) if '"' in held else depth + open_depth(line)
        if held[1:2] == ")" and language_of(held):
            depth = open_depth(held[2:]) if held[0] in "kq" else 0
    if held.strip():
        yield start, held


def language_of(statement: str) -> str:
    """Return the letter of the language in which a statement says that it is, `x)text`; empty where it says none."""
    letter = statement[:1] if statement[1:2] == ")" else ""
    return letter if letter.isascii() and letter.isalpha() else ""


_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"?|(?:^|(?<=[ \t\n]))/[^\n]*|[(\[{]|[)\]}]', re.DOTALL)
"""Strings, comments and brackets."""


def open_depth(text: str) -> int:
    """Count the brackets that `text` leaves open, outside strings and comments; negative when too few."""
    if '"' not in text and "/" not in text:
        opened = text.count("(") + text.count("[") + text.count("{")
        return opened - text.count(")") - text.count("]") - text.count("}")
    marks = _MARKS.findall(text)
    opened = sum(mark in ("(", "[", "{") for mark in marks)
    return opened - sum(mark in (")", "]", "}") for mark in marks)
