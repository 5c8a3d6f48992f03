"""pass@k and its intervals, from counts per Problem.

Samples of one Problem are not independent of each other, so the Problem is the unit that is resampled: every
interval here is a bootstrap over Problems (scipy). No interval is narrower than its data allow: where all Problems
agree the bootstrap has nothing to resample, and the exact binomial interval over Problems is given instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb

import numpy as np
from scipy import stats

from pipeline.records import Interval

CONFIDENCE = 0.95

Counts = Mapping[str, tuple[int, int]]
"""Slug to (scored samples, passed samples)."""


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased estimate of the chance that at least one of k samples passes, from c passes in n samples.

    1 - C(n-c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374). Needs n >= k.
    """
    if not 0 <= c <= n or k < 1 or n < k:
        raise ValueError(
            f"pass@{k} needs at least {k} samples and 0 <= passes <= samples, got n={n}, c={c}"
        )
    return 1.0 - comb(n - c, k) / comb(n, k)


def per_problem_pass_at_k(counts: Counts, k: int) -> dict[str, float]:
    """pass@k of each Problem with at least k scored samples."""
    return {slug: pass_at_k(n, c, k) for slug, (n, c) in counts.items() if n >= k}


def mean_interval(values: Sequence[float], resamples: int, seed: int) -> Interval | None:
    """Mean of per-Problem proportions (n,) in [0, 1] with a 95 % interval over Problems; None for no Problems."""
    data = np.asarray(values, dtype=float)
    if data.size == 0:
        return None
    if np.all(data == data[0]):
        low, high = _exact_interval(data)
        return Interval(value=float(data[0]), low=low, high=high)
    low, high = _bootstrap(data, resamples, seed)
    return Interval(value=float(data.mean()), low=low, high=high)


def pass_at_k_interval(counts: Counts, k: int, resamples: int, seed: int) -> Interval | None:
    """pass@k over Problems with a 95 % interval clustered by Problem; None where no Problem has k samples."""
    return mean_interval(list(per_problem_pass_at_k(counts, k).values()), resamples, seed)


def paired_difference(a: Counts, b: Counts, k: int, resamples: int, seed: int) -> Interval | None:
    """pass@k of `b` minus `a` over the Problems that both have, with a 95 % interval over Problems.

    The same Problems are drawn for both sides of each resample. None where they share no Problem.
    """
    first, second = per_problem_pass_at_k(a, k), per_problem_pass_at_k(b, k)
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    data = np.asarray([second[slug] - first[slug] for slug in shared], dtype=float)
    if np.all(data == data[0]):
        # With no spread at all nothing can be resampled: claim no more than the exact bound on the share of
        # Problems that might differ by one whole Problem in either direction.
        bound = _exact_interval(np.zeros(data.size))[1]
        value = float(data[0])
        return Interval(value=value, low=max(-1.0, value - bound), high=min(1.0, value + bound))
    low, high = _bootstrap(data, resamples, seed)
    return Interval(value=float(data.mean()), low=low, high=high)


def _bootstrap(data: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    result = stats.bootstrap(
        (data,),
        np.mean,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _exact_interval(data: np.ndarray) -> tuple[float, float]:
    """Clopper-Pearson over Problems for equal values; a common value strictly inside (0, 1) spans both ends."""
    n = data.size
    passes = data[0] * n
    low = stats.binomtest(int(np.floor(passes)), n).proportion_ci(CONFIDENCE, "exact").low
    high = stats.binomtest(int(np.ceil(passes)), n).proportion_ci(CONFIDENCE, "exact").high
    return float(low), float(high)
