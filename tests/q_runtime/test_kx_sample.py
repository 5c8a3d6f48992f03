"""The sample of KX's documentation: the share of steps that print the same does not fall."""

from __future__ import annotations

import pytest

from q_runtime import Limits
from tests.q_runtime.kx_sample import SAMPLE, outcomes

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason=f"the KX sample is not beside the repository: {SAMPLE}"
)

FLOOR = 0.73


def test_the_pass_rate_does_not_fall() -> None:
    results = [result for _, _, result, _, _ in outcomes(Limits(time_s=1.0))]

    assert len(results) > 2000
    assert sum(r == "pass" for r in results) / len(results) > FLOOR
