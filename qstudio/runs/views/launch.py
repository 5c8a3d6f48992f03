"""The launch form: fill in, check, start. Starting twice with one form gives one Run."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pipeline.config import preset_names
from pipeline.errors import ConfigError
from qstudio.core.htmx import HtmxRequest
from qstudio.runs.forms import DEFAULT_PRESET, LaunchForm, blank_form, bound_form
from qstudio.runs.launch import LaunchError, create_run, ring
from qstudio.runs.models import Run
from qstudio.runs.workers import is_worker_seen


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: HtmxRequest) -> HttpResponse:
    """Show, check or send the form; htmx gets the summary with the marks of the fields."""
    if request.method != "POST":
        return _show(request, _opened(request), str(uuid.uuid4()))
    try:
        form = bound_form(request.POST)
    except ConfigError as error:
        raise Http404(str(error)) from error
    request_id = request.POST.get("request_id", "")[:64] or str(uuid.uuid4())
    if request.POST.get("action") != "start":
        if request.htmx:
            return render(request, "runs/_launch_checked.html", {"form": form, "is_swap": True})
        return _show(request, form, request_id)
    if form.config is None:
        return _show(request, form, request_id, status=422)
    return _start(request, form, request_id)


def _start(request: HttpRequest, form: LaunchForm, request_id: str) -> HttpResponse:
    assert form.config is not None, "only a valid form is started"
    is_repeat = Run.objects.filter(request_id=request_id).exists()
    try:
        run = create_run(
            form.config,
            owner=cast(AbstractBaseUser, request.user),
            name=form.config.name,
            preset=form.preset,
            request_id=request_id,
        )
        if not is_repeat:
            ring(run)
    except LaunchError as error:
        return _show(request, form, request_id, refusal=str(error), status=422)
    if not is_repeat:
        messages.success(request, f"Run {run.name} is queued; a worker takes it up.")
    return HttpResponseRedirect(reverse("run", args=[run.key]), status=303)


def _opened(request: HttpRequest) -> LaunchForm:
    """The form of `?preset=` or, with `?from=<run key>`, of an earlier Run."""
    if earlier := request.GET.get("from"):
        run = get_object_or_404(Run, key=earlier)
        preset = run.preset if run.preset in preset_names() else DEFAULT_PRESET
        return blank_form(preset, run.config)
    try:
        return blank_form(request.GET.get("preset") or DEFAULT_PRESET)
    except ConfigError as error:
        raise Http404(str(error)) from error


def _show(
    request: HttpRequest, form: LaunchForm, request_id: str, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "request_id": request_id,
        "refusal": refusal,
        "is_swap": False,
        "has_worker": is_worker_seen(),
    }
    return render(request, "runs/launch.html", context, status=status)
