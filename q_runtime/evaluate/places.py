"""Where compiled code comes from in the q text, and the calls that led to a point or to an error.

Every function made of q text is remembered under the name of the file that Python believes it to be in, with the node
that each of its lines stands for. Python's own stack and tracebacks then say which calls of q are under way.

What this deliberately does not do: name primitives, except those that trap; kdb+ names those that are defined in k.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Literal, NamedTuple

from q_runtime.errors import Frame, QError, span_of
from q_runtime.lang import nodes as nd
from q_runtime.values.functions import Lambda
from q_runtime.values.vectors import Value

_MOST_ORIGINS = 16384
_MOST_FRAMES = 64
"""Calls that an error remembers: one at the end of a deep recursion needs no more."""
_serial = itertools.count()


OriginKind = Literal["statement", "lambda", "clause"]


class _Origin(NamedTuple):
    """The q text of a compiled function, the offset in its tree where that begins, and the node of each Python line."""

    source: str
    base: int
    kind: OriginKind
    nodes: list[nd.Node | None]

    def node_at(self, line: int) -> nd.Node | None:
        """Return the node that a Python line, counted from 1, stands for."""
        return self.nodes[line - 1] if line <= len(self.nodes) else None


_Line = tuple[_Origin, int]
"""A function and the Python line in it that was being run."""
_origins: dict[str, _Origin] = {}


def new_file() -> str:
    """Return a name for the file that Python shall believe the next compiled text to be in."""
    return f"<q {next(_serial)}>"


def remember(
    file: str, source: str, base: int, nodes: list[nd.Node | None], kind: OriginKind
) -> None:
    """Keep where compiled text comes from."""
    if len(_origins) > _MOST_ORIGINS:
        _origins.clear()
    _origins[file] = _Origin(source, base, kind, nodes)


def locate(error: QError, script: str, offset: int, text: str) -> None:
    """Give an error its span in `script`, of which the statement `text` at `offset` raised it, and its frames.

    The span is the place the parser named, or else the innermost compiled line on the traceback whose text stands in
    the script; failing that, the whole statement.
    """
    lines = _lines_of(error.__traceback__)
    if error.span is not None and error.text == text:
        start, end = error.span.start, error.span.end
        error.unread = Frame(text, start)
        error.span = span_of(script, offset + start, offset + end)
        error.at = offset + start
    else:
        error.span = span_of(script, offset, offset + len(text.rstrip()))
        error.at = offset
        for origin, line in reversed(lines):
            node = origin.node_at(line)
            base = offset if origin.source == text else script.find(origin.source)
            if base >= 0 and node is not None and node.end > node.start >= origin.base:
                base -= origin.base
                error.span = span_of(script, base + node.start, base + node.end)
                error.at = base + _caret(node)
                break
    error.text = script
    keep_calls(error, lines)


def keep_calls(error: QError, lines: Sequence[_Line] | None = None) -> None:
    """Tell an error which calls led from here to where it was signalled; of very many only the innermost are kept."""
    lines = _lines_of(error.__traceback__) if lines is None else lines
    calls = _calls(lines)
    frames = [_frame(line) for line in calls[-_MOST_FRAMES:]]
    error.depth = len(calls) - 1
    if error.unread is not None:
        frames.append(error.unread)
        error.depth += 1
    error.frames = tuple(frames)


def calls_under_way(frame: FrameType | None) -> list[Frame]:
    """Return the calls of q on the stack of Python that ends in `frame`, the outermost first."""
    lines: list[_Line] = []
    while frame is not None:
        origin = _origins.get(frame.f_code.co_filename)
        if origin is not None and origin.kind != "clause":
            lines.append((origin, frame.f_lineno))
        frame = frame.f_back
    return [_frame(line) for line in reversed(lines)]


def calls_to(error: QError) -> list[Frame]:
    """Return the calls of q from where an error is caught down to where it was signalled, the outermost first."""
    return [_frame(line) for line in _calls(_lines_of(error.__traceback__))]


def _lines_of(trace: TracebackType | None) -> list[_Line]:
    lines: list[_Line] = []
    while trace is not None:
        origin = _origins.get(trace.tb_frame.f_code.co_filename)
        if origin is not None:
            lines.append((origin, trace.tb_lineno))
        trace = trace.tb_next
    return lines


def _calls(lines: Sequence[_Line]) -> list[_Line]:
    """Leave out the expressions of queries, which are part of the call around them."""
    return [line for line in lines if line[0].kind != "clause"]


def _frame(line: _Line) -> Frame:
    origin, number = line
    node = origin.node_at(number)
    at = 0 if node is None else max(0, _caret(node) - origin.base)
    return Frame(origin.source, at, is_lambda=origin.kind == "lambda")


def _caret(node: nd.Node) -> int:
    """Return the offset that kdb+ points at when evaluating a node fails: that of what is applied."""
    if isinstance(node, nd.Dyad):
        return node.verb.start
    return node.at if isinstance(node, nd.Assign) and node.at else node.start


def named(frames: Sequence[Frame], variables: Mapping[str, Value]) -> list[Frame]:
    """Give the frames of lambdas the names of the variables that hold them; `f@` is a lambda written inside `f`."""
    names: dict[str, str] = {}
    for name, value in variables.items():
        if type(value) is Lambda:
            names.setdefault(value.source, name)
    out: list[Frame] = []
    for frame in frames:
        if frame.is_lambda and frame.source not in names:
            around = [f.name for f in out if f.is_lambda and f.name and frame.source in f.source]
            names[frame.source] = around[-1].rstrip("@") + "@" if around else ""
        out.append(frame._replace(name=names[frame.source]) if frame.is_lambda else frame)
    return out
