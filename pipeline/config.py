"""Settings of a run: presets in `configs/*.toml`, `--set a.b=c` on top, one frozen model as the result.

A run directory holds the resolved settings as `config.json`; nothing is read from anywhere else afterwards.
Every default is a decision; the string below a field says what it governs and in which unit.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigError

PRESETS_DIR = Path(__file__).parent / "configs"


class Section(BaseModel):
    """Base of all settings: immutable, and strict about unknown names."""

    # The strings below the fields are the help texts of the launch form.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ProblemsConfig(Section):
    """Which Problems the loop learns from and is measured on."""

    sets: tuple[str, ...] = ("demo",)
    """Problem sets whose train, dev and test splits are used."""
    seed_sets: tuple[str, ...] = ()
    """Further sets whose accepted Solutions are training data although the loop does not sample them."""
    max_train: int | None = Field(None, ge=1)
    """Use only so many training Problems, drawn by hash whether seeded or not; none: all."""
    max_dev: int | None = Field(None, ge=1)
    """Use only the first so many dev Problems, on which policies are chosen; none: all."""
    max_test: int | None = Field(None, ge=1)
    """Use only the first so many test Problems, on which policies are measured; none: all."""


class PolicyConfig(Section):
    """The model that is trained. `demo` builds a small Qwen2 from scratch; else a directory or hub name."""

    base: str = "demo"
    """`demo`, the folder of a Hugging Face model, or a name on the hub."""
    prompt_format: Literal["auto", "demo", "plain", "chat"] = "auto"
    """`auto`: the demo policy's own format, else chat when the tokenizer has a template, else plain."""
    hidden_size: int = Field(160, ge=16)
    """Width of the demo policy; a multiple of twice the heads."""
    n_layers: int = Field(3, ge=1)
    """Layers of the demo policy."""
    n_heads: int = Field(5, ge=1)
    """Attention heads of the demo policy."""
    intermediate_size: int = Field(480, ge=16)
    """Width of the feed-forward layers of the demo policy."""
    vocab_size: int = Field(1024, ge=300)
    """Upper bound for the tokenizer that is trained from our own text (demo only)."""


class PretrainConfig(Section):
    """Training of the demo policy on Python and descriptions, without any q. Unused for other policies."""

    programs: int = Field(6000, ge=0)
    """Python programs with their descriptions that are generated to learn from."""
    steps: int = Field(600, ge=0)
    """Optimizer steps."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate."""
    batch_size: int = Field(32, ge=1)
    """Rows per optimizer step."""


