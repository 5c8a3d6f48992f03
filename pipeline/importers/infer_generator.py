"""An input generator for an imported Problem, inferred from the arguments of its tests.

The observed arguments give a profile: ranges of numbers, lengths and alphabets, whether lists are sorted, without
repeats or rectangular, and whether a number is the length of another argument. The generator stays inside the profile,
so that a precondition that the statement does not mention is rarely broken; `check_generated` then tries it on the
reference. What this deliberately does not do: reach the corners that the tests do not reach.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.importers.building import Draft
from pipeline.type_expressions import TypeExpr, infer_type
from pipeline.typed_values import decode_typed, encode_typed, to_wire
from q_runtime import PythonExecution

MIN_ANSWERED = 0.9
"""Share of the trial inputs that the reference must answer with a value that q can hold."""
MIN_NEW = 4
"""Trial inputs that must differ from each other and from the tests."""
STYLES = ("wide", "narrow", "perturb")
"""From bold to careful. `wide` leaves the observed ranges by a little and edits characters; `narrow` stays in the
ranges and moves words; `perturb` starts from the arguments of one test and changes what is inside its lists."""
MAX_KEPT = 12
"""Observed values kept per place, to choose from as they are."""
TEMPLATE = Path(__file__).with_name("generator_template.py")
TEMPLATE_START = "# The generated source begins here.\n"


def infer_generator(
    observed: Sequence[tuple[Any, ...]], types: Sequence[TypeExpr], style: str = STYLES[0]
) -> str:
    """Python source that defines `generate(rng)` for arguments like the observed ones."""
    columns = list(zip(*observed, strict=True))
    profiler = _Profiler(is_wide=style == "wide")
    profile = {
        "style": style,
        "params": [
            profiler.profile(list(column), kind)
            for column, kind in zip(columns, types, strict=True)
        ],
        "links": _links(observed, types),
        "observed": list(observed[:MAX_KEPT]) if style == "perturb" else [],
    }
    template = TEMPLATE.read_text(encoding="utf-8").split(TEMPLATE_START, 1)[1]
    names = "nan, inf = float('nan'), float('inf')"  # as repr writes them
    return f"{names}\nPROFILE = {profile!r}\n{template}"


class _Profiler:
    """Describes what is observed at each place of the arguments, as the template reads it."""

    def __init__(self, is_wide: bool) -> None:
        self.is_wide = is_wide

    def profile(self, values: list[Any], kind: TypeExpr) -> dict[str, Any]:
        """What is known of the values of one place; a choice among them where nothing is."""
        made: dict[str, Any] | None = None
        if kind.name == "int" and values:
            made = self._range(values)
        elif kind.name == "float" and values and all(map(math.isfinite, values)):
            made = _float_range(values)
        elif kind.name == "str":
            made = self._text(values)
        elif kind.name in ("list", "set") and any(values):
            made = self._list(values, kind.item)
        elif kind.name == "tuple" and kind.args and values:
            columns = zip(zip(*values, strict=True), kind.args, strict=True)
            made = {
                "kind": "tuple",
                "items": [self.profile(list(column), item) for column, item in columns],
            }
        elif kind.name == "dict" and any(values):
            made = self._dict(values, kind)
        return {"kind": "choice", **(made or {}), "values": _kept(values)}

    def _range(self, values: Sequence[int]) -> dict[str, Any]:
        """The observed range, or a little more on the same side of zero, one and two."""
        low, high = min(values), max(values)
        if not self.is_wide:
            return {"kind": "int", "low": low, "high": high if high > low else high + 5}
        room = min(max((high - low) // 4, 5), 1000)
        floor = next((bound for bound in (2, 1, 0) if low >= bound), low - room)
        return {"kind": "int", "low": max(low - room, floor), "high": high + room}

    def _text(self, values: Sequence[str]) -> dict[str, Any]:
        lengths = list(map(len, values)) or [0]
        words = dict.fromkeys(word for value in values for word in value.split(" ") if word)
        return {
            "kind": "str",
            "alphabet": "".join(sorted(set("".join(values)))) if self.is_wide else "",
            "words": [] if self.is_wide else list(words)[:60],
            "shortest": min(lengths),
            "longest": max(lengths) + (3 if self.is_wide else 0),
        }

    def _list(self, values: list[Any], item: TypeExpr) -> dict[str, Any]:
        sequences = [list(value) for value in values]
        lengths = list(map(len, sequences))
        longest = max(lengths)
        is_set = isinstance(values[0], (set, frozenset))
        is_nested = item.name == "list"
        is_plain = "any" not in str(item) and "optional" not in str(item)
        return {
            "kind": "list",
            "container": "set" if is_set else "tuple" if isinstance(values[0], tuple) else "list",
            "item": self.profile([entry for sequence in sequences for entry in sequence], item),
            "shortest": min(lengths),
            "longest": longest + (2 if self.is_wide and min(lengths) < longest else 0),
            "unique": longest > 1 and is_plain and all(map(_is_unique, sequences)),
            "sorted": not is_set and longest > 1 and is_plain and all(map(_is_sorted, sequences)),
            "rectangular": is_nested and all(len(set(map(len, rows))) <= 1 for rows in sequences),
        }

    def _dict(self, values: list[Any], kind: TypeExpr) -> dict[str, Any]:
        lengths = list(map(len, values))
        return {
            "kind": "dict",
            "keys": list(dict.fromkeys(key for value in values for key in value)),
            "item": self.profile(
                [item for value in values for item in value.values()], kind.args[1]
            ),
            "shortest": min(lengths),
            "longest": max(lengths),
        }


def _float_range(values: Sequence[float]) -> dict[str, Any]:
    digits = max(min(len(repr(float(value)).partition(".")[2]), 4) for value in values)
    low, high = min(values), max(values)
    room = (high - low) / 4
    return {
        "kind": "float",
        "low": max(low - room, 0.0) if low >= 0 else low - room,
        "high": high + room,
        "digits": digits,
    }


def _kept(values: Sequence[Any]) -> list[Any]:
    """The first few different values."""
    kept: list[Any] = []
    for value in values:
        if len(kept) < MAX_KEPT and value not in kept:
            kept.append(value)
    return kept


def _is_unique(sequence: list[Any]) -> bool:
    try:
        return len(set(sequence)) == len(sequence)
    except TypeError:
        return False


def _is_sorted(sequence: list[Any]) -> bool:
    try:
        return all(left <= right for left, right in pairwise(sequence))
    except TypeError:
        return False


def _links(observed: Sequence[tuple[Any, ...]], types: Sequence[TypeExpr]) -> list[list[Any]]:
    """What ties arguments together: `[target, sequence, kind]`, checked on all the tests."""
    links: list[list[Any]] = []
    sequences = [i for i, kind in enumerate(types) if kind.name in ("list", "str")]
    for target in (i for i, kind in enumerate(types) if kind.name == "int"):
        for sequence in sequences:
            pairs = [(arguments[target], len(arguments[sequence])) for arguments in observed]
            if all(number == length for number, length in pairs):
                links.append([target, sequence, "length"])
                break
            if all(number <= length for number, length in pairs):
                links.append([target, sequence, "within"])
                break
    for number, left in enumerate(sequences):
        for right in sequences[number + 1 :]:
            lengths = [(len(arguments[left]), len(arguments[right])) for arguments in observed]
            if len(observed) > 1 and all(one == other for one, other in lengths):
                links.insert(0, [left, right, "same"])
    return links


@dataclass(frozen=True)
class Trial:
    """What came of trying a generator."""

    objection: str
    """Why the generator is not kept, as part of a sentence; empty when it is good."""
    answers: tuple[Any, ...] = ()
    """The reference's answers, as Python values."""


