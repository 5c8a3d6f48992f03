"""Sampling token by token with a batch that shrinks as its rows end.

`generate` of transformers carries every row until the longest of the batch has ended. Programs differ much in length,
so that more than half of its work on a CPU is for rows that nobody reads.
"""

from __future__ import annotations

import torch
from transformers import DynamicCache, PreTrainedModel

KEPT_SHARE = 0.8
"""The batch is made smaller once at most this share of its rows goes on: each time copies the cache."""


@torch.inference_mode()
def sample_tokens(
    model: PreTrainedModel,
    cache: DynamicCache,
    last: torch.Tensor,
    mask: torch.Tensor,
    *,
    temperature: float,
    max_new_tokens: int,
    stop: int,
) -> torch.Tensor:
    """Draw each row's continuation from torch's random stream; what follows a `stop` is filled with it.

    Args:
        model: a causal language model.
        cache: keys and values of all tokens but the last; it is used up.
        last: the last token of every row, shape (rows, 1).
        mask: 1 for tokens, 0 for padding on the left, the last token included; shape (rows, tokens).
        temperature: the logits are divided by it.
        max_new_tokens: a row that has not stopped by then ends there.
        stop: the token that ends a row.

    Returns:
        Token ids, shape (rows, max_new_tokens).
    """
    drawn = last.new_full((len(last), max_new_tokens), stop)
    rows = torch.arange(len(last), device=last.device)
    has_ended = torch.zeros(len(last), dtype=torch.bool, device=last.device)
    for place in range(max_new_tokens):
        logits = model(
            input_ids=last,
            attention_mask=mask,
            position_ids=mask.sum(dim=1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]
        last = torch.multinomial((logits.float() / temperature).softmax(dim=-1), 1)
        last[has_ended] = stop
        drawn[rows, place] = last.squeeze(1)
        has_ended |= last.squeeze(1) == stop
        kept = (~has_ended).nonzero().squeeze(1)
        if not len(kept):
            break
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        if len(kept) <= KEPT_SHARE * len(rows):
            cache.batch_select_indices(kept)
            rows, last, mask, has_ended = rows[kept], last[kept], mask[kept], has_ended[kept]
    return drawn
