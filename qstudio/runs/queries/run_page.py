"""The page of one Run: its head, which every tab shows, and the contents of each tab."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.utils import timezone

from pipeline.config import preset_names
from qstudio.core.paging import page_of
from qstudio.runs import charts
from qstudio.runs.forms import SettingGroup, changed_overrides, setting_groups
from qstudio.runs.models import Run, RunEvent
from qstudio.runs.queries.evaluations import (
    EvaluationRow,
    board,
    sampled_verdicts,
    scores_of,
)
from qstudio.runs.queries.iterations import LedgerRow, growth_chart, ledger
from qstudio.runs.queries.runs import elapsed_s
from qstudio.runs.sentences import (
    finished_sentence,
    is_gain,
    milestone,
    paired_sentence,
    prices,
    stage_eta_s,
    status_sentence,
)
from qstudio.runs.timeline import Timeline, make_timeline
from qstudio.runs.uses import quarantined_problems, withdrawn

TABS = (
    ("summary", "Summary"),
    ("training", "Training"),
    ("log", "Log"),
    ("events", "Events"),
    ("config", "Config"),
)


@dataclass(frozen=True)
class RunHead:
    """What every tab shows above its content."""

    run: Run
    sentence: str
    milestone: str
    title: str
    """Title of the window, which changes with the state."""
    percent_done: int | None
    """Of the present stage."""
    eta_s: float | None
    elapsed_s: float | None
    timeline: Timeline | None
    prices: dict[str, str]
    max_iterations: int | None
    n_solved: int
    n_withdrawn: int
    """Problems that were solved by Programs in quarantine alone; not among `n_solved`."""
    is_silent: bool
    """Active, but without a sign of life for longer than a heartbeat should take."""


@dataclass(frozen=True)
class SummaryTab:
    """Iterations, Evaluations, failures, and what it all came to."""

    ledger: tuple[LedgerRow, ...]
    board: tuple[EvaluationRow, ...]
    has_several_graders: bool
    """Whether the board holds scores under different rules; a chart shows those of the newest alone."""
    charts: tuple[charts.Chart, ...]
    finding: str
    paired: str
    is_gain: bool
    warnings: tuple[RunEvent, ...]
    n_failed: int
    n_judged: int
    n_not_counted: int
    quarantined: tuple[str, ...]
    """Problems of which the Run trained on a Program that is in quarantine now, by slug."""


@dataclass(frozen=True)
class TrainingTab:
    """Loss curves and checkpoints."""

    loss: charts.Chart | None
    checkpoints: tuple[Any, ...]


@dataclass(frozen=True)
class EventsTab:
    """What happened, the newest first."""

    page: Page
    shows_metrics: bool


@dataclass(frozen=True)
class ConfigTab:
    """The resolved settings, with what differs from the preset."""

    groups: tuple[SettingGroup, ...]
    command: str
    n_changed: int


def run_head(run: Run) -> RunHead:
    """Head of the page; two queries, three where something is in quarantine."""
    now = timezone.now()
    stages = list(run.stages.all())
    opened = {(s.name, s.iteration): s.started_at for s in stages}
    is_running = run.state == Run.State.RUNNING
    percent = 100 * run.done // run.total if run.total and run.is_active else None
    n_withdrawn = withdrawn([run]).get(run.key, 0)
    silent_s = (now - run.heartbeat_at).total_seconds() if run.heartbeat_at else 0.0
    return RunHead(
        run=run,
        sentence=status_sentence(run, n_withdrawn),
        milestone=milestone(run),
        title=f"{percent} % · {run.name}"
        if is_running and percent is not None
        else f"{run.state} · {run.name}",
        percent_done=percent,
        eta_s=stage_eta_s(run, opened.get((run.stage, run.iteration)), now),
        elapsed_s=elapsed_s(run, now),
        timeline=make_timeline(stages, run.finished_at or now),
        prices=prices(run, now),
        max_iterations=run.config.get("loop", {}).get("max_iterations"),
        n_solved=run.n_solved - n_withdrawn,
        n_withdrawn=n_withdrawn,
        is_silent=is_running and silent_s > 20,
    )


def summary_tab(run: Run) -> SummaryTab:
    """Iterations, Evaluations and failures of a Run."""
    adopted = {i.index: i.is_adopted for i in run.iterations.all()}
    rows = board(run, adopted)
    scores = [(r.iteration, r.split, r.key, r.pass_at) for r in rows]
    entries = ledger(run, scores)
    counts = sampled_verdicts(run)
    shown = []
    if entries:
        shown.append(growth_chart(run, entries))
    if len({row.iteration for row in rows}) > 1:
        shown.append(charts.pass_at_1(scores_of(rows)))
    if counts:
        shown.append(charts.verdict_shares(counts))
    total: dict[str, int] = {}
    for of_iteration in counts.values():
        for kind, n in of_iteration.items():
            total[kind] = total.get(kind, 0) + n
    n_not_counted = total.get("unsupported", 0) + total.get("infra_error", 0)
    n_judged = sum(total.values()) - n_not_counted
    return SummaryTab(
        ledger=entries,
        board=rows,
        has_several_graders=len({row.grader for row in rows}) > 1,
        charts=tuple(shown),
        finding=_finding(run),
        paired=paired_sentence(run.report),
        is_gain=is_gain(run.report),
        warnings=tuple(run.events.filter(kind="warning").order_by("-time")[:5]),
        n_failed=n_judged - total.get("passed", 0),
        n_judged=n_judged,
        n_not_counted=n_not_counted,
        quarantined=quarantined_problems(run),
    )


def _finding(run: Run) -> str:
    if run.state != Run.State.SUCCEEDED:
        return ""
    return finished_sentence(run, withdrawn([run]).get(run.key, 0))


def training_tab(run: Run) -> TrainingTab:
    """Loss of every training stage, from the metric events."""
    found = run.events.filter(kind="metric").order_by("seq").values_list("data", flat=True)
    points = [
        charts.LossPoint(d.get("stage", ""), d.get("iteration", 0), d.get("step", 0), d["loss"])
        for d in found.iterator()
        if isinstance(d.get("loss"), (int, float))
    ]
    loss = charts.training_loss(points) if points else None
    return TrainingTab(loss, tuple(run.checkpoints.all()))


def events_tab(run: Run, page: str | None, shows_metrics: bool) -> EventsTab:
    """Events, the newest first; metrics are many and left out unless wanted."""
    events = run.events.order_by("-time", "-pk")
    if not shows_metrics:
        events = events.exclude(kind="metric")
    return EventsTab(page_of(events, page, 100), shows_metrics)


def config_tab(run: Run) -> ConfigTab:
    """The settings of a Run by group."""
    groups = setting_groups(run.config, run.preset)
    overrides = changed_overrides(run.config, run.preset)
    preset = run.preset if run.preset in preset_names() else "demo"
    parts = [f"--set {shlex.quote(override)}" for override in overrides]
    return ConfigTab(
        groups=groups,
        command=" ".join(["manage.py bootstrap --preset", preset, *parts]),
        n_changed=len(overrides),
    )
