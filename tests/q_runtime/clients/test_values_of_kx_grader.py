"""The grader `kx-1` makes of q values what PyKX makes of them, as far as PyKX tells without a licence."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.graders.kx import as_pykx_item
from q_runtime import Session
from tests.q_runtime.clients.environments import HERE, NotInstalled, python_with
from tests.q_runtime.ipc.conftest import Served

pytestmark = pytest.mark.timeout(1500)  # the first time, PyKX is installed

TEXTS = [
    '"ab"', 'enlist"a"', '""', '"a"', "`a", "`a`b", '(1;`a;"b";"cd")', "0x0102", "0x01", "10b", "1b", "1 0N 2", "0N",
    "1.5 0n", "0n", "1 2h", "2 0Ni", "2.5 0.1e", "2.5e", "(1 2;3 4f)", '(enlist"a")!enlist 1', "`a`b!1 2",
    '("ab";"cd")!1 2', "1 2!3 4", '"ab"!"cd"', "(1;0N;::)", "(0n;1)", "0W 1", "0w", "-0w 1", "()", "0#0", "0#`",
    '("ab";`cd;enlist"e")', "::", "((1;2f);(::;0N))", "1 2 3!(1 2;`a;\"x\")",
]  # fmt: skip


def plain(value: Any) -> Any:
    """The same JSON of what the grader compares."""
    if isinstance(value, dict):
        return {"keys": plain(list(value)), "values": plain(list(value.values()))}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def test_values_are_those_that_pykx_hands_to_a_test(tmp_path: Path) -> None:
    try:
        python = python_with("pykx")
    except NotInstalled as reason:
        pytest.skip(f"pykx is not installed: {reason}")
    served = Served()
    try:
        done = subprocess.run(
            [str(python), "-W", "ignore", str(HERE / "show_pykx_values.py"), str(served.port)],
            input=json.dumps(TEXTS), capture_output=True, text=True, check=False, timeout=240, cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYKX_UNLICENSED": "true"},
        )  # fmt: skip
    finally:
        served.end()
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.strip().splitlines()[-1])
    session = Session()

    ours = [plain(as_pykx_item(session.evaluate_wire(text))) for text in TEXTS]

    assert dict(zip(TEXTS, ours, strict=True)) == dict(zip(TEXTS, theirs, strict=True))
