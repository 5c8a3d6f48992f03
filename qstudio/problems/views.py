"""The Problems list and the page of one Problem."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from qstudio.problems.models import Problem
from qstudio.problems.queries import problem_page, problems_page


@require_GET
def problems(request: HttpRequest) -> HttpResponse:
    """List Problems; the address holds the filters."""
    return render(request, "problems/problems.html", {"page": problems_page(request.GET)})


@require_GET
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one Problem with its tests, Solutions and history."""
    found = get_object_or_404(Problem, slug=slug)
    return render(request, "problems/problem.html", {"page": problem_page(found)})
