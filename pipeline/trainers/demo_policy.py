"""The demo policy from nothing: a byte-level BPE tokenizer from our own text and a small Qwen2 with random weights.

The text comes from the caller, who answers for it: it may hold Python, descriptions and the q of seeds, never the q
of a Problem that the loop is to solve.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from pipeline.config import PolicyConfig
from pipeline.generators.hf import DEMO_MARK
from pipeline.prompts.render import DESCRIPTION_TOKEN, PYTHON_TOKEN, Q_TOKEN

PAD, EOS = "<pad>", "<eos>"
MAX_POSITIONS = 1024


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE over `texts`; digits and line ends stay single, a merge needs two occurrences.

    Merges may cross blanks and brackets, so that a phrase which recurs becomes one token. Rows are less than half as
    long as with words for tokens, and a small model learns in minutes what it otherwise does not learn at all.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d|\n|[^\d\n]+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=[PAD, EOS, PYTHON_TOKEN, Q_TOKEN, DESCRIPTION_TOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        padding_side="left",
        truncation_side="left",
        model_max_length=MAX_POSITIONS,
        clean_up_tokenization_spaces=False,
        **{DEMO_MARK: True},
    )


def build(config: PolicyConfig, texts: Iterable[str], seed: int, out: Path) -> int:
    """Save a tokenizer trained on `texts` and a model with random weights to `out`; returns its parameter count."""
    tokenizer = train_tokenizer(texts, config.vocab_size)
    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            num_key_value_heads=config.n_heads,
            intermediate_size=config.intermediate_size,
            max_position_embeddings=MAX_POSITIONS,
            tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return sum(parameter.numel() for parameter in model.parameters())
