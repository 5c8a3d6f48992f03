"""Fast paths give what the general ones give: wrapping, nulls, infinities, both zeros and types included."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from q_runtime.prims import aggregate, arith, compare, membership, moving, setops, sorting
from q_runtime.prims.compare import close, close_range
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict
from q_runtime.values.vectors import GList, Value, Vec, items_of, make_atom, raw_of, vector

LONGS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([qt.LONG_NULL, qt.LONG_INF, -qt.LONG_INF, 2**62, -(2**62), 2**53 + 1, 2**31]),
)
FLOATS = st.one_of(
    st.sampled_from(
        [0.0, -0.0, math.nan, math.inf, -math.inf, 1.0, 1.0 + 2**-43, 1.0 + 2**-42, 0.5]
    ),
    st.floats(width=64),
)
INTS = st.sampled_from([qt.INT_NULL, qt.INT_INF, -qt.INT_INF, 0, 1, -1, 7])
RAWS = {
    1: st.booleans(),
    4: st.integers(0, 255),
    6: INTS,
    7: LONGS,
    9: FLOATS,
    10: st.integers(97, 102),
}


@st.composite
def vectors(draw: st.DrawFn, types: tuple[int, ...] = (1, 4, 6, 7, 9, 10), most: int = 12) -> Vec:
    """A short vector of one of some types."""
    t = draw(st.sampled_from(types))
    return vector(t, draw(st.lists(RAWS[t], max_size=most)))


def plain(x: Value) -> object:
    """A value as Python data that compares with every bit: types, nulls and the signs of zeros."""
    if type(x) is Vec:
        return x.t, x.a.dtype, x.a.tobytes()
    if type(x) is GList:
        return [plain(item) for item in x.items]
    if type(x) is Dict:
        return plain(x.k), plain(x.v)
    return type(x), repr(x)


def with_and_without(
    monkeypatch: pytest.MonkeyPatch, x: Vec, y: Vec, run: object
) -> tuple[object, object]:
    """What `run` gives when arrays are always worth it, and when they never are."""
    monkeypatch.setattr(membership, "LONG_ENOUGH", -1 if len(x.a) and len(y.a) else 0)
    fast = plain(run(x, y))  # type: ignore[operator]
    monkeypatch.setattr(membership, "LONG_ENOUGH", 10**9)
    return fast, plain(run(x, y))  # type: ignore[operator]


@pytest.mark.parametrize(
    "run", [setops.find, setops.in_, setops.except_, setops.inter], ids=lambda f: f.__name__
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_membership_by_arrays_and_by_hashing_agree(run: object, data: st.DataObject) -> None:
    x = data.draw(vectors())
    y = data.draw(vectors((x.t,)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        fast, slow = with_and_without(monkeypatch, x, y, run)

    assert fast == slow


@pytest.mark.parametrize("run", [setops.distinct, setops.group], ids=lambda f: f.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=vectors())
def test_groups_by_arrays_and_by_hashing_agree(run: object, x: Vec) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        fast, slow = with_and_without(monkeypatch, x, x, lambda a, _: run(a))  # type: ignore[operator]

    assert fast == slow


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=vectors())
def test_differ_compares_each_item_with_the_one_before(x: Vec) -> None:
    items = items_of(x)
    slow = [i == 0 or not compare.matches(items[i - 1], items[i]) for i in range(len(items))]

    assert setops.differ(x).a.tolist() == slow


@pytest.mark.parametrize("name", ["add", "subtract", "multiply"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_arithmetic_of_clean_vectors_agrees_with_the_general_one(
    name: str, data: st.DataObject
) -> None:
    f = getattr(arith, name)
    x = data.draw(vectors((7, 9)))
    y = data.draw(st.one_of(RAWS[x.t].filter(lambda raw: raw != qt.LONG_NULL), st.just(x)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        fast = [plain(f(x, y)), plain(f(y, x))]
        monkeypatch.setattr(arith, "_plain", lambda *_: None)
        slow = [plain(f(x, y)), plain(f(y, x))]

    assert fast == slow


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=FLOATS, near=st.floats(-2.0, 2.0), wide=FLOATS)
def test_the_floats_close_to_one_are_the_range(x: float, near: float, wide: float) -> None:
    found = close_range(x) if x == x else None
    if found is None:
        return
    low, high = found
    probes = [low, high, math.nextafter(low, -math.inf), math.nextafter(high, math.inf), wide]
    probes.append(x + near * compare.TOLERANCE * x)

    assert [low <= p <= high for p in probes] == [close(p, x) for p in probes]


@pytest.mark.parametrize("verb", ["less", "more", "up_to", "at_least", "equal", "unequal"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=vectors((9,)), y=FLOATS)
def test_comparing_floats_with_an_atom_agrees_with_a_vector(verb: str, x: Vec, y: float) -> None:
    f = getattr(compare, verb)
    many = Vec(9, np.full(len(x.a), y))

    assert plain(f(x, y)) == plain(f(x, many))
    assert plain(f(y, x)) == plain(f(many, x))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=vectors((1, 4, 6, 7, 9)), n=st.integers(1, 5))
def test_aggregates_agree_with_a_walk_over_the_items(x: Vec, n: int) -> None:
    bad = compare.null_mask(x.t, x.a)
    kept = x.a[~bad]
    if len(kept):
        assert raw_of(aggregate.smallest(x)) == kept.min().item()
        assert raw_of(aggregate.largest(x)) == kept.max().item()
    if x.t != 9 or np.isfinite(kept).all():
        with np.errstate(all="ignore"):
            zeroed = np.where(bad, 0, x.a).astype(np.float64)
            widths = [(~bad)[max(0, i + 1 - n) : i + 1].sum() for i in range(len(x.a))]
            sums = [zeroed[max(0, i + 1 - n) : i + 1].sum() for i in range(len(x.a))]
            averages = np.array(sums) / np.array(widths) if sums else np.empty(0)
        small = np.abs(zeroed).max(initial=0.0) < 2**31
        if small:
            assert np.allclose(moving.mavg(n, x).a, averages, equal_nan=True, atol=1e-3)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=vectors((1, 4, 6, 7, 9)))
def test_sorting_and_grading_agree(x: Vec) -> None:
    assert plain(sorting.asc(x)) == plain(Vec(x.t, x.a[sorting.iasc(x).a]))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=vectors((7, 9)))
def test_deltas_and_ratios_agree_with_their_items(x: Vec) -> None:
    items = items_of(x)
    pairs = list(zip(items[1:], items[:-1], strict=True))
    differences = items[:1] + [arith.subtract(b, a) for b, a in pairs]
    quotients = [arith.multiply(1.0, item) for item in items[:1]] + [
        arith.divide(b, a) for b, a in pairs
    ]

    assert [plain(i) for i in items_of(aggregate.deltas(x))] == [plain(i) for i in differences]
    assert [plain(i) for i in items_of(aggregate.ratios(x))] == [plain(i) for i in quotients]


@pytest.mark.parametrize("x", [0, 1, -1, 7, -7, 2**62, qt.LONG_INF, -qt.LONG_INF, qt.LONG_NULL])
@pytest.mark.parametrize("y", [0, 1, -1, 3, -3, 2**62, qt.LONG_INF, -qt.LONG_INF, qt.LONG_NULL])
def test_the_remainder_of_long_atoms_agrees_with_that_of_vectors(x: int, y: int) -> None:
    (made,) = items_of(arith.modulus(vector(7, [x]), vector(7, [y])))

    assert plain(arith.modulus(make_atom(7, x), make_atom(7, y))) == plain(made)
