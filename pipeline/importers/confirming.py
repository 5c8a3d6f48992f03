"""What a row's asserts demand, held against what its reference answered, where the reference cannot meddle.

The asserts are first evaluated beside the reference, whose code could redefine what they are evaluated with, or answer
with objects that equal everything. So each assert that states its value is evaluated again in a process that never saw
the reference, and compared here, as data, with the recorded answer. What this deliberately does not do: repeat asserts
of another form (properties, loops that compare two calls); those hold only as far as the reference is honest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline.importers.rows import RowRefused
from pipeline.records import content_hash
from pipeline.typed_values import TypedJsonError, decode_typed, encode_typed

Observation = Sequence[Any]
"""Arguments, value, comparator and a complaint: what `collector_prelude` records of a call."""


def confirm(recorded: Any, stated: Any, is_complete: bool) -> None:
    """Compare encoded observations of the reference with those of its asserts alone.

    Args:
        recorded: what was observed of the reference.
        stated: what the asserts state by themselves; None when they could not be evaluated alone.
        is_complete: whether every call was recorded, so that a missing one is a contradiction.

    Raises:
        RowRefused: an assert demands another value than the recorded one, or its call was not recorded.
    """
    answers = _by_arguments(recorded)
    for arguments, wanted, comparator, complaint in _decoded(stated):
        if complaint:
            continue  # an assert of another form, or one that needs names of the reference
        found = answers.get(_key(arguments)) or _with_defaults(answers, arguments)
        if not found and is_complete:
            raise RowRefused(f"the call with {arguments!r} that an assert makes was not recorded")
        if found and not any(_meets(answer, wanted, comparator) for answer in found):
            shown = f"{found[0]!r}"[:80]
            raise RowRefused(
                f"an assert demands {wanted!r} of {arguments!r}, the answer is {shown}"
            )


def _decoded(observations: Any) -> list[Observation]:
    try:
        rows = decode_typed(observations)
    except TypedJsonError:
        return []
    if not isinstance(rows, list):
        return []
    return [
        row for row in rows if isinstance(row, list) and len(row) == 4 and type(row[0]) is tuple
    ]


def _key(arguments: Sequence[Any]) -> str:
    return content_hash([encode_typed(item) for item in arguments])


def _by_arguments(recorded: Any) -> dict[str, list[Any]]:
    answers: dict[str, list[Any]] = {}
    for arguments, answer, _, _ in _decoded(recorded):
        answers.setdefault(_key(arguments), []).append(answer)
        for n_given in range(len(arguments)):
            answers.setdefault(f"{n_given} {_key(arguments[:n_given])}", []).append(answer)
    return answers


def _with_defaults(answers: dict[str, list[Any]], arguments: Sequence[Any]) -> list[Any]:
    """Answers to calls that begin with these arguments: the recorded ones include default values."""
    return answers.get(f"{len(arguments)} {_key(arguments)}", [])


def _meets(answer: Any, wanted: Any, comparator: str) -> bool:
    """Python's own idea of the assert, on plain data: a bare call is true or false as its answer is."""
    if isinstance(wanted, bool):
        return bool(answer) == wanted
    try:
        if comparator.startswith("close:"):
            return math.isclose(answer, wanted, rel_tol=0.0, abs_tol=float(comparator[6:]))
        if comparator == "unordered":
            given, demanded = list(answer), list(wanted)
            return all(x in demanded for x in given) and all(x in given for x in demanded)
        is_list = isinstance(wanted, (list, tuple)) and isinstance(answer, (list, tuple))
        return bool(list(answer) == list(wanted) if is_list else answer == wanted)
    except (TypeError, ValueError, OverflowError):
        return False
