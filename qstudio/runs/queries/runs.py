"""The Runs list: rows with their progress and key figure, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, F, QuerySet
from django.http import QueryDict
from django.utils import timezone

from qstudio.core.facets import Facet, column_counts, make_facet, without
from qstudio.core.paging import page_of
from qstudio.core.words import STATES
from qstudio.runs.models import Evaluation, Run, Stage
from qstudio.runs.sentences import stage_eta_s, status_sentence
from qstudio.runs.uses import withdrawn


@dataclass(frozen=True)
class RunRow:
    """One Run in a list or on a card."""

    run: Run
    sentence: str
    n_solved: int
    n_withdrawn: int
    """Problems that were solved by Programs in quarantine alone; not among `n_solved`."""
    pass_at_1: dict[str, float] | None
    """Newest test pass@1 of the loop's policies, with interval."""
    eta_s: float | None
    """Seconds left in the present stage, where its pace is known."""
    elapsed_s: float | None


@dataclass(frozen=True)
class RunsPage:
    """Context of `/runs/`."""

    rows: tuple[RunRow, ...]
    page: Page
    facets: tuple[Facet, ...]
    search: str
    n_all: int
    n_active: int


def runs_page(params: QueryDict) -> RunsPage:
    """The Runs that the query string asks for."""
    rows = _filtered(params)
    page = page_of(rows.select_related("owner"), params.get("page"), 25)
    by_state = dict(Run.objects.order_by().values_list("state").annotate(n=Count("pk")))
    facets = (
        make_facet(
            params,
            "state",
            "State",
            column_counts(_filtered(without(params, "state")), "state"),
            lambda value: STATES[value].text if value in STATES else value,
        ),
        make_facet(
            params,
            "preset",
            "Preset",
            column_counts(_filtered(without(params, "preset")), "preset"),
        ),
    )
    return RunsPage(
        rows=run_rows(page.object_list),
        page=page,
        facets=facets,
        search=params.get("q", ""),
        n_all=sum(by_state.values()),
        n_active=sum(by_state.get(state, 0) for state in Run.ACTIVE),
    )


def run_rows(runs: Iterable[Run]) -> tuple[RunRow, ...]:
    """Rows for some Runs, with three queries for all of them, four where something is in quarantine."""
    listed = list(runs)
    now = timezone.now()
    scores = latest_scores(listed)
    lost = withdrawn(listed)
    stages = _open_stages([run for run in listed if run.state == Run.State.RUNNING])
    return tuple(
        RunRow(
            run=run,
            sentence=status_sentence(run, lost.get(run.key, 0)),
            n_solved=run.n_solved - lost.get(run.key, 0),
            n_withdrawn=lost.get(run.key, 0),
            pass_at_1=scores.get(run.pk),
            eta_s=stage_eta_s(run, stages.get((run.pk, run.stage, run.iteration)), now),
            elapsed_s=elapsed_s(run, now),
        )
        for run in listed
    )


def latest_scores(runs: Iterable[Run]) -> dict[int, dict[str, float]]:
    """Run id to pass@1 on test of the newest policy of its loop; the base line does not count."""
    found = (
        Evaluation.objects.filter(run__in=list(runs), split="test", iteration__gte=0)
        .order_by("iteration")
        .values_list("run_id", "record__pass_at")
    )
    return {run_id: pass_at["1"] for run_id, pass_at in found if pass_at and "1" in pass_at}


def elapsed_s(run: Run, now: datetime) -> float | None:
    """Seconds from the start to the end, or to now."""
    if run.started_at is None:
        return None
    return ((run.finished_at or now) - run.started_at).total_seconds()


def _open_stages(runs: list[Run]) -> dict[tuple[Any, ...], datetime]:
    if not runs:
        return {}
    opened = Stage.objects.filter(run__in=runs, name=F("run__stage"), iteration=F("run__iteration"))
    return {(s.run_id, s.name, s.iteration): s.started_at for s in opened}


def _filtered(params: QueryDict) -> QuerySet[Run]:
    rows = Run.objects.all()
    if state := params.get("state"):
        rows = rows.filter(state=state)
    if preset := params.get("preset"):
        rows = rows.filter(preset=preset)
    if search := params.get("q", "").strip():
        rows = rows.filter(key__icontains=search) | rows.filter(name__icontains=search)
    return rows
