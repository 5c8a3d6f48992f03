"""The sample of KX's documentation: the share of steps that print the same does not fall."""

from __future__ import annotations

import pytest

from tests.q_runtime.kx_sample import SAMPLE, Outcome, known_wrong, outcomes, shares

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason=f"the KX sample is not beside the repository: {SAMPLE}"
)

FLOORS = {"value steps": 0.98, "error steps": 0.98}


@pytest.fixture(scope="module")
def results() -> list[Outcome]:
    return outcomes()


@pytest.mark.parametrize("kind", FLOORS)
def test_the_share_does_not_fall(results: list[Outcome], kind: str) -> None:
    passed, total = shares(results)[kind]

    assert len(results) > 2000
    assert passed / total >= FLOORS[kind]


def test_known_wrong_steps_exist_and_still_differ(results: list[Outcome]) -> None:
    differing = {(o.session, o.step["n"]) for o in results if not o.passed}

    assert [step for step in known_wrong() if step not in differing] == []