def check_generated(calls: Sequence[PythonExecution], draft: Draft) -> Trial:
    """Judge a generator by what the reference answered to its inputs."""
    if not calls:
        return Trial("it could not be run")
    answers: list[Any] = []
    causes: list[str] = []
    for call in calls:
        try:
            answers.append(_answer(call, draft))
        except ValueError as error:
            causes.append(str(error))
    if len(answers) < MIN_ANSWERED * len(calls):
        return Trial(
            f"only {len(answers)} of {len(calls)} inferred inputs have an answer ({causes[0]})"
        )
    known = {str(encode_typed(list(test.arguments))) for test in draft.tests}
    n_new = len({str(list(call.arguments or ())) for call in calls} - known)
    if n_new < MIN_NEW:
        return Trial(f"only {n_new} of {len(calls)} inferred inputs are new")
    return Trial("", tuple(answers))


def _answer(call: PythonExecution, draft: Draft) -> Any:
    """The answer to one trial input; raise ValueError when the input or the answer has no place in q."""
    if call.status != "ok" or call.arguments is None:
        raise ValueError(call.error or call.status)
    for argument, kind in zip(call.arguments, draft.param_types, strict=True):
        to_wire(decode_typed(argument), kind)
    answer = decode_typed(call.value)
    to_wire(answer, infer_type([answer]))
    return answer
