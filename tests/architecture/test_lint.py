"""The fast half of `make lint`, as tests, so that `make test` runs it too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.tree import REPOSITORY


@pytest.mark.parametrize(
    "command",
    [["check", "--output-format", "concise"], ["format", "--check", "--output-format", "concise"]],
)
def test_ruff_has_nothing_to_say(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
