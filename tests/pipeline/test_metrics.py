"""pass@k and its intervals against closed forms, brute force and cases with a known answer."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pipeline.metrics import (
    mean_interval,
    paired_difference,
    pass_at_k,
    pass_at_k_interval,
    per_problem_pass_at_k,
)


@pytest.mark.parametrize(("n", "c", "k"), [(8, 3, 1), (8, 3, 4), (8, 0, 4), (8, 8, 8), (6, 5, 2)])
def test_pass_at_k_is_the_share_of_k_subsets_with_a_pass(n: int, c: int, k: int) -> None:
    samples = [True] * c + [False] * (n - c)
    subsets = list(combinations(samples, k))

    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


@pytest.mark.parametrize(("n", "c", "k"), [(3, 1, 4), (3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_pass_at_k_refuses_what_it_cannot_estimate(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match=f"pass@{k}"):
        pass_at_k(n, c, k)


def test_problems_with_fewer_samples_than_k_are_left_out() -> None:
    assert per_problem_pass_at_k({"a": (8, 8), "b": (3, 3)}, 4) == {"a": 1.0}


def test_interval_is_wider_than_one_that_takes_samples_for_independent() -> None:
    counts = {f"p{i}": (8, 8 if i % 2 else 0) for i in range(40)}

    interval = pass_at_k_interval(counts, 1, 4000, seed=1)

    # Standard error over 40 Problems of values 0 and 1: 0.079; over 320 samples it would be 0.028.
    assert interval is not None
    assert interval.value == 0.5
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.079, rel=0.1)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(200):
        chances = rng.beta(1, 1, size=60)
        counts = {f"p{i}": (8, int(rng.binomial(8, p))) for i, p in enumerate(chances)}
        interval = pass_at_k_interval(counts, 1, 500, seed=trial)
        assert interval is not None
        hits += interval.low <= 0.5 <= interval.high

    assert 0.88 <= hits / 200 <= 0.99


def test_no_spread_gives_the_exact_bound_instead_of_a_point() -> None:
    interval = mean_interval([0.0] * 30, 1000, seed=0)

    # Clopper-Pearson for 0 of 30: the upper bound is 1 - 0.025 ** (1 / 30).
    assert interval is not None
    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / 30))


def test_no_problems_is_no_estimate() -> None:
    assert mean_interval([], 1000, seed=0) is None
    assert paired_difference({"a": (8, 1)}, {"b": (8, 1)}, 1, 1000, seed=0) is None


def test_pairing_removes_what_both_sides_share() -> None:
    rng = np.random.default_rng(3)
    a = {f"p{i}": (8, int(c)) for i, c in enumerate(rng.integers(0, 7, size=100))}
    b = {slug: (n, c + 1) if int(slug[1:]) % 2 else (n, c) for slug, (n, c) in a.items()}

    paired = paired_difference(a, b, 1, 4000, seed=0)
    one, two = (pass_at_k_interval(x, 1, 4000, seed=0) for x in (a, b))

    assert paired is not None
    assert one is not None
    assert two is not None
    assert paired.value == pytest.approx(1 / 16)
    assert paired.low > 0
    assert one.high > two.low, "the two intervals overlap although the paired one is off zero"


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = {f"p{i}": (8, i % 9) for i in range(50)}

    assert pass_at_k_interval(counts, 4, 1000, 5) == pass_at_k_interval(counts, 4, 1000, 5)
