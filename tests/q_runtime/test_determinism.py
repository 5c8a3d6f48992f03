"""The same program prints the same: random draws follow the seed, and nothing follows hashes."""

from __future__ import annotations

import os
import subprocess
import sys

from q_runtime import Session

DRAWS = "(10?100;3?1f;rand 1000;-5?10)"
ORDER = "show distinct `c`a`b`a; show group `c`a`b`a; show `c`a`b!1 2 3\n"


def test_a_fresh_session_draws_the_same() -> None:
    assert Session().eval(DRAWS) == Session().eval(DRAWS)


def test_setting_the_seed_repeats_the_draws() -> None:
    session = Session()
    first = session.eval("\\S 42\n" + DRAWS)

    assert first == session.eval("\\S 42\n" + DRAWS)
    assert first != session.eval(DRAWS)


def test_output_does_not_follow_the_hash_seed() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-m", "q_runtime", "-q"], input=ORDER, capture_output=True,
            text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip

    assert len(printed) == 1
