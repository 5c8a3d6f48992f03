"""The golden transcripts print exactly what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.q_runtime.transcripts import CONFORMANCE, read_transcript, replay

FILES = sorted(CONFORMANCE.rglob("*.qtest"))
MIN_STEPS = 280


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(CONFORMANCE)))
def test_transcript_prints_what_it_says(path: Path) -> None:
    wrong = [
        f"line {o.step.line}: q){o.step.text}\nexpected {o.expected}\nactual   {o.actual}"
        for o in replay(path)
        if o.is_equal == bool(o.step.xfail)
    ]

    assert wrong == []


def test_there_are_enough_steps() -> None:
    assert sum(len(read_transcript(path)) for path in FILES) >= MIN_STEPS


def test_a_wrong_transcript_is_reported() -> None:
    outcomes = replay(CONFORMANCE / "known_failure.fail")

    assert [o.is_equal for o in outcomes] == [True, False]
