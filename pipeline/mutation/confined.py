"""The Python that answers for all mutants of a reference, in one confined process of the sandbox.

`program` writes its source: references, their mutants and inputs as literals, and the functions below, which the pool
asks for as expressions. A mutant is stopped when it makes many more passes through loops and functions than the
reference did for the same input. The process is as little to be believed as the reference itself: all mutants of one
reference are the same stranger, and what comes back is compared outside (`kill_rate`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from pipeline.mutation.mutants import PASSES, TICK

BROKEN = ("TypeError", "NameError", "UnboundLocalError", "AttributeError")
"""What a mutant raises that is no function of such inputs at all; one that only does so is no test of the tests."""
MORE_PASSES = 5
"""A mutant may make so many times the passes of the reference, and `FREE_PASSES` besides."""
FREE_PASSES = 10_000

_FUNCTIONS = '''
import copy, random, sys, types, typing
nan, inf = float("nan"), float("inf")
_GIVEN = {name: getattr(typing, name) for name in typing.__all__}
_left = [0]
_inputs, _known = {}, {}


class _Endless(BaseException):
    pass


def _tick():
    _left[0] -= 1
    if _left[0] < 0:
        raise _Endless


def _passes(items):
    for item in items:
        _tick()
        yield item


def _load(source, entry_point):
    module = types.ModuleType("reference")
    names = vars(module)
    names.update(_GIVEN, nan=nan, inf=inf)
    names[TICK], names[PASSES] = _tick, _passes
    sys.modules["reference"] = module
    exec(compile(source, "<reference>", "exec", dont_inherit=True), names)
    return names[entry_point]


def _answer(function, arguments, passes):
    _left[0] = passes
    try:
        value = function(*arguments)
        return ("answered", value) if _is_data(value) else ("no data", type(value).__name__)
    except _Endless:
        return "endless", ""
    except BaseException as failure:
        return "raised", type(failure).__name__


def _is_data(value):
    if isinstance(value, dict):
        return all(map(_is_data, value)) and all(map(_is_data, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_data, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _is_same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one == other or (one != one and other != other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict):
        return _is_same(list(one.items()), list(other.items()))
    return one == other


def _is_broken(kind, value):
    return kind == "no data" or (kind == "raised" and value in BROKEN)


def _drawn(inputs, generator, seed, count):
    names = dict(_GIVEN)
    exec(generator, names)
    seen = {repr(make()) for make in inputs}
    for number in range(count):
        try:
            arguments = tuple(names["generate"](random.Random(f"{seed}:{number}")))
        except Exception:
            continue  # a stranger's code may raise anything; who asks counts what was drawn
        if repr(arguments) not in seen:
            seen.add(repr(arguments))
            yield lambda arguments=arguments: copy.deepcopy(arguments)


def baseline(which):
    """What the reference answers: [input, kind, value]; drawn inputs that it has no answer to are left out."""
    reference, _, entry_point, inputs, generator, seed, count = SUBJECTS[which]
    function = _load(reference, entry_point)
    _inputs[which], _known[which], told = [], [], []
    for make in _drawn(inputs, generator, seed, count) if generator else inputs:
        kind, value = _answer(function, make(), 10**12)
        if kind != "answered" and generator:
            continue
        _inputs[which].append(make)
        _known[which].append((copy.deepcopy(value), 10**12 - _left[0]))
        told.append((make() if generator else None, kind, value))
    return told


def differs(which, number, start, most):
    """Where a mutant is not the same as its reference: [position, kind, value], not many more than `most`."""
    _, mutants, entry_point, *_ = SUBJECTS[which]
    try:
        function = _load(mutants[number], entry_point)
    except BaseException as failure:
        return [(-1, "raised", type(failure).__name__)]
    found = []
    for position in range(start, len(_inputs[which])):
        expected, passes = _known[which][position]
        arguments = _inputs[which][position]()
        kind, value = _answer(function, arguments, MORE_PASSES * passes + FREE_PASSES)
        if kind != "answered" or not _is_same(value, expected):
            found.append((position, kind, value))
            most -= not _is_broken(kind, value)
            if kind == "endless" or most <= 0:
                break
    return found
'''


@dataclass(frozen=True)
class Subject:
    """A reference and its mutants, on given inputs, or on so many drawn ones that are not among these."""

    reference: str
    mutants: Sequence[str]
    entry_point: str
    inputs: Sequence[tuple[Any, ...]]
    generator: str = ""
    """Python that defines `generate(rng)`; empty: the given inputs are meant."""
    seed: int = 0
    count: int = 0


def program(subjects: Iterable[Subject]) -> str:
    """The source for one process."""
    constants = {
        "TICK": TICK,
        "PASSES": PASSES,
        "BROKEN": BROKEN,
        "MORE_PASSES": MORE_PASSES,
        "FREE_PASSES": FREE_PASSES,
    }
    head = "".join(f"{name} = {value!r}\n" for name, value in constants.items())
    return f"{head}{_FUNCTIONS}\nSUBJECTS = [\n{''.join(map(_literal, subjects))}]\n"


def _literal(subject: Subject) -> str:
    """A tuple of the fields; each input is a function, so that every mutant gets arguments of its own."""
    reference, mutants, entry_point, inputs, *drawing = astuple(subject)
    made = "".join(f"lambda: {arguments!r},\n" for arguments in inputs)
    rest = ", ".join(map(repr, drawing))
    return f"({reference!r}, {list(mutants)!r}, {entry_point!r}, [\n{made}], {rest}),\n"
