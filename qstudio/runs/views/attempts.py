"""The list of Attempts, by default the failed ones, and the page of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from qstudio.runs.models import Attempt
from qstudio.runs.queries.attempts import attempt_page, attempts_page


@require_GET
def attempts(request: HttpRequest) -> HttpResponse:
    """List Attempts with facets and groups of like failures; the address holds the filters."""
    return render(request, "runs/attempts.html", {"page": attempts_page(request.GET)})


@require_GET
def attempt(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one Attempt with all its evidence; the query string is the list that it was opened from."""
    rows = Attempt.objects.select_related("run", "problem", "prompt")
    found = get_object_or_404(rows, pk=pk)
    return render(request, "runs/attempt.html", {"page": attempt_page(found, request.GET)})
