"""How values are written: percentages, intervals, durations, counts, code."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstudio.core import highlight
from qstudio.core.templatetags import display


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "n/a"),
        (0.0008, "0.8 ms"),
        (1.26, "1.3 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (900, "15 min"),
        (8040, "2 h 14 min"),
    ],
)
def test_durations(seconds: float | None, text: str):
    assert display.duration(seconds) == text


def test_a_proportion_with_its_interval():
    assert display.interval({"value": 0.468, "low": 0.41, "high": 0.526}) == "46.8 % [41.0, 52.6]"
    assert display.interval(None) == display.percent(None) == "n/a"


def test_counts_beyond_the_cap():
    assert (display.count(12345), display.capped(10_001), display.capped(10_000)) == (
        "12,345",
        ">10,000",
        "10,000",
    )


@given(st.text(max_size=300), st.sampled_from(["q", "python"]))
def test_coloured_code_holds_the_text_and_only_spans_as_markup(text: str, language: str):
    html = str(highlight.to_html(text, language))
    bare = re.sub(r"</?span[^<>]*>", "", html)

    assert "<" not in bare
    assert html.count("<span") == html.count("</span>")
    assert re.sub(r"\s", "", unescape(bare)) == re.sub(r"\s", "", text.removeprefix("\ufeff"))


def test_very_long_code_is_cut_and_says_so():
    html = str(highlight.to_html("a" * 30_000, "q"))

    assert "10,000 more characters are not shown." in html
