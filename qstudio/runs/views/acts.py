"""What a person does to a Run: stop and save, kill, resume. POST only; then back to its page with a message."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from qstudio.runs.launch import LaunchError, kill_run, resume_run, stop_run
from qstudio.runs.models import Run


@require_POST
def stop(request: HttpRequest, key: str) -> HttpResponse:
    """Ask a Run to stop and save."""
    return _act(request, key, stop_run, "Asked to stop. It finishes what it holds and saves first.")


@require_POST
def kill(request: HttpRequest, key: str) -> HttpResponse:
    """End a Run's process at once."""
    return _act(request, key, kill_run, "Killed. Resume goes on from what was saved last.")


@require_POST
def resume(request: HttpRequest, key: str) -> HttpResponse:
    """Queue an ended Run again."""
    return _act(request, key, resume_run, "Queued again. It goes on from what was saved last.")


def _act(request: HttpRequest, key: str, act: Callable[..., bool], done: str) -> HttpResponse:
    run = get_object_or_404(Run, key=key)
    try:
        moved = act(run, by=request.user)
    except LaunchError as error:
        messages.error(request, f"{error}.")
    else:
        run.refresh_from_db()
        if moved:
            messages.success(request, done)
        else:
            messages.warning(request, f"Nothing was done: the Run is {run.state} by now.")
    return HttpResponseRedirect(reverse("run", args=[run.key]), status=303)
