"""The Runs list, the page of a Run with its tabs, its charts as CSV, and the ledger of Iterations."""

from __future__ import annotations

import csv
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from qstudio.core.htmx import HtmxRequest
from qstudio.runs.models import Run
from qstudio.runs.queries.iterations import iterations_page
from qstudio.runs.queries.run_page import (
    TABS,
    config_tab,
    events_tab,
    run_head,
    summary_tab,
    training_tab,
)
from qstudio.runs.queries.runs import runs_page


@require_GET
@vary_on_headers("HX-Request")
def runs(request: HtmxRequest) -> HttpResponse:
    """List Runs; htmx gets the table."""
    template = "runs/_runs_table.html" if request.htmx else "runs/runs.html"
    return render(request, template, {"page": runs_page(request.GET)})


@require_GET
@vary_on_headers("HX-Request")
def run(request: HtmxRequest, key: str, tab: str) -> HttpResponse:
    """Show one tab of a Run; htmx gets everything below the breadcrumb."""
    found = get_object_or_404(Run.objects.select_related("owner"), key=key)
    template = "runs/_run.html" if request.htmx else "runs/run.html"
    context = {"head": run_head(found), "tabs": TABS, "tab": tab, "page": _tab(request, found, tab)}
    return render(request, template, context)


@require_GET
def chart_csv(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """The numbers of one chart of a Run."""
    found = get_object_or_404(Run, key=key)
    charts = [training_tab(found).loss] if name == "loss" else summary_tab(found).charts
    chart = next((chart for chart in charts if chart is not None and chart.key == name), None)
    if chart is None:
        raise Http404(f"this Run has no chart {name}")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.key}-{chart.key}.csv"'
    writer = csv.writer(response)
    writer.writerow(chart.columns)
    writer.writerows(chart.rows)
    return response


@require_GET
def iterations(request: HttpRequest) -> HttpResponse:
    """The ledger of one Run's loop, by default the newest one's."""
    page = iterations_page(request.GET.get("run", ""))
    if request.GET.get("run") and page.run is None:
        raise Http404("no Run of that name has an Iteration")
    return render(request, "runs/iterations.html", {"page": page})


def _tab(request: HttpRequest, found: Run, tab: str) -> Any:
    if tab == "training":
        return training_tab(found)
    if tab == "events":
        return events_tab(found, request.GET.get("page"), "metrics" in request.GET)
    if tab == "config":
        return config_tab(found)
    return summary_tab(found)
