"""How a q value differs from the expected one, as data: what every grader answers when it does not say "equal".

What this deliberately does not do: find a difference (`equality`, `graders`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """How a q value differs from the expected one."""

    kind: str
    """`wrong_value wrong_type wrong_length wrong_order atom_not_list list_not_atom null missing_key extra_key
    not_a_value wrong_text`; docs/grading.md says of each what it means."""
    phrase: str
    path: str = ""
    """Where inside the value: `[2][0]` or `["key"]`; empty at the top."""

    def __str__(self) -> str:
        return f"at {self.path}: {self.phrase}" if self.path else self.phrase
