"""What every Trainer does, and the rows it learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class TrainRow:
    """One row of a training set: loss is taken on `completion` only (on all of it when `prompt` is empty)."""

    prompt: str
    completion: str


@dataclass(frozen=True)
class TrainSettings:
    """Optimisation of one training: AdamW, cosine to 5 % of the peak after a linear warm-up."""

    steps: int
    learning_rate: float
    batch_size: int
    weight_decay: float
    warmup_fraction: float
    max_length: int
    """Tokens; longer rows are left out."""
    checkpoint_steps: int
    seed: int


@dataclass(frozen=True)
class TrainResult:
    """What a training did."""

    steps: int
    rows: int
    rows_left_out: int
    """Rows longer than `max_length` tokens."""
    final_loss: float | None
    """Mean loss over the last reported window of steps."""


MetricSink = Callable[[int, float, float], None]
"""Receives (step, loss, learning rate) now and then."""

ShouldStop = Callable[[], bool]


class Trainer(Protocol):
    """Trains a policy from one directory into another."""

    def train(
        self,
        start: str | Path,
        out: Path,
        rows: Sequence[TrainRow],
        settings: TrainSettings,
        on_metric: MetricSink,
        should_stop: ShouldStop,
    ) -> TrainResult:
        """Train and save to `out`, resuming from a partial training in `out` if there is one.

        Raises: TrainingError; StopRequested after a save when `should_stop` says so.
        """
        ...
