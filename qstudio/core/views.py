"""Pages that belong to no subject: theme, keyboard shortcuts."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from qstudio.core.templatetags.display import THEMES

YEAR_S = 365 * 86_400


@login_not_required
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark, or the system's theme, and go back."""
    return _remember(request, "qstudio_theme", request.POST.get("theme", ""), THEMES)


@require_POST
def choose_keys(request: HttpRequest) -> HttpResponse:
    """Switch the keyboard shortcuts on or off, and go back."""
    return _remember(request, "qstudio_keys", request.POST.get("keys", ""), ("off",))


@require_GET
def shortcuts(request: HttpRequest) -> HttpResponse:
    """List the keyboard shortcuts, and let a person switch them off."""
    return render(request, "core/shortcuts.html")


def _remember(
    request: HttpRequest, name: str, value: str, allowed: tuple[str, ...]
) -> HttpResponse:
    """Keep a choice in a cookie, which the server reads when it renders; another value clears it."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target, status=303)
    if value in allowed:
        response.set_cookie(
            name, value, max_age=YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    else:
        response.delete_cookie(name, samesite="Lax")
    return response
