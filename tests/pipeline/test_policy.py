"""The demo policy from scratch: its tokenizer, its training and its sampling, all real and tiny."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM
from trl import SFTTrainer

from pipeline.config import ComputeConfig, PolicyConfig
from pipeline.errors import GenerationError, StopRequested, TrainingError
from pipeline.generators.hf import HFGenerator, PromptRenderer, load_tokenizer
from pipeline.trainers import trl_sft
from pipeline.trainers.base import TrainRow, TrainSettings
from pipeline.trainers.demo_policy import build, train_tokenizer
from pipeline.trainers.trl_sft import TrlSftTrainer, tokenize

TINY = PolicyConfig(hidden_size=32, n_layers=1, n_heads=1, intermediate_size=64, vocab_size=400)
CPU = ComputeConfig(device="cpu", precision="fp32")
ROWS = [
    TrainRow(f"<py>def f(x):\n    return x + {i}<d>Given a number: add {i}.<q>", f"{{x+{i}}}")
    for i in range(2, 10)
]


def settings(steps: int, **changes: object) -> TrainSettings:
    values = {
        "steps": steps,
        "learning_rate": 3e-3,
        "batch_size": 4,
        "weight_decay": 0.0,
        "warmup_fraction": 0.1,
        "max_length": 128,
        "checkpoint_steps": 4,
        "seed": 11,
    }
    return TrainSettings(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "random"
    build(TINY, [row.prompt + row.completion for row in ROWS] * 3, seed=5, out=path)
    return path


def weights(path: Path) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(path).state_dict()


def test_the_tokenizer_gives_every_text_back(policy: Path) -> None:
    tokenizer = load_tokenizer(policy)

    for text in ("{x:x where 0=x mod 2;sum x}", "naïve £ 漢字", "a\tb\n  c"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_saved_tokenizer_splits_text_as_it_was_trained_to(policy: Path) -> None:
    """Loading by the model's type would put another way of splitting in place of its own."""
    trained = train_tokenizer([row.prompt + row.completion for row in ROWS] * 3, TINY.vocab_size)
    text = ROWS[0].prompt + ROWS[0].completion

    assert load_tokenizer(policy).tokenize(text) == trained.tokenize(text)


def test_digits_stay_single(policy: Path) -> None:
    tokens = load_tokenizer(policy).tokenize("add 1234")

    assert [token for token in tokens if token.isdigit()] == ["1", "2", "3", "4"]


def test_the_format_is_the_policys_own(policy: Path) -> None:
    assert PromptRenderer(policy).format == "demo"
    assert PromptRenderer(policy, "plain").format == "plain"


def test_loss_is_taken_on_the_completion_alone(policy: Path) -> None:
    tokenizer = load_tokenizer(policy)
    row = tokenize(tokenizer, ROWS[:1], 128)[0]
    learned = [
        token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label != -100
    ]

    assert tokenizer.decode(learned) == ROWS[0].completion + tokenizer.eos_token
    assert len(row["input_ids"]) == len(row["labels"])


def test_rows_that_are_too_long_are_left_out_and_counted(policy: Path, tmp_path: Path) -> None:
    rows = [*ROWS, TrainRow("<py>" + "long " * 200, "{x}")]

    result = TrlSftTrainer(CPU).train(
        policy, tmp_path / "out", rows, settings(2), lambda *_: None, lambda: False
    )

    assert (result.rows, result.rows_left_out) == (len(ROWS), 1)
    with pytest.raises(TrainingError, match="none of the 9 training rows fits in 4 tokens"):
        TrlSftTrainer(CPU).train(
            policy,
            tmp_path / "none",
            rows,
            settings(2, max_length=4),
            lambda *_: None,
            lambda: False,
        )


def test_training_learns_and_saves_a_policy_that_can_be_sampled(
    policy: Path, tmp_path: Path
) -> None:
    losses: list[float] = []

    result = TrlSftTrainer(CPU).train(
        policy,
        tmp_path / "trained",
        ROWS,
        settings(60),
        lambda step, loss, rate: losses.append(loss),
        lambda: False,
    )

    assert result.steps == 60
    assert losses[-1] < 0.5 * losses[0]
    sampled = HFGenerator(tmp_path / "trained", CPU).sample([ROWS[0].prompt], 3, 1.0, 8, seed=1)
    assert [len(row) for row in sampled] == [3]
    assert not list(tmp_path.glob(".trained*")), "nothing half done is left behind"


