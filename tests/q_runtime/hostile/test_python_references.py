"""Hostile Python references: none gets out, none becomes a Problem, and fair rows are accepted beside each."""

from __future__ import annotations

import sys

import pytest

from tests.q_runtime.hostile.cases import groups_of, load_cases
from tests.q_runtime.hostile.surroundings import Surroundings
from tests.q_runtime.hostile.trial import try_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def test_there_are_at_least_forty() -> None:
    with Surroundings() as surroundings:
        cases = load_cases("python", surroundings.offered)

    assert len({case.id for case in cases}) == len(cases) >= 40
    assert all(case.attempts and case.sources for case in cases)


@pytest.mark.parametrize("group", groups_of("python"))
def test_it_fails_and_harms_nobody(group: str) -> None:
    with Surroundings() as surroundings:
        bad = [
            outcome
            for outcome in try_python(surroundings, chosen=lambda case: case.group == group)
            if not outcome.is_good
        ]

        assert bad == []
        assert surroundings.leftovers() == []
