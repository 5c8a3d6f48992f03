"""Rows to Plotly figures: pure functions, tested as dictionaries.

A figure names its colours as tokens of the stylesheet (`var(--series-1)`, with `/0.2` for an opacity), so that one
figure serves both themes. Every chart carries its numbers as a table too: that is what is read without JavaScript,
and what the CSV link gives. Only numbers and our own words go in, never text from a model: Plotly renders markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from qstudio.core.words import VERDICTS, iteration_words

MAX_POINTS = 1000
"""Points per line; beyond it the lowest and highest of each bucket are kept."""


@dataclass(frozen=True)
class Chart:
    """One figure with its title, its caption and its table."""

    key: str
    """Name in addresses and element ids."""
    title: str
    """The finding or the question."""
    caption: str
    figure: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def data_id(self) -> str:
        """Id of the JSON element that holds the figure."""
        return f"chart-{self.key}-data"


class Growth(NamedTuple):
    """Solved Problems after one Iteration."""

    iteration: int
    newly_solved: int
    solved_total: int
    problems_total: int


class Score(NamedTuple):
    """pass@1 of one policy: proportions."""

    iteration: int
    split: str
    value: float
    low: float
    high: float


class PassAt(NamedTuple):
    """pass@k for one k: proportions."""

    k: int
    value: float
    low: float
    high: float


class LossPoint(NamedTuple):
    """Training loss at one optimizer step of one stage."""

    stage: str
    iteration: int
    step: int
    loss: float


def growth(n_seeds: int, rows: Sequence[Growth]) -> Chart:
    """Solved training Problems after each Iteration, stacked by origin: seeds below, found by the loop above."""
    labels = ["seeds", *(f"Iteration {row.iteration}" for row in rows)]
    found = [0, *(row.solved_total - n_seeds for row in rows)]
    last = rows[-1] if rows else None
    title = (
        f"{n_seeds:,} seeds became {last.solved_total:,} solved Problems"
        if last
        else f"{n_seeds:,} seeds to begin with"
    )
    data = [
        _bar("seeds", labels, [n_seeds] * len(labels), "var(--series-5)"),
        _bar("found by the loop", labels, found, "var(--series-1)"),
    ]
    if last:
        data.append(
            _line(
                "all training Problems", labels, [last.problems_total] * len(labels), "var(--muted)"
            )
            | {"mode": "lines", "line": {"color": "var(--muted)", "dash": "dot", "width": 1.5}}
        )
    layout = _layout("", "solved Problems") | {"barmode": "stack", "bargap": 0.45}
    layout["yaxis"]["rangemode"] = "tozero"
    return Chart(
        "growth",
        title,
        "Training Problems with an accepted Solution after each Iteration. The dotted line is all there are.",
        {"data": data, "layout": layout},
        ("Iteration", "newly solved", "solved", "of"),
        (
            ("seeds", n_seeds, n_seeds, last.problems_total if last else ""),
            *(
                (row.iteration, row.newly_solved, row.solved_total, row.problems_total)
                for row in rows
            ),
        ),
    )


def pass_at_1(scores: Sequence[Score]) -> Chart:
    """pass@1 by Iteration on test and dev with 95 % bands; the equal-steps base line is a line of its own."""
    loop = sorted(score for score in scores if score.iteration >= 0)
    data: list[dict[str, Any]] = []
    for split, colour, symbol in (("test", "series-1", "circle"), ("dev", "series-2", "square")):
        rows = [score for score in loop if score.split == split]
        if not rows:
            continue
        xs = [row.iteration for row in rows]
        if split == "test":
            data.extend(_band(xs, rows, colour))
        data.append(_line(split, xs, [100 * row.value for row in rows], f"var(--{colour})", symbol))
    base = next((s for s in scores if s.iteration < 0 and s.split == "test"), None)
    xs_all = sorted({score.iteration for score in loop}) or [0]
    if base is not None:
        ends = [xs_all[0], xs_all[-1]]
        data.extend(_band(ends, [base, base], "series-4"))
        data.append(
            _line("equal-steps base line (test)", ends, [100 * base.value] * 2, "var(--series-4)")
            | {"mode": "lines", "line": {"color": "var(--series-4)", "dash": "dash", "width": 2}}
        )
    layout = _layout("Iteration (0: before the loop)", "pass@1, %")
    layout["yaxis"]["rangemode"] = "tozero"
    layout["xaxis"] |= {"tickmode": "array", "tickvals": xs_all}
    return Chart(
        "pass-at-1",
        "pass@1 after each Iteration",
        "Bands are 95 % intervals clustered by Problem. Policies are chosen on dev; test is never used to choose.",
        {"data": data, "layout": layout},
        ("policy", "split", "pass@1, %", "low", "high"),
        tuple(
            (iteration_words(s.iteration), s.split, *_percents(s.value, s.low, s.high))
            for s in sorted(scores, key=lambda s: (s.split, s.iteration))
        ),
    )


def pass_at_k(rows: Sequence[PassAt], n_problems: int, n_samples: int) -> Chart:
    """The pass@k curve over k on a log2 axis, with its 95 % band."""
    xs = [row.k for row in rows]
    data = [
        *_band(xs, rows, "series-1"),
        _line("pass@k", xs, [100 * r.value for r in rows], "var(--series-1)"),
    ]
    layout = _layout("k: Programs that may be tried", "pass@k, %") | {"showlegend": False}
    layout["xaxis"] |= {
        "type": "log",
        "dtick": 0.30102999566,
        "tickvals": xs,
        "ticktext": [str(x) for x in xs],
    }
    layout["yaxis"]["rangemode"] = "tozero"
    return Chart(
        "pass-at-k",
        "How much do more tries help?",
        f"Unbiased estimate over {n_problems:,} Problems with {n_samples} samples each; "
        "95 % band clustered by Problem.",
        {"data": data, "layout": layout},
        ("k", "pass@k, %", "low", "high"),
        tuple((row.k, *_percents(row.value, row.low, row.high)) for row in rows),
    )


def training_loss(points: Sequence[LossPoint]) -> Chart:
    """Training loss against the optimizer step, one line for each stage of each Iteration."""
    lines: dict[tuple[str, int], list[LossPoint]] = {}
    for point in points:
        lines.setdefault((point.stage, point.iteration), []).append(point)
    data = []
    for number, ((stage, iteration), line) in enumerate(lines.items()):
        kept = _downsample(sorted(line, key=lambda p: p.step), MAX_POINTS)
        name = f"{stage}, {iteration_words(iteration)}"
        colour = f"var(--series-{number % 5 + 1})"
        dash = ("solid", "dot", "dash")[number // 5 % 3]
        trace = _line(name, [p.step for p in kept], [p.loss for p in kept], colour)
        data.append(
            trace | {"mode": "lines", "line": {"color": colour, "dash": dash, "width": 1.8}}
        )
    table = _downsample(list(points), 200)
    return Chart(
        "loss",
        "Training loss",
        "Cross-entropy per token. Each training starts at its own step 0; lower is not yet better q.",
        {"data": data, "layout": _layout("optimizer step", "loss")},
        ("stage", "policy", "step", "loss"),
        tuple((p.stage, iteration_words(p.iteration), p.step, round(p.loss, 4)) for p in table),
    )


def verdict_shares(counts: dict[int, dict[str, int]]) -> Chart:
    """What became of the sampled Attempts of each Iteration: 100 % bars, in the order of the verdict table."""
    iterations = sorted(counts)
    labels = [iteration_words(index) for index in iterations]
    totals = [sum(counts[index].values()) or 1 for index in iterations]
    colours = {
        "passed": "var(--good)",
        "wrong_answer": "var(--series-2)",
        "q_error": "var(--series-4)",
    }
    colours |= {"syntax_error": "var(--series-1)", "no_program": "var(--series-5)"}
    data = []
    for kind, word in VERDICTS.items():
        numbers = [counts[index].get(kind, 0) for index in iterations]
        if any(numbers):
            shares = [100 * n / total for n, total in zip(numbers, totals, strict=True)]
            bar = _bar(word.text, labels, shares, colours.get(kind, "var(--line-strong)"))
            data.append(
                bar | {"customdata": numbers, "hovertemplate": "%{y:.1f} % (%{customdata:,})"}
            )
    layout = _layout("", "share of Attempts, %") | {"barmode": "stack", "bargap": 0.45}
    layout["yaxis"]["range"] = [0, 100]
    shown = [kind for kind in VERDICTS if any(counts[index].get(kind) for index in iterations)]
    return Chart(
        "verdicts",
        "What became of the sampled Programs",
        "Share of each verdict among the Attempts sampled in an Iteration.",
        {"data": data, "layout": layout},
        ("Iteration", *(VERDICTS[kind].text for kind in shown), "all"),
        tuple(
            (
                iteration_words(i),
                *(counts[i].get(kind, 0) for kind in shown),
                sum(counts[i].values()),
            )
            for i in iterations
        ),
    )


def _layout(x_title: str, y_title: str) -> dict[str, Any]:
    axis = {
        "gridcolor": "var(--line)",
        "zerolinecolor": "var(--line-strong)",
        "linecolor": "var(--line-strong)",
        "ticks": "",
        "automargin": True,
        "fixedrange": False,
    }
    return {
        "height": 320,
        "margin": {"l": 56, "r": 16, "t": 40, "b": 44},
        "paper_bgcolor": "var(--surface)/0",
        "plot_bgcolor": "var(--surface)/0",
        "font": {"color": "var(--muted)", "size": 13, "family": "system-ui, sans-serif"},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": "var(--surface)",
            "bordercolor": "var(--line-strong)",
            "font": {"color": "var(--text)"},
        },
        "legend": {
            "orientation": "h",
            "y": 1.02,
            "x": 0,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "xaxis": axis | {"title": {"text": x_title}, "showgrid": False, "zeroline": False},
        "yaxis": axis | {"title": {"text": y_title}},
    }


def _bar(name: str, xs: Sequence[Any], ys: Sequence[float], colour: str) -> dict[str, Any]:
    return {"type": "bar", "name": name, "x": list(xs), "y": list(ys), "marker": {"color": colour}}


def _line(
    name: str, xs: Sequence[Any], ys: Sequence[float], colour: str, symbol: str = "circle"
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(xs),
        "y": [round(y, 4) for y in ys],
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "symbol": symbol, "size": 8},
    }


def _band(xs: Sequence[Any], rows: Sequence[Score | PassAt], series: str) -> list[dict[str, Any]]:
    """Two traces that enclose the interval, the second filled down to the first."""
    quiet = {
        "type": "scatter",
        "mode": "lines",
        "showlegend": False,
        "hoverinfo": "skip",
        "line": {"width": 0},
    }
    low = quiet | {"x": list(xs), "y": [round(100 * row.low, 4) for row in rows]}
    high = quiet | {"x": list(xs), "y": [round(100 * row.high, 4) for row in rows]}
    return [low, high | {"fill": "tonexty", "fillcolor": f"var(--{series})/0.16"}]


def _percents(*shares: float) -> tuple[float, ...]:
    return tuple(round(100 * share, 1) for share in shares)


def _downsample(points: list[LossPoint], limit: int) -> list[LossPoint]:
    """At most `limit` points in order; of each bucket the lowest and the highest stay, so that no spike is lost."""
    if len(points) <= limit:
        return points
    n_buckets = limit // 2
    kept: list[LossPoint] = []
    for number in range(n_buckets):
        bucket = points[number * len(points) // n_buckets : (number + 1) * len(points) // n_buckets]
        extremes = {min(bucket, key=lambda p: p.loss), max(bucket, key=lambda p: p.loss)}
        kept.extend(point for point in bucket if point in extremes)
    return kept[:limit]