def test_a_stopped_training_ends_with_the_same_weights_as_one_that_ran_through(
    policy: Path, tmp_path: Path
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    TrlSftTrainer(CPU).train(policy, whole, ROWS, settings(12), lambda *_: None, lambda: False)
    steps = iter([False] * 5)

    with pytest.raises(StopRequested):
        TrlSftTrainer(CPU).train(
            policy, stopped, ROWS, settings(12), lambda *_: None, lambda: next(steps, True)
        )
    assert not stopped.exists()
    TrlSftTrainer(CPU).train(policy, stopped, ROWS, settings(12), lambda *_: None, lambda: False)

    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(stopped)[name]), name


def test_the_same_seed_draws_the_same_completions(policy: Path) -> None:
    generator = HFGenerator(policy, CPU)
    prompts = [row.prompt for row in ROWS[:3]]

    first = generator.sample(prompts, 4, 1.0, 6, seed=9)

    assert first == generator.sample(prompts, 4, 1.0, 6, seed=9)
    assert first != generator.sample(prompts, 4, 1.0, 6, seed=10)
    assert all(completion.n_tokens <= 6 for row in first for completion in row)


def test_at_temperature_zero_rows_of_any_length_are_what_transformers_generates(
    policy: Path, tmp_path: Path
) -> None:
    trained = tmp_path / "trained"
    rows = [TrainRow("a" * i, "b" * i) for i in (1, 3, 6, 9)]
    TrlSftTrainer(CPU).train(policy, trained, rows, settings(80), lambda *_: None, lambda: False)
    generator = HFGenerator(trained, CPU)
    prompts = [row.prompt for row in rows]

    sampled = generator.sample(prompts, 2, 1e-6, 12, seed=1)

    lengths = set()
    for prompt, row in zip(prompts, sampled, strict=True):
        ids = generator.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        whole = generator.model.generate(**ids, do_sample=False, max_new_tokens=12)
        text = generator.tokenizer.decode(
            whole[0, ids["input_ids"].shape[1] :], skip_special_tokens=True
        )
        assert [completion.text for completion in row] == [text, text]
        lengths.add(row[0].n_tokens)
    assert len(lengths) > 1, "some rows must end before others"


def test_the_loss_of_answers_alone_is_the_loss_that_trl_computes(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses: dict[str, list[float]] = {"ours": [], "trl": []}

    def record(name: str) -> Callable[[int, float, float], None]:
        return lambda step, loss, rate: losses[name].append(loss)

    TrlSftTrainer(CPU).train(
        policy, tmp_path / "a", ROWS, settings(20), record("ours"), lambda: False
    )
    monkeypatch.setattr(trl_sft, "AnswerLossTrainer", SFTTrainer)
    TrlSftTrainer(CPU).train(
        policy, tmp_path / "b", ROWS, settings(20), record("trl"), lambda: False
    )

    assert len(losses["ours"]) == 2
    assert losses["ours"] == pytest.approx(losses["trl"], rel=1e-4)


def test_a_directory_without_a_tokenizer_gets_one_sentence(policy: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(policy, bare)
    (bare / "tokenizer.json").unlink()

    with pytest.raises(GenerationError, match=r"has no tokenizer .* save one there with") as caught:
        HFGenerator(bare, CPU)

    assert "\n" not in str(caught.value)


def test_an_absent_directory_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="does not exist"):
        HFGenerator(tmp_path / "nothing", CPU)


def test_a_directory_without_weights_gets_one_sentence(policy: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(policy, bare)
    (bare / "model.safetensors").unlink()

    with pytest.raises(GenerationError, match="cannot load the policy"):
        HFGenerator(bare, CPU)


def test_cuda_that_is_not_there_is_named(policy: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")

    with pytest.raises(GenerationError, match="no CUDA device is visible"):
        HFGenerator(policy, ComputeConfig(device="cuda"))
