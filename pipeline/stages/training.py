"""Turn rows into a Checkpoint: pretraining of the demo policy, and fine-tuning of any policy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipeline.records import Checkpoint
from pipeline.rundir import read_records, write_records
from pipeline.seeds import seed_for
from pipeline.stages.announcing import announce_once
from pipeline.stages.context import RunContext
from pipeline.trainers.base import TrainRow, TrainSettings

Role = Literal["pretrained", "initial", "candidate", "equal_steps_base"]


def train_checkpoint(
    context: RunContext,
    *,
    name: str,
    role: Role,
    start: str | Path,
    parent: Checkpoint | None,
    directory: Path,
    rows: Sequence[TrainRow],
    steps: int,
    iteration: int,
) -> Checkpoint:
    """Train from `start` on rows and record the Checkpoint; from disk when it is there.

    Writes `directory/checkpoint/` and, last, `directory/checkpoint.json`.
    """
    record_path = directory / "checkpoint.json"
    if found := next(read_records(record_path, Checkpoint), None):
        _announce(context, found)
        return found
    from pipeline.trainers.trl_sft import TrlSftTrainer

    context.release_generator()
    stage = "pretrain" if role == "pretrained" else "sft"
    out = directory / "checkpoint"
    settings = _settings(context, role, steps, name)
    reporter = context.reporter

    def on_metric(step: int, loss: float, learning_rate: float) -> None:
        reporter.progress(step)
        reporter.event(
            "metric",
            f"{name}: step {step} of {steps}, loss {loss:.3f}",
            stage=stage,
            iteration=iteration,
            step=step,
            loss=loss,
            learning_rate=learning_rate,
            checkpoint=name,
        )

    message = f"Training {name} for {steps} steps on {len(rows)} rows"
    with reporter.stage(stage, iteration, message, total=steps):
        result = TrlSftTrainer(context.config.compute).train(
            start, out, rows, settings, on_metric, reporter.should_stop
        )
        if result.rows_left_out:
            reporter.warn(
                f"{result.rows_left_out} of {len(rows)} rows were longer than {settings.max_length} tokens "
                "and left out",
                rows_left_out=result.rows_left_out,
            )
        before = parent.steps if parent is not None and role != "pretrained" else 0
        checkpoint = Checkpoint(
            id=name,
            iteration=iteration,
            role=role,
            path=context.relative(out),
            parent=parent.id if parent is not None else "",
            steps=0 if role == "pretrained" else before + result.steps,
            train_rows=result.rows,
            final_loss=result.final_loss,
        )
        write_records(record_path, [checkpoint])
        _announce(context, checkpoint)
    return checkpoint


def _announce(context: RunContext, record: Checkpoint) -> None:
    fields = record.model_dump(mode="json")
    announce_once(context, "checkpoint", f"{record.id} is saved", by="id", **fields)


def _settings(context: RunContext, role: Role, steps: int, name: str) -> TrainSettings:
    sft, pretrain = context.config.sft, context.config.pretrain
    is_pretraining = role == "pretrained"
    return TrainSettings(
        steps=steps,
        learning_rate=pretrain.learning_rate if is_pretraining else sft.learning_rate,
        batch_size=pretrain.batch_size if is_pretraining else sft.batch_size,
        weight_decay=sft.weight_decay,
        warmup_fraction=sft.warmup_fraction,
        max_length=sft.max_length,
        checkpoint_steps=sft.checkpoint_steps,
        seed=seed_for(context.config.seed, "train", name),
    )
