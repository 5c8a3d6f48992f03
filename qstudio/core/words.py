"""The words and symbols for states and verdicts: one table each, the same on every page and in every chart."""

from __future__ import annotations

from typing import NamedTuple


class Word(NamedTuple):
    """What a person reads, and the symbol of the sprite beside it."""

    text: str
    icon: str


STATES: dict[str, Word] = {
    "queued": Word("queued", "clock"),
    "starting": Word("starting", "clock"),
    "running": Word("running", "ring"),
    "stopping": Word("stopping", "pause"),
    "succeeded": Word("succeeded", "tick"),
    "failed": Word("failed", "cross"),
    "stopped": Word("stopped", "square"),
    "paused": Word("paused", "pause"),
    "lost": Word("lost", "question"),
}

VERDICTS: dict[str, Word] = {
    "passed": Word("passed", "tick"),
    "wrong_answer": Word("wrong answer", "not-equal"),
    "q_error": Word("q error", "bolt"),
    "syntax_error": Word("does not parse", "brackets"),
    "time_limit": Word("time limit", "hourglass"),
    "memory_limit": Word("memory limit", "hourglass"),
    "output_limit": Word("output limit", "hourglass"),
    "no_program": Word("no Program", "blank"),
    "unsupported": Word("not supported by the engine", "plug"),
    "infra_error": Word("fault of ours", "plug"),
}

DIFFERENCES: dict[str, str] = {
    "wrong_value": "wrong value",
    "wrong_type": "wrong type",
    "wrong_length": "wrong length",
    "wrong_order": "wrong order",
    "atom_not_list": "atom, not list",
    "list_not_atom": "list, not atom",
    "null": "null",
    "missing_key": "missing key",
    "extra_key": "extra key",
    "not_a_value": "not a value",
    "wrong_text": "wrong text",
}
"""What a comparison found different, in a word or two; the phrase beside it says the rest."""

NOT_COUNTED = ("unsupported", "infra_error")
"""Verdicts outside every denominator."""
FAILED = tuple(kind for kind in VERDICTS if kind != "passed" and kind not in NOT_COUNTED)
"""Verdicts that count as tried and not passed."""

STAGES: dict[str, str] = {
    "dataset": "Dataset",
    "pretrain": "Pretraining",
    "sft": "Fine-tuning",
    "sampling": "Sampling",
    "evaluation": "Evaluation",
    "report": "Report",
}

EQUAL_STEPS_BASE = -1
"""Iteration number of the base line that was trained on the seeds alone for the same number of steps."""

IMPORTED = -2
"""Iteration number of an Evaluation that was read from a results file."""


def iteration_words(iteration: int) -> str:
    """`before the loop`, `Iteration 3`, or `equal-steps base line`."""
    if iteration == EQUAL_STEPS_BASE:
        return "equal-steps base line"
    if iteration == IMPORTED:
        return "read from a results file"
    return "before the loop" if iteration == 0 else f"Iteration {iteration}"
