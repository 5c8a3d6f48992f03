"""Supervised fine-tuning with TRL's SFTTrainer.

Rows are tokenised here, so the loss mask is exactly prompt against completion; the trainer does the rest. A stopped
training saves and resumes from its last checkpoint with the same data order.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoModelForCausalLM,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from pipeline.config import ComputeConfig
from pipeline.errors import StopRequested, TrainingError
from pipeline.generators.device import choose_device, choose_dtype
from pipeline.generators.hf import load_tokenizer
from pipeline.trainers.base import MetricSink, ShouldStop, TrainResult, TrainRow, TrainSettings

WORK = "trainer"
LOG_EVERY = 10
IGNORED = -100
"""The label of a token that is not learned."""


class TrlSftTrainer:
    """See `base.Trainer`."""

    def __init__(self, compute: ComputeConfig) -> None:
        self.compute = compute

    def train(
        self,
        start: str | Path,
        out: Path,
        rows: Sequence[TrainRow],
        settings: TrainSettings,
        on_metric: MetricSink,
        should_stop: ShouldStop,
    ) -> TrainResult:
        """See `base.Trainer.train`."""
        tokenizer = load_tokenizer(start)
        tokenizer.padding_side = "right"
        dataset = tokenize(tokenizer, rows, settings.max_length)
        if len(dataset) == 0:
            raise TrainingError(
                f"none of the {len(rows)} training rows fits in {settings.max_length} tokens; raise sft.max_length"
            )
        device = choose_device(self.compute)
        try:
            model = AutoModelForCausalLM.from_pretrained(str(start), dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise TrainingError(f"cannot load the policy {start} for training: {error}") from error
        work = out.parent / f".{out.name}.{WORK}"
        trainer = (SFTTrainer if device.type == "cuda" else AnswerLossTrainer)(
            model=model,
            args=self._arguments(work, settings, device),
            train_dataset=dataset,
            processing_class=tokenizer,
            callbacks=[_Watch(on_metric, should_stop)],
        )
        trainer.remove_callback(PrinterCallback)  # our own callback reports
        checkpoint = last_checkpoint(work)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if trainer.state.global_step < settings.steps:
            raise StopRequested
        self._save(trainer, tokenizer, out)
        shutil.rmtree(work, ignore_errors=True)
        return TrainResult(
            steps=trainer.state.global_step,
            rows=len(dataset),
            rows_left_out=len(rows) - len(dataset),
            final_loss=_last_loss(trainer.state.log_history),
        )

    def _arguments(self, work: Path, settings: TrainSettings, device: torch.device) -> SFTConfig:
        return SFTConfig(
            output_dir=str(work),
            max_steps=settings.steps,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            adam_beta2=0.95,
            max_grad_norm=1.0,
            optim="adamw_torch_fused",
            lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr_rate": 0.05},
            warmup_steps=int(settings.warmup_fraction * settings.steps),
            train_sampling_strategy="group_by_length",
            seed=settings.seed % 2**31,
            bf16=choose_dtype(self.compute, device) is torch.bfloat16,
            use_cpu=device.type == "cpu",
            gradient_checkpointing=False,
            dataloader_pin_memory=False,
            save_strategy="steps",
            save_steps=settings.checkpoint_steps,
            save_total_limit=1,
            logging_steps=LOG_EVERY,
            report_to=[],
            disable_tqdm=True,
            packing=False,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        )

    @staticmethod
    def _save(trainer: SFTTrainer, tokenizer: PreTrainedTokenizerBase, out: Path) -> None:
        """Save beside `out` and rename, so that a directory with this name is always whole."""
        partial = out.parent / f".{out.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        trainer.save_model(str(partial))
        tokenizer.padding_side = "left"
        tokenizer.save_pretrained(str(partial))
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)


def tokenize(
    tokenizer: PreTrainedTokenizerBase, rows: Sequence[TrainRow], max_length: int
) -> Dataset:
    """Token ids and labels (`IGNORED` on the prompt) for the rows of at most `max_length` tokens."""
    prompts = _token_ids(tokenizer, [row.prompt for row in rows])
    answers = _token_ids(tokenizer, [row.completion for row in rows])
    stop = tokenizer.eos_token_id
    ids, labels = [], []
    for prompt, answer in zip(prompts, answers, strict=True):
        whole = [*prompt, *answer, stop]
        if len(whole) <= max_length:
            ids.append(whole)
            labels.append([IGNORED] * len(prompt) + [*answer, stop])
    lengths = [len(row) for row in ids]
    return Dataset.from_dict({"input_ids": ids, "labels": labels, "length": lengths})


def _token_ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    """The ids of each text, without special tokens; a tokenizer itself refuses an empty batch."""
    return tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []


def last_checkpoint(work: Path) -> Path | None:
    """The newest whole checkpoint of an unfinished training."""
    found = [path for path in work.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


class AnswerLossTrainer(SFTTrainer):
    """SFTTrainer's loss where there is no Triton: the head of the model reads the tokens of the answers alone.

    TRL scores every token there, prompts included, and measures entropy and accuracy besides, which for the demo policy
    is a quarter of a step. The loss is the same: mean negative log-likelihood of the tokens that have a label.
    """

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the loss of one batch; with its outputs, as TRL has it."""
        if return_outputs:
            return super().compute_loss(model, inputs, True, num_items_in_batch)
        labels = inputs["labels"][:, 1:]
        answers = labels != IGNORED
        hidden = model.base_model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
        ).last_hidden_state
        logits = model.get_output_embeddings()(hidden[:, :-1][answers])
        total = torch.nn.functional.cross_entropy(logits.float(), labels[answers], reduction="sum")
        return total / (answers.sum() if num_items_in_batch is None else num_items_in_batch)


class _Watch(TrainerCallback):
    """Reports losses, and stops after a save when a person asked for it."""

    def __init__(self, on_metric: MetricSink, should_stop: ShouldStop) -> None:
        self.on_metric = on_metric
        self.should_stop = should_stop

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        entry = state.log_history[-1] if state.log_history else {}
        if "loss" in entry:
            rate = float(entry.get("learning_rate", 0.0))
            self.on_metric(state.global_step, float(entry["loss"]), rate)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if self.should_stop() and state.global_step < state.max_steps:
            control.should_save = True
            control.should_training_stop = True


def _last_loss(history: list[dict[str, float]]) -> float | None:
    losses = [float(entry["loss"]) for entry in history if "loss" in entry]
    return losses[-1] if losses else None
