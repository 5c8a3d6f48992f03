"""The records that the parts of QStudio exchange: frozen, versioned, JSON on disk.

A record is written once and never edited; a change of meaning raises `SCHEMA_VERSION`. The web project mirrors
these in its tables by ingest, so every name here is a name there.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Split = Literal["train", "dev", "test", "prompt"]
Visibility = Literal["public", "hidden"]
Origin = Literal["reference", "bootstrap", "human"]
Purpose = Literal["sampling", "evaluation"]


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of a JSON value in canonical form: sorted keys, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def solution_key(problem: str, program: str) -> str:
    """Key of the Solution that a Program is for the Problem with this slug."""
    return content_hash([problem, program])


class Record(BaseModel):
    """Base of all records: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION

    @property
    def digest(self) -> str:
        """Content hash of the whole record."""
        return content_hash(self.model_dump(mode="json"))


class Param(BaseModel):
    """One parameter of a Problem's function: its name and type expression (`typed_values`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: str


class TestCase(Record):
    """Arguments and expected value for one Problem, both in the typed JSON encoding of `typed_values`."""

    __test__ = False  # not a pytest class

    index: int
    visibility: Visibility
    arguments: tuple[Any, ...]
    expected: Any
    comparator: str = "equal"
    """`equal`, `unordered`, `close:<eps>`, or `any_of`: then `expected` is a list of acceptable values."""
    origin: str = "reference"
    """Where it comes from: `example`, `assert` or `reference` (generated input, answer by the reference)."""


class Problem(Record):
    """A statement with a Python reference and the TestCases that decide what counts as solved."""

    slug: str
    title: str
    statement: str
    entry_point: str
    params: tuple[Param, ...]
    returns: str
    reference: str
    """Python source that defines `entry_point`; empty when the source of the Problem has none."""
    generator: str = ""
    """Python source that defines `generate(rng) -> tuple of arguments`; empty when there is none."""
    tests: tuple[TestCase, ...]
    problem_set: str
    split: Split
    group: str
    """Near-duplicates share a group, and a group lies in one split."""
    difficulty: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    is_evaluation_only: bool = False
    """True for benchmarks: their Solutions and texts never enter a training set."""

    @property
    def tests_hash(self) -> str:
        """Content hash of the TestCases: two verdicts compare only under the same tests."""
        return content_hash([test.model_dump(mode="json") for test in self.tests])


class Solution(Record):
    """A Program that was accepted for a Problem."""

    problem: str
    program: str
    origin: Origin
    provenance: dict[str, Any] = Field(default_factory=dict)
    """Run, iteration, attempt, policy, engine and grader for `bootstrap`; author and licence otherwise."""

    @property
    def key(self) -> str:
        """Identity of a Solution: the same Program for the same Problem is one Solution."""
        return solution_key(self.problem, self.program)


class VerdictKind(StrEnum):
    """Outcome of an Attempt; `unsupported` and `infra_error` are outside every denominator."""

    PASSED = "passed"
    WRONG_ANSWER = "wrong_answer"
    Q_ERROR = "q_error"
    SYNTAX_ERROR = "syntax_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    NO_PROGRAM = "no_program"
    UNSUPPORTED = "unsupported"
    INFRA_ERROR = "infra_error"

    @property
    def is_scored(self) -> bool:
        """Whether the Attempt counts as tried."""
        return self not in (VerdictKind.UNSUPPORTED, VerdictKind.INFRA_ERROR)


class Execution(BaseModel):
    """What one TestCase showed of one Program."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test_index: int
    """Index of the TestCase; fresh inputs are numbered on after the stored ones."""
    outcome: str
    """`passed`, `wrong_answer`, or the status of the engine (`q_error`, `time_limit`, ...)."""
    actual: str = ""
    """The value as q writes it, shortened to 2,000 characters."""
    difference_kind: str = ""
    difference: str = ""
    """The typed difference in a phrase."""
    error: str = ""
    error_at: int | None = None
    """Offset in the Program of what signalled the error, where the engine knows it."""
    stdout: str = ""
    duration_s: float = 0.0


class Verdict(Record):
    """The judgement of one Program against one Problem's tests under one grader and engine."""

    kind: VerdictKind
    reason: str = ""
    """One line: the first failing test's difference, or the q error."""
    error: str = ""
    """Name of the q error when there was one, such as `type`."""
    n_passed: int = 0
    n_tests: int = 0
    executions: tuple[Execution, ...] = ()
    grader: str
    engine: str
    engine_version: str
    tests_hash: str


class Completion(BaseModel):
    """Raw text from a policy and how it was drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    n_tokens: int
    finish_reason: Literal["stop", "length"]
    sampling_seed: int
    temperature: float


class Attempt(Record):
    """One sample for one Problem: the unit that pass@k counts."""

    id: str
    """Derived from run, purpose, iteration, problem and sample index, so that a repeat is the same Attempt."""
    purpose: Purpose
    iteration: int
    problem: str
    sample_index: int
    policy: str
    """Checkpoint id of the policy that was sampled."""
    prompt_id: str
    """Content hash of the Prompt's text; texts are in `prompts.jsonl`."""
    completion: Completion
    program: str | None
    verdict: Verdict
    split: Split


class Prompt(Record):
    """The text that a policy was given for a Problem."""

    id: str
    problem: str
    text: str


class Interval(BaseModel):
    """An estimate with its interval at 95 %, as proportions in [0, 1] (differences in [-1, 1])."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float


class Evaluation(Record):
    """pass@k of one policy on one split, with what is needed to compare it honestly."""

    id: str
    iteration: int
    """Iteration whose policy this is; 0 is the policy before the loop, -1 the equal-steps base line, -2 a policy of
    elsewhere, whose results were read from a file."""
    policy: str
    split: Split
    n_problems: int
    n_samples: int
    """Samples per Problem."""
    temperature: float
    pass_at: dict[str, Interval]
    """Keys `1`, `4`, `8`: unbiased pass@k, scored Attempts only, interval clustered by Problem."""
    pass_at_all_in: dict[str, Interval]
    """The same with `unsupported` and `infra_error` counted as failures."""
    verdicts: dict[str, int]
    per_problem: dict[str, tuple[int, int]]
    """Slug to (scored samples, passed samples)."""
    grader: str
    engine: str
    engine_version: str
    prompt_format: str


class Checkpoint(Record):
    """Weights on disk, always by explicit id."""

    id: str
    iteration: int
    role: Literal["base", "pretrained", "initial", "candidate", "equal_steps_base"]
    path: str
    """Relative to the run directory; for the role `base` the directory or hub name of the untrained model."""
    parent: str = ""
    steps: int
    """Optimizer steps since the base model, pretraining excluded."""
    train_rows: int
    final_loss: float | None


class RunEvent(Record):
    """One line of `events.jsonl`: what happened, in order."""

    seq: int
    time: str
    """UTC, ISO 8601."""
    kind: str
    message: str
    """One sentence for a person."""
    data: dict[str, Any] = Field(default_factory=dict)


class Review(Record):
    """One human decision about a Solution."""

    problem: str
    solution_key: str
    reviewer: str
    decision: Literal["approved", "rejected", "second_look"]
    reason: str = ""
    time: str
