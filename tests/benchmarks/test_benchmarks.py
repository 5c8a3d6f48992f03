"""The benchmarks run and give right answers; how fast is not judged here."""

from __future__ import annotations

import pytest

from tests.benchmarks import measure, program_mix, vectors, verdicts
from tests.benchmarks.__main__ import MODULES, main
from tests.benchmarks.algorithms import ALGORITHMS

QUICK = [each for each in measure.BENCHMARKS if not each.name.startswith(("scalar.", "vector."))]
"""Those whose answers are not checked on small inputs."""


def test_every_module_registers_something():
    registered = {each.run.__module__ for each in measure.BENCHMARKS}

    assert {module.__name__ for module in MODULES} == registered


@pytest.mark.parametrize("each", ALGORITHMS, ids=lambda each: each.name)
def test_an_algorithm_gives_the_same_answers_in_both_languages(each):
    session = each.session()

    assert [each.python(*args) for args in each.small] == [
        session.call(each.name, *args) for args in each.small
    ]


@pytest.mark.parametrize("each", vectors.EXPRESSIONS, ids=lambda each: each.name)
def test_a_vector_expression_gives_what_numpy_gives(each):
    n = 2000

    assert vectors.same(vectors.session(n).eval(each.q), each.numpy(vectors.arrays(n)))


def test_the_groups_are_as_large_as_the_documents_say():
    assert (len(ALGORITHMS), len(vectors.EXPRESSIONS)) == (12, 20)


@pytest.mark.parametrize("each", QUICK, ids=lambda each: each.name)
def test_it_gives_a_row(each, monkeypatch):
    monkeypatch.setattr(measure, "ROUND_S", 0.0)
    monkeypatch.setattr(program_mix, "N_PROBLEMS", 3)
    monkeypatch.setattr(verdicts, "N_SAMPLED", 2)
    monkeypatch.setattr(verdicts, "ROUNDS", 1)

    row = each.row()

    assert list(row) == ["name", "value", "unit", "baseline", "ratio"]
    assert row["value"] > 0


def test_an_unknown_name_is_refused_with_the_known_ones(capsys):
    assert main(["nothing"]) == 2
    assert "scalar.sieve" in capsys.readouterr().err


def test_a_wrong_answer_is_no_measurement():
    with pytest.raises(ValueError, match="q gives 1, the baseline 2"):
        measure.side_by_side(lambda: 1, lambda: 2)
