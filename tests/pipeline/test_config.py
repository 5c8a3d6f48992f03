"""Settings: presets, overrides, and sentences for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import load_preset, load_toml, preset_names
from pipeline.errors import ConfigError


def test_every_preset_is_valid() -> None:
    assert {"demo", "smoke", "mbpp"} <= set(preset_names())
    for name in preset_names():
        assert load_preset(name).stage == "bootstrap"


def test_an_override_reaches_its_place_with_its_type() -> None:
    config = load_preset(
        "demo", ["sampling.k=3", "policy.base=some/model", 'problems.sets=["mbpp"]']
    )

    assert config.sampling.k == 3
    assert config.policy.base == "some/model"
    assert config.problems.sets == ("mbpp",)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("sampling.q=3", "unknown setting 'sampling.q'"),
        (
            "sampling.k=0",
            "setting 'sampling.k' = 0 is not valid: input should be greater than or equal to 1",
        ),
        ("sampling.k=many", "setting 'sampling.k' = 'many' is not valid"),
        ("sampling", "expected NAME=VALUE"),
        ("name.a=1", "'name' is a single value"),
    ],
)
def test_a_wrong_override_gets_one_sentence(override: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_preset("demo", [override])

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown preset 'dmeo'; choose one of: demo, "):
        load_preset("dmeo")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("k = = 3")

    with pytest.raises(ConfigError, match=r"broken\.toml is not valid TOML"):
        load_toml(path)
    with pytest.raises(ConfigError, match="cannot read the settings file"):
        load_toml(tmp_path / "absent.toml")


def test_settings_cannot_be_changed_afterwards() -> None:
    config = load_preset("demo")

    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3  # type: ignore[misc]
