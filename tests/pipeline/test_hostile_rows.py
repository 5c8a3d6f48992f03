"""Rows that would end an import rather than be refused: the row after them is accepted all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.importers import import_file
from pipeline.printable import printable
from q_runtime import Limits, PythonPool
from tests.q_runtime.hostile.canary import FAIR_REFERENCE, canary_row

DEEP = {
    "sums": "assert canary([1]) == " + "1+" * 900 + "0",
    "signs": "assert canary([1]) == " + "-" * 900 + "1",
    "negations": "assert " + "not " * 900 + "canary([1])",
    "attributes": "assert canary([1])" + ".a" * 900,
    "lists": "assert canary(" + "[" * 190 + "]" * 190 + ") == 1",
    "tuples": "assert canary([1]) == " + "(" * 190 + "1" + ",)" * 190,
    "parser's stack": "assert " + "-" * 100_000 + "canary([1])",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_asserts_nested_too_deep_refuse_their_row_alone(tmp_path: Path, text: str) -> None:
    hostile, fair = canary_row("hostile", FAIR_REFERENCE), canary_row("fair", FAIR_REFERENCE)
    hostile["tests"].append(text)
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(hostile)}\n{json.dumps(fair)}\n")
    with PythonPool(1, Limits(time_s=5.0)) as pool:
        first, second = import_file(path, "jsonl", pool)

    assert first.reasons[0].startswith("assert 9 of 'tests' is ")
    assert second.accepted


def test_text_is_made_printable() -> None:
    assert printable("naïve \u2603\n\x1b[2J\ud800\x00") == r"naïve ☃\n\x1b[2J\ud800\x00"
