"""The first page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from qstudio.core.htmx import HtmxRequest
from qstudio.runs.queries.overview import overview_page


@require_GET
@vary_on_headers("HX-Request")
def overview(request: HtmxRequest) -> HttpResponse:
    """Show where everything stands; htmx gets the inner part."""
    template = "runs/_overview.html" if request.htmx else "runs/overview.html"
    return render(request, template, {"page": overview_page()})
