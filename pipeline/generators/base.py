"""What every Generator does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.records import Completion, Problem, Prompt


class Generator(Protocol):
    """Draws Completions from one policy."""

    prompt_format: str

    def prompt(self, problem: Problem) -> Prompt:
        """The Prompt that this policy is given for a Problem."""
        ...

    def sample(
        self, prompts: Sequence[str], n: int, temperature: float, max_new_tokens: int, seed: int
    ) -> list[list[Completion]]:
        """Draw `n` Completions for each prompt.

        The same arguments give the same Completions on the same machine. Returns one list of `n` per prompt, in
        order. Raises: GenerationError.
        """
        ...
