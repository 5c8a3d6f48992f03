"""Charts as dictionaries: what they show, that bands enclose, that tables agree, that no spike is lost."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from qstudio.runs import charts

CSS = Path(__file__).parents[3] / "static" / "css" / "qstudio.css"

GROWTH = charts.growth(10, [charts.Growth(1, 5, 15, 40), charts.Growth(2, 3, 18, 40)])
SCORES = [
    charts.Score(0, "test", 0.2, 0.1, 0.3),
    charts.Score(1, "test", 0.4, 0.3, 0.5),
    charts.Score(0, "dev", 0.25, 0.1, 0.4),
    charts.Score(-1, "test", 0.3, 0.2, 0.4),
]
PASS_AT_1 = charts.pass_at_1(SCORES)
PASS_AT_K = charts.pass_at_k(
    [charts.PassAt(1, 0.5, 0.4, 0.6), charts.PassAt(4, 0.7, 0.6, 0.8)], 100, 8
)
LOSS = charts.training_loss(
    [charts.LossPoint("sft", 1, step, 3.0 - step / 10) for step in range(20)]
)
VERDICTS = charts.verdict_shares(
    {1: {"passed": 30, "q_error": 10}, 2: {"passed": 5, "infra_error": 15}}
)
ALL = (GROWTH, PASS_AT_1, PASS_AT_K, LOSS, VERDICTS)


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.key)
def test_a_chart_is_plain_data_with_a_table_of_even_rows(chart: charts.Chart):
    assert json.loads(json.dumps(chart.figure)) == chart.figure
    assert {len(row) for row in chart.rows} == {len(chart.columns)}


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.key)
def test_its_colours_are_tokens_of_the_stylesheet(chart: charts.Chart):
    used = set(re.findall(r"var\((--[\w-]+)\)", json.dumps(chart.figure)))
    known = set(re.findall(r"(--[\w-]+):", CSS.read_text(encoding="utf-8")))

    assert used
    assert used <= known


def test_growth_stacks_what_the_loop_found_on_the_seeds():
    seeds, found, total = GROWTH.figure["data"]

    assert seeds["y"] == [10, 10, 10]
    assert found["y"] == [0, 5, 8]
    assert total["y"] == [40, 40, 40]
    assert GROWTH.title == "10 seeds became 18 solved Problems"


def test_growth_begins_with_the_seeds_alone():
    assert charts.growth(10, []).title == "10 seeds to begin with"


def test_the_base_line_is_a_line_of_its_own_over_all_iterations():
    base = PASS_AT_1.figure["data"][-1]

    assert base["name"] == "equal-steps base line (test)"
    assert (base["x"], base["y"]) == ([0, 1], [30.0, 30.0])
    assert base["line"]["dash"] == "dash"


def test_test_and_dev_differ_in_their_symbols():
    symbols = {
        t["name"]: t["marker"]["symbol"]
        for t in PASS_AT_1.figure["data"]
        if t.get("name") in ("test", "dev")
    }

    assert symbols == {"test": "circle", "dev": "square"}


def test_the_band_of_the_curve_encloses_it():
    low, high, line = PASS_AT_K.figure["data"]

    assert all(a <= b <= c for a, b, c in zip(low["y"], line["y"], high["y"], strict=True))
    assert high["fill"] == "tonexty"
    assert PASS_AT_K.figure["layout"]["xaxis"]["type"] == "log"


def test_verdicts_are_shares_of_all_attempts():
    totals = [sum(trace["y"][n] for trace in VERDICTS.figure["data"]) for n in range(2)]

    assert totals == [100, 100]
    assert VERDICTS.rows == (("Iteration 1", 30, 10, 0, 40), ("Iteration 2", 5, 0, 15, 20))


def test_a_long_line_keeps_its_spikes():
    rng = random.Random(1)
    points = [charts.LossPoint("sft", 1, step, rng.random()) for step in range(20_000)]
    points[777] = points[777]._replace(loss=9.0)
    points[12_345] = points[12_345]._replace(loss=-9.0)
    (line,) = charts.training_loss(points).figure["data"]

    assert len(line["x"]) <= charts.MAX_POINTS
    assert (max(line["y"]), min(line["y"])) == (9.0, -9.0)
    assert line["x"] == sorted(line["x"])
