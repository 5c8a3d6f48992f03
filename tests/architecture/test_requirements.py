"""The pins: exact, complete layer by layer, none twice, none without use, and none that drags in torch too early."""

from __future__ import annotations

from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import REPOSITORY

LAYERS = ("base", "train", "dev")


def pins(layer: str) -> dict[str, Requirement]:
    """The requirements of one layer's own file, by canonical name."""
    lines = (REPOSITORY / "requirements" / f"{layer}.txt").read_text(encoding="utf-8").splitlines()
    return {
        canonicalize_name(pin.name): pin
        for pin in (Requirement(line) for line in lines if line and not line.startswith("#"))
    }


def direct(layer: str) -> set[str]:
    """The packages that stand in a layer's file before those that others need."""
    text = (REPOSITORY / "requirements" / f"{layer}.txt").read_text(encoding="utf-8")
    used = text.partition("# Used directly\n")[2].partition("# Needed by those above\n")[0]
    return {canonicalize_name(Requirement(line).name) for line in used.splitlines() if line}


def needs(pin: Requirement) -> set[str]:
    """What an installed package asks for in this Python, with the extras that the pin names."""
    extras = pin.extras or {""}
    wanted = map(Requirement, metadata.requires(pin.name) or [])
    return {
        canonicalize_name(want.name)
        for want in wanted
        if want.marker is None or any(want.marker.evaluate({"extra": extra}) for extra in extras)
    }


def is_of_cuda(name: str) -> bool:
    """True for what torch's CUDA builds bring along and pin themselves."""
    return name.startswith(("nvidia-", "cuda-")) or name == "triton"


@pytest.mark.parametrize("layer", LAYERS)
def test_every_pin_is_exact_and_names_no_address(layer):
    loose = [
        str(pin)
        for pin in pins(layer).values()
        if not str(pin.specifier).startswith("==") or pin.url
    ]

    assert loose == []


def test_no_package_is_pinned_in_two_layers():
    base, train, dev = map(pins, LAYERS)

    assert (base.keys() & train.keys()) | (base.keys() & dev.keys()) | (
        train.keys() & dev.keys()
    ) == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_with_those_below_it_is_complete(layer):
    below = LAYERS[: LAYERS.index(layer) + 1]
    pinned = {name: pin for each in below for name, pin in pins(each).items()}

    missing = {
        f"{name} needs {need}"
        for name, pin in pins(layer).items()
        if pin.marker is None or pin.marker.evaluate()
        for need in needs(pin) - pinned.keys()
        if not is_of_cuda(need)
    }

    assert missing == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_every_pin_that_is_not_used_directly_is_needed_by_another(layer):
    active = [pin for pin in pins(layer).values() if pin.marker is None or pin.marker.evaluate()]
    needed = {need for pin in active for need in needs(pin)}
    indirect = {canonicalize_name(pin.name) for pin in active} - direct(layer)

    assert indirect - needed == set()


def test_the_base_layer_holds_nothing_of_the_training_stack():
    heavy = {"torch", "transformers", "trl", "peft", "accelerate", "datasets"}

    assert heavy & pins("base").keys() == set()
    assert heavy <= pins("train").keys()


def test_what_is_installed_is_what_is_pinned():
    wrong = [
        f"{pin} but {version}"
        for layer in LAYERS
        for pin in pins(layer).values()
        if pin.marker is None or pin.marker.evaluate()
        if (version := metadata.version(pin.name)) not in pin.specifier
    ]

    assert wrong == []
