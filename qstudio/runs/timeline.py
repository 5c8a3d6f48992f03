"""The stages of a Run laid out in time, as numbers for an SVG: one lane per Iteration. Pure; the template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from qstudio.core.words import STAGES, iteration_words
from qstudio.runs.models import Stage

WIDTH = 1000
LABEL_WIDTH = 150
LANE_HEIGHT = 28


@dataclass(frozen=True)
class Segment:
    """One stage: where it lies in its lane, and what it says."""

    name: str
    title: str
    x: float
    width: float
    seconds: float
    is_open: bool


@dataclass(frozen=True)
class Lane:
    """One Iteration."""

    label: str
    y: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Timeline:
    """The whole picture, `WIDTH` by `height` units."""

    lanes: tuple[Lane, ...]
    height: int
    stages: tuple[tuple[str, str], ...]
    """Names and titles of the stages that occur, for the legend."""
    span_s: float
    label_width: int = LABEL_WIDTH
    track_width: int = WIDTH - LABEL_WIDTH


def make_timeline(stages: Sequence[Stage], end: datetime) -> Timeline | None:
    """Lay out the stages between the first start and `end`; None without any stage."""
    if not stages:
        return None
    start = min(stage.started_at for stage in stages)
    last = max([end if s.finished_at is None else s.finished_at for s in stages])
    span_s = max((last - start).total_seconds(), 1.0)
    scale = (WIDTH - LABEL_WIDTH) / span_s
    order = sorted({s.iteration for s in stages}, key=lambda i: (i < 0, i))
    lanes = []
    for number, iteration in enumerate(order):
        segments = []
        for stage in (s for s in stages if s.iteration == iteration):
            seconds = max(((stage.finished_at or end) - stage.started_at).total_seconds(), 0.0)
            segments.append(
                Segment(
                    name=stage.name,
                    title=STAGES.get(stage.name, stage.name),
                    x=round(LABEL_WIDTH + (stage.started_at - start).total_seconds() * scale, 1),
                    width=round(max(seconds * scale, 2), 1),
                    seconds=seconds,
                    is_open=stage.finished_at is None,
                )
            )
        lanes.append(Lane(iteration_words(iteration), number * LANE_HEIGHT, tuple(segments)))
    names = {stage.name for stage in stages}
    legend = tuple((name, title) for name, title in STAGES.items() if name in names)
    return Timeline(tuple(lanes), len(lanes) * LANE_HEIGHT + 4, legend, span_s)
