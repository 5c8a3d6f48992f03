"""The list of Evaluations and the page of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from qstudio.runs.models import Evaluation
from qstudio.runs.queries.evaluations import evaluation_page, evaluations_page


@require_GET
def evaluations(request: HttpRequest) -> HttpResponse:
    """List Evaluations; the address holds the filters."""
    return render(request, "runs/evaluations.html", {"page": evaluations_page(request.GET)})


@require_GET
def evaluation(request: HttpRequest, run_key: str, key: str) -> HttpResponse:
    """Show one Evaluation: the score, its curve, its verdicts, its Problems."""
    found = get_object_or_404(Evaluation.objects.select_related("run"), run__key=run_key, key=key)
    return render(request, "runs/evaluation.html", {"page": evaluation_page(found)})
