"""What came of a Problem's mutants: one record per Problem, with the evidence for every mutant."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipeline.mutation.edits import Kind
from pipeline.records import Record

Fate = Literal["killed", "survived", "equivalent", "broken"]


class MutantFate(BaseModel):
    """One mutant and what the tests made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    line: int
    """Line of the reference, from 1; 0 where the whole function is another."""
    change: str
    fate: Fate
    """`killed` by a test; `survived` all of them although a drawn input tells it from the reference, or none could be
    drawn; probably `equivalent`, since no drawn input does; or `broken`, a failure of its own on every test."""
    test_index: int | None = None
    """The first test that told it from the reference."""
    cause: str = ""
    """How: the difference as the grader says it, or what the mutant did."""


class KillReport(Record):
    """How well a Problem's tests tell its reference from mutants of it."""

    problem: str
    n_tests: int
    n_extra_inputs: int = 0
    """Different inputs drawn beyond the tests, on which survivors were compared with the reference."""
    unmeasured: str = ""
    """Why there is no kill rate, as a sentence; empty when there is one."""
    is_fault_of_ours: bool = False
    """Whether another measurement may say more: the sandbox lost the process."""
    mutants: tuple[MutantFate, ...] = ()

    def count(self, fate: Fate) -> int:
        """How many mutants met this fate."""
        return sum(mutant.fate == fate for mutant in self.mutants)

    @property
    def rate(self) -> float | None:
        """Killed mutants among those killed and survived, in [0, 1]; None where nothing could be measured."""
        counted = self.count("killed") + self.count("survived")
        return None if self.unmeasured or not counted else self.count("killed") / counted
