"""The benchmarks run and give right answers; how fast is not judged here."""

from __future__ import annotations

import pytest

from tests.benchmarks import measure
from tests.benchmarks.__main__ import MODULES, main


def test_every_module_registers_something():
    registered = {each.run.__module__ for each in measure.BENCHMARKS}

    assert {module.__name__ for module in MODULES} == registered


@pytest.mark.parametrize("each", measure.BENCHMARKS, ids=lambda each: each.name)
def test_it_gives_a_row(each, monkeypatch):
    monkeypatch.setattr(measure, "ROUND_S", 0.0)

    row = each.row()

    assert list(row) == ["name", "value", "unit", "baseline", "ratio"]
    assert row["value"] > 0


def test_an_unknown_name_is_refused_with_the_known_ones(capsys):
    assert main(["nothing"]) == 2
    assert "q.scalar_loop" in capsys.readouterr().err


def test_a_wrong_answer_is_no_measurement():
    with pytest.raises(ValueError, match="q gives 1, the baseline 2"):
        measure.side_by_side(lambda: 1, lambda: 2)
