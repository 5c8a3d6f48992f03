"""The suite of hostile code finds what it looks for: where the sandbox or the tests are weakened, it says so."""

from __future__ import annotations

import sys

import pytest

from q_runtime import PythonPool
from q_runtime.sandbox import template
from tests.q_runtime.hostile.canary import N_PUBLIC, canary_problem, fair_program
from tests.q_runtime.hostile.cases import Case
from tests.q_runtime.hostile.surroundings import Surroundings
from tests.q_runtime.hostile.trial import try_python, try_q
from tests.q_runtime.sandbox.processes import kill

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

WEAK_START = """
import os, sys; sys.path[:0] = sys.argv[3:]
from q_runtime.sandbox import isolation, landlock, linux, seccomp
def refuse(*arguments, **others): raise OSError("switched off for a test")
{change}
from q_runtime.sandbox.template_main import main
main(sys.argv[1], int(sys.argv[2]))
"""
NO_LAYERS = """
linux.is_available = lambda: False
isolation._limit_resources = lambda *a: isolation.Layer("resource_limits", False, "switched off for a test")
scrub = isolation._scrub
isolation._scrub = lambda null, channel, kept: scrub(null, channel, [30] if os.path.exists("/proc/self/fd/30") else [])
"""
MISSING = {
    "namespaces": "linux.unshare = refuse",
    "landlock": "landlock.Rules = refuse",
    "seccomp": "seccomp.Filter.install = refuse",
}
OPEN_WITHOUT = {
    "namespaces": set(),
    # A Unix socket that has a path is reached by whoever may write to it.
    "seccomp": {"connect-unix"},
    # Files that everyone may read are kept from a worker by Landlock alone.
    "landlock": {"read-secret", "read-by-path-handle", "read-through-links", "import-outside"},
}
"""What is open when one layer is missing."""
AIMED = {
    "read-secret", "read-by-path-handle", "read-through-links", "import-outside", "write-outside", "change-outside",
    "connect-tcp", "send-udp", "connect-unix", "start-processes", "daemon",
}  # fmt: skip
"""Cases whose success harms nothing but the surroundings that were made for them."""


def weaken(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Have the next templates start with something switched off."""
    monkeypatch.setattr(template, "START", WEAK_START.format(change=change))


def escaped(surroundings: Surroundings, chosen: set[str]) -> dict[str, tuple[str, ...]]:
    """What the suite says of each chosen case with an escape."""
    outcomes = try_python(surroundings, chosen=lambda case: case.id in chosen)
    return {outcome.case.id: outcome.escapes for outcome in outcomes if outcome.escapes}


def test_without_any_layer_cases_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    weaken(monkeypatch, NO_LAYERS)
    with Surroundings() as surroundings:
        found = escaped(surroundings, AIMED)
        left = surroundings.leftovers()
        for pid in left:
            kill(pid)

    assert found["read-secret"] == ("the secret came back",)
    assert "written was changed" in found["write-outside"]
    assert found["connect-tcp"] == ("the tcp listener was reached",)
    assert found["send-udp"] == ("the udp listener was reached",)
    assert found["connect-unix"] == ("the abstract listener was reached",)
    assert found.keys() | {"daemon"} == AIMED
    assert left != []


@pytest.mark.parametrize("layer", MISSING)
def test_without_one_layer_the_others_hold(monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
    with PythonPool(1) as pool:
        if not all(each.is_active for each in pool.active_layers()):
            pytest.skip("this system does not offer all layers")
    weaken(monkeypatch, MISSING[layer])
    with PythonPool(1) as pool:
        assert [each.name for each in pool.active_layers() if not each.is_active] == (
            ["namespaces", "scratch_in_memory"] if layer == "namespaces" else [layer]
        )
    with Surroundings() as surroundings:
        found = escaped(surroundings, AIMED)

        assert found.keys() <= OPEN_WITHOUT[layer], found
        assert surroundings.leftovers() == []


def test_without_hidden_tests_cheats_pass() -> None:
    with Surroundings() as surroundings:
        outcomes = try_q(
            surroundings, canary_problem(N_PUBLIC), lambda case: case.group == "cheats"
        )
        passed = {outcome.case.id for outcome in outcomes if outcome.wrong_passes}

    assert "hard-coded" in passed


def test_what_an_earlier_program_leaves_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right Program among the hostile ones, and one that harms a fair one: both are reported."""
    planted = Case("planted", "cheats", "answers rightly", (fair_program(-1),))
    monkeypatch.setattr("tests.q_runtime.hostile.trial.load_cases", lambda *arguments: [planted])
    with Surroundings() as surroundings:
        (outcome,) = try_q(surroundings)

    assert len(outcome.wrong_passes) == 1
    assert not outcome.is_good
