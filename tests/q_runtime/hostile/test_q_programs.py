"""Hostile q Programs: none gets out, none passes, none is excused, and fair Programs pass after each."""

from __future__ import annotations

import sys

import pytest

from tests.q_runtime.hostile.cases import groups_of, load_cases
from tests.q_runtime.hostile.surroundings import Surroundings
from tests.q_runtime.hostile.trial import try_q

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def test_there_are_at_least_sixty() -> None:
    with Surroundings() as surroundings:
        cases = load_cases("q", surroundings.offered)

    assert len({case.id for case in cases}) == len(cases) >= 60
    assert all(case.attempts and case.sources for case in cases)


@pytest.mark.parametrize("group", groups_of("q"))
def test_it_fails_and_harms_nobody(group: str) -> None:
    with Surroundings() as surroundings:
        bad = [
            outcome
            for outcome in try_q(surroundings, chosen=lambda case: case.group == group)
            if not outcome.is_good
        ]

        assert bad == []
        assert surroundings.leftovers() == []
