"""The names that other packages import from `q_runtime`, and that importing it stays cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import q_runtime

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", q_runtime.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(q_runtime, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        q_runtime.nothing_of_the_kind  # noqa: B018


def test_importing_the_package_or_the_sandbox_does_not_load_numpy() -> None:
    code = "import q_runtime, q_runtime.sandbox, sys; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
