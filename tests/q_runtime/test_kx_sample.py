"""The sample of KX's documentation: the share of steps that print the same does not fall."""

from __future__ import annotations

import pytest

from tests.q_runtime.kx_rules import LIMITS, known_wrong, lines_by_rule, still_open
from tests.q_runtime.kx_sample import SAMPLE, Outcome, outcomes, shares

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


def test_every_step_that_differs_stands_under_one_rule(results: list[Outcome]) -> None:
    listed = [step for rule in (*known_wrong(), *still_open()) for step in rule.steps]
    out_of_time = {o.session for o in results if "LimitExceeded" in (o.error or "")}
    differing = {
        (o.session, o.step["n"]): o.text()
        for o in results
        if not o.passed and o.session not in out_of_time
    }

    assert sorted(listed) == sorted(set(listed))
    assert [text for step, text in differing.items() if step not in listed] == []


def test_a_step_that_passes_leaves_its_list(results: list[Outcome]) -> None:
    differing = {(o.session, o.step["n"]) for o in results if not o.passed}
    rules = [rule for rule in (*known_wrong(), *still_open()) if rule.name != LIMITS]

    assert [step for rule in rules for step in rule.steps if step not in differing] == []


def test_what_stands_under_no_rule_is_shown_last() -> None:
    lines = lines_by_rule([("docs/a.md#000", 3)], lambda _: "e")

    assert lines[-2:] == ["   1  under no rule", "          docs/a.md  000.3e"]