class SftConfig(Section):
    """Supervised fine-tuning on accepted Solutions; one optimizer step sees `batch_size` rows."""

    initial_steps: int = Field(300, ge=0)
    """Steps on the seeds before the first Iteration."""
    steps: int = Field(150, ge=1)
    """Steps in each Iteration."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate."""
    batch_size: int = Field(32, ge=1)
    """Rows per optimizer step."""
    weight_decay: float = Field(0.05, ge=0)
    """AdamW weight decay."""
    warmup_fraction: float = Field(0.05, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    max_length: int = Field(256, ge=16)
    """Longest row in tokens; longer rows are left out and counted."""
    checkpoint_steps: int = Field(100, ge=1)
    """A stopped training resumes from the last multiple of this many steps."""
    programs_per_problem: int = Field(2, ge=1)
    """At most so many accepted Programs of one Problem become rows, the most frequent first."""


class AugmentConfig(Section):
    """Rows made from accepted Programs, each proven by execution before use. Only for the demo family."""

    digit_swaps: int = Field(4, ge=0)
    """Tries per accepted Program at changing one constant in Python, text and q alike."""
    splices_per_program: float = Field(6.0, ge=0)
    """Rows that join two accepted Programs, per accepted Program."""
    max_splices: int = Field(1700, ge=0)
    """At most so many joined rows."""


class SamplingConfig(Section):
    """Drawing Programs for unsolved training Problems."""

    k: int = Field(16, ge=1)
    """Programs drawn for each unsolved Problem in an Iteration."""
    temperature: float = Field(1.0, gt=0)
    """Sampling temperature; higher draws more varied Programs."""
    max_new_tokens: int = Field(40, ge=1)
    """Longest Completion in tokens; a longer one is cut."""
    problems_per_batch: int = Field(32, ge=1)
    """Problems sampled together; a batch is written whole, and is the unit of resuming."""


class AcceptanceConfig(Section):
    """What a Program must survive to become a Solution, beyond the Problem's own tests."""

    fresh_inputs: int = Field(12, ge=0)
    """Inputs drawn from the Problem's generator for this run alone, answered by its reference."""
    max_same_answer: float = Field(0.9, gt=0, le=1)
    """No acceptance where one answer covers more than this share of all inputs: they tell too little."""
    require_generator: bool = True
    """No acceptance where the Problem has no input generator, so that a Program could only meet inputs it may know."""
    min_kill_rate: float = Field(0.9, ge=0, le=1)
    """No acceptance where tests and fresh inputs tell fewer of the reference's mutants from it; 0: none are made."""
    max_mutants: int = Field(40, ge=4)
    """At most so many mutants of one reference."""


class EvaluationConfig(Section):
    """Measuring a policy on dev and test."""

    samples: int = Field(8, ge=1)
    """Programs per Problem; pass@k is reported only for k up to this."""
    ks: tuple[int, ...] = (1, 4, 8)
    """The k of the reported pass@k."""
    temperature: float = Field(0.7, gt=0)
    """Sampling temperature of every evaluation."""
    max_new_tokens: int = Field(40, ge=1)
    """Longest Completion in tokens; a longer one is cut."""
    problems_per_batch: int = Field(64, ge=1)
    """Problems sampled together; memory grows with it."""
    resamples: int = Field(10_000, ge=100)
    """Bootstrap resamples over Problems."""
    seed: int = 20_261
    """Sampling seed of every evaluation, the same for all policies."""


class LoopConfig(Section):
    """When the bootstrap loop ends."""

    max_iterations: int = Field(3, ge=1)
    """The loop ends after so many Iterations at the latest."""
    target_share: float = Field(1.0, gt=0, le=1)
    """Stop when this share of the training Problems is solved."""
    patience: int = Field(1, ge=1)
    """Stop after so many Iterations in a row that solve nothing new."""
    time_budget_s: float | None = Field(None, gt=0)
    """Begin no further Iteration after so many seconds of work; the report says so. None: no limit."""
    max_infra_share: float = Field(0.05, ge=0, le=1)
    """Fail the run when more than this share of the Attempts of a stage could not be judged through a fault of ours."""


class ExecutionConfig(Section):
    """Running q and Python references."""

    engine: str = "embedded"
    """What executes q: `embedded` needs nothing installed; `kdb_process` starts a q, `kdb_ipc` uses one that runs,
    `pykx` the one inside PyKX."""
    workers: int = Field(2, ge=1)
    """Worker processes that execute Programs side by side."""
    time_s: float = Field(2.0, gt=0)
    """Longest time for one test, in seconds; of the processor, where the engine is `embedded`."""
    memory_mb: int = Field(512, ge=64)
    """Most memory of one worker, in MB."""
    output_bytes: int = Field(65_536, ge=256)
    """Most that a Program may print, in bytes."""
    max_connections: int = Field(2, ge=1)
    """Most connections at the same time to the kdb+ of `kdb_ipc`."""
    wait_s: float = Field(30.0, ge=0)
    """How long a kdb+ that went away is waited for, in seconds, before the run stops and may be resumed."""


class ComputeConfig(Section):
    """Where the policy computes."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: a GPU where there is one, else the processor."""
    threads: int | None = Field(None, ge=1)
    """CPU threads for the policy; none: what torch chooses."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 on a GPU that computes it, fp32 on every CPU, where small matrices are faster so."""


class RunConfig(Section):
    """Everything that decides a bootstrap run, apart from the Problems themselves."""

    stage: Literal["bootstrap"] = "bootstrap"
    name: str = Field("bootstrap", min_length=1, max_length=80)
    """How the Run is called in lists and in the name of its directory."""
    seed: int = Field(0, ge=0)
    """Decides every random draw: the same seed and settings give the same records."""
    problems: ProblemsConfig = ProblemsConfig()
    policy: PolicyConfig = PolicyConfig()
    pretrain: PretrainConfig = PretrainConfig()
    sft: SftConfig = SftConfig()
    augment: AugmentConfig = AugmentConfig()
    sampling: SamplingConfig = SamplingConfig()
    acceptance: AcceptanceConfig = AcceptanceConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    loop: LoopConfig = LoopConfig()
    execution: ExecutionConfig = ExecutionConfig()
    compute: ComputeConfig = ComputeConfig()


def preset_names() -> list[str]:
    """Names that `load_preset` knows."""
    return sorted(path.stem for path in PRESETS_DIR.glob("*.toml"))


def load_preset(name: str, overrides: list[str] | None = None) -> RunConfig:
    """The settings of a preset with `a.b=c` overrides on top.

    Raises: ConfigError for an unknown preset, an unknown name or a value out of range.
    """
    path = PRESETS_DIR / f"{name}.toml"
    if name not in preset_names():
        raise ConfigError(f"unknown preset {name!r}; choose one of: {', '.join(preset_names())}")
    return load_toml(path, overrides)


def load_toml(path: Path, overrides: list[str] | None = None) -> RunConfig:
    """The settings of a TOML file with `a.b=c` overrides on top. Raises: ConfigError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the settings file {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    for override in overrides or []:
        apply_override(values, override)
    return resolve(values)


def resolve(values: dict[str, Any]) -> RunConfig:
    """Check a tree of settings. Raises: ConfigError naming the first setting that is wrong."""
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_first_problem(error)) from error


def apply_override(values: dict[str, Any], override: str) -> None:
    """Set `a.b=c` in a tree of settings; `c` is JSON, or else text. Raises: ConfigError."""
    name, separator, text = override.partition("=")
    parts = name.strip().split(".")
    if not separator or not all(parts):
        raise ConfigError(f"--set {override!r}: expected NAME=VALUE such as sampling.k=8")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    for part in parts[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise ConfigError(
                f"--set {override!r}: {part!r} is a single value, not a group of settings"
            )
    values[parts[-1]] = value


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown setting {name!r}; see docs/settings.md for the names"
    return f"setting {name!r} = {first['input']!r} is not valid: {first['msg'].lower()}"
