"""Completions from a transformers model in this process, on the CPU or one GPU.

Batches are padded on the left and share one random stream, so a batch is the unit that can be repeated exactly.
Does not serve, and does not shard a model: larger policies belong on a server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from pipeline.config import ComputeConfig
from pipeline.errors import GenerationError
from pipeline.generators.decoding import sample_tokens
from pipeline.generators.device import choose_device, choose_dtype, sharing_cores
from pipeline.prompts.render import render
from pipeline.records import Completion, Problem, Prompt

DEMO_MARK = "qstudio_demo"


class HFGenerator:
    """A transformers model and tokenizer from a directory or hub name."""

    def __init__(
        self,
        model: str | Path,
        compute: ComputeConfig,
        prompt_format: str = "auto",
        workers: int = 0,
    ) -> None:
        """Load the policy, to draw while `workers` processes judge.

        Raises: GenerationError with one sentence when it cannot be loaded.
        """
        self.compute = compute
        self.workers = workers
        self.renderer = PromptRenderer(model, prompt_format)
        self.tokenizer = self.renderer.tokenizer
        self.prompt_format = self.renderer.format
        self.device = choose_device(compute)
        try:
            self.model = AutoModelForCausalLM.from_pretrained(
                str(model), dtype=choose_dtype(compute, self.device)
            ).to(self.device)
        except (OSError, ValueError, RuntimeError) as error:
            raise GenerationError(
                f"cannot load the policy {model}: {_first_line(error)}"
            ) from error
        self.model.eval()
        limit = getattr(self.model.config, "max_position_embeddings", None) or 4096
        self.max_positions = int(limit)

    def prompt(self, problem: Problem) -> Prompt:
        """The Prompt that this policy is given for a Problem."""
        return self.renderer.prompt(problem)

    @torch.inference_mode()
    def sample(
        self, prompts: Sequence[str], n: int, temperature: float, max_new_tokens: int, seed: int
    ) -> list[list[Completion]]:
        """Draw `n` Completions per prompt; see `base.Generator`. Prompts that are too long lose their beginning."""
        batch = self.tokenizer(
            list(prompts),
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=max(1, self.max_positions - max_new_tokens),
            add_special_tokens=False,
        ).to(self.device)
        torch.manual_seed(seed % (2**63))
        ids, mask = batch["input_ids"], batch["attention_mask"]
        with sharing_cores(self.compute, self.workers):
            drawn = sample_tokens(
                self.model,
                self._read(ids, mask, n),
                ids[:, -1:].repeat_interleave(n, dim=0),
                mask.repeat_interleave(n, dim=0),
                temperature=temperature,
                max_new_tokens=max_new_tokens,
                stop=self.tokenizer.eos_token_id,
            ).tolist()
        completions = [self._completion(ids, seed, temperature) for ids in drawn]
        return [completions[start : start + n] for start in range(0, len(completions), n)]

    def _read(self, ids: torch.Tensor, mask: torch.Tensor, n: int) -> DynamicCache:
        """The cache of all but the last prompt token, read once per prompt and repeated for its `n` samples.

        Prompts are several times longer than answers, so reading each once is most of what can be saved.
        """
        cache = DynamicCache(config=self.model.config)
        if ids.shape[1] < 2:
            return cache
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        self.model(
            input_ids=ids[:, :-1],
            attention_mask=mask[:, :-1],
            position_ids=positions[:, :-1],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache.batch_repeat_interleave(n)
        return cache

    def _completion(self, ids: list[int], seed: int, temperature: float) -> Completion:
        stop = self.tokenizer.eos_token_id
        finished = stop in ids
        kept = ids[: ids.index(stop)] if finished else ids
        return Completion(
            text=self.tokenizer.decode(kept, skip_special_tokens=True),
            n_tokens=len(kept) + int(finished),
            finish_reason="stop" if finished else "length",
            sampling_seed=seed,
            temperature=temperature,
        )


class PromptRenderer:
    """Problems as Prompts for one policy: its tokenizer decides the format when the settings say `auto`."""

    def __init__(self, model: str | Path, prompt_format: str = "auto") -> None:
        """Load the tokenizer. Raises: GenerationError."""
        self.tokenizer = load_tokenizer(model)
        self.format = resolve_format(self.tokenizer, prompt_format)

    def prompt(self, problem: Problem) -> Prompt:
        """The Prompt that this policy is given for a Problem."""
        return render(problem, self.format, self._chat if self.format == "chat" else None)

    def _chat(self, messages: list[dict[str, str]]) -> str:
        text = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return str(text)


def load_tokenizer(model: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a policy, padding on the left. Raises: GenerationError."""
    path = Path(model)
    if path.is_dir() and not any((path / name).exists() for name in _TOKENIZER_FILES):
        raise GenerationError(
            f"the policy directory {path} has no tokenizer (none of {', '.join(_TOKENIZER_FILES)}); "
            "save one there with tokenizer.save_pretrained()"
        )
    if not path.is_dir() and str(model).startswith((".", "/", "~")):
        raise GenerationError(
            f"the policy directory {model} does not exist; give a directory or a hub name"
        )
    try:
        # AutoTokenizer goes by the model's type and would put Qwen2's own way of splitting text in the place of
        # the demo tokenizer's, which was trained with another.
        loader = PreTrainedTokenizerFast if _is_demo(path) else AutoTokenizer
        tokenizer = loader.from_pretrained(str(model), padding_side="left", truncation_side="left")
    except (OSError, ValueError) as error:
        raise GenerationError(
            f"cannot load the tokenizer of {model}: {_first_line(error)}"
        ) from error
    if tokenizer.eos_token_id is None:
        raise GenerationError(
            f"the tokenizer of {model} has no end-of-sequence token, so no answer could end"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def resolve_format(tokenizer: PreTrainedTokenizerBase, prompt_format: str) -> str:
    """`auto` made definite: the demo policy's tokenizer says so itself, then the chat template decides."""
    if prompt_format != "auto":
        return prompt_format
    if getattr(tokenizer, "init_kwargs", {}).get(DEMO_MARK):
        return "demo"
    return "chat" if getattr(tokenizer, "chat_template", None) else "plain"


_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")


def _is_demo(path: Path) -> bool:
    config = path / "tokenizer_config.json"
    return config.is_file() and bool(json.loads(config.read_text(encoding="utf-8")).get(DEMO_MARK))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
