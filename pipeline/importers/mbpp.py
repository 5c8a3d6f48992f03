"""Rows of MBPP (google-research/mbpp, CC BY 4.0): a sentence, Python code, and asserts that call it.

The splits are the official ones by task id: 1-10 prompt, 11-510 test, 511-600 dev, 601-974 train. The first assert may
be shown, the others are hidden. What this deliberately does not do: improve statements; about one in three says less
than its tests demand, and that is a matter for the audit of a dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.importers.asserts import find_entry_point, parse_asserts
from pipeline.importers.rows import (
    RowMalformed,
    RowRefused,
    SourceRow,
    find_function,
    parse_python,
    text_field,
)
from pipeline.importers.signature import read_annotation, read_parameters
from pipeline.records import Split

PROBLEM_SET = "mbpp"
_SPLITS: tuple[tuple[int, Split], ...] = (
    (10, "prompt"),
    (510, "test"),
    (600, "dev"),
    (974, "train"),
)


def read_row(row: Mapping[str, Any]) -> SourceRow:
    """Understand one row; raise RowRefused when it is not one of MBPP."""
    task_id = row.get("task_id")
    if not isinstance(task_id, int) or isinstance(task_id, bool):
        raise RowMalformed("the field 'task_id' is missing or not a number")
    reference = text_field(row, "code")
    tests = parse_asserts(row, "test_list") + parse_asserts(
        row, "challenge_test_list", optional=True
    )
    module = parse_python(reference, "the field 'code'")
    entry_point = find_entry_point(module, tests)
    function = find_function(module, entry_point, "the field 'code'")
    names, hints = read_parameters(function)
    setup = row.get("test_setup_code") or ""
    return SourceRow(
        source_id=f"mbpp/{task_id}",
        slug=f"{PROBLEM_SET}-{task_id:04d}",
        title=entry_point.replace("_", " ").strip(),
        statement=text_field(row, "text").strip(),
        entry_point=entry_point,
        param_names=names,
        param_hints=hints,
        returns_hint=read_annotation(function.returns),
        reference=reference,
        tests=tests,
        candidate=entry_point,
        setup=setup.replace("\r\n", "\n"),
        problem_set=PROBLEM_SET,
        split=_split_of(task_id),
        source="google-research/mbpp",
        licence="CC BY 4.0",
        public_share=0.0,
    )


def _split_of(task_id: int) -> Split:
    for last, split in _SPLITS:
        if 1 <= task_id <= last:
            return split
    raise RowRefused(f"the task id {task_id} lies outside 1 to {_SPLITS[-1][0]}")
