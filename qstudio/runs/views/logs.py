"""The log of a Run: its end, what came since, what lies before, and the raw file. By byte offset, never whole."""

from __future__ import annotations

from pathlib import Path

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from qstudio.core.htmx import HtmxRequest
from qstudio.runs.logtail import LogChunk, log_paths, read_after, read_before, read_end
from qstudio.runs.models import Run
from qstudio.runs.queries.run_page import TABS, run_head

NEXT_OFFSET = "X-Next-Offset"


@require_GET
@vary_on_headers("HX-Request")
def log(request: HtmxRequest, key: str) -> HttpResponse:
    """Show the log of one process of a Run, by default the newest.

    `?after=N` gives the lines from byte N on, `?before=N` those that end there. htmx gets the lines alone with the
    offset to go on from in the header `X-Next-Offset`; the head of the page is fetched with `?part=head`.
    """
    found = get_object_or_404(Run.objects.select_related("owner"), key=key)
    paths = log_paths(Path(found.directory))
    number = _number(request, "process") or max(paths, default=0)
    context = {
        "head": run_head(found),
        "tabs": TABS,
        "tab": "log",
        "processes": list(paths),
        "process": number,
    }
    if request.htmx and request.GET.get("part") == "head":
        return render(request, "runs/_run_head.html", context)
    if "process" in request.GET and number not in paths:
        raise Http404("this Run has no log of that process")
    chunk = _chunk(request, paths[number]) if number in paths else None
    context |= {"chunk": chunk, "is_part": "before" in request.GET or "after" in request.GET}
    context["follows"] = (
        found.is_active and number == max(paths, default=0) and "before" not in request.GET
    )
    template = "runs/run_log.html"
    if request.htmx:
        template = "runs/_log_older.html" if "before" in request.GET else "runs/_log_lines.html"
    response = render(request, template, context)
    response[NEXT_OFFSET] = str(chunk.end if chunk else 0)
    return response


@require_GET
def raw(request: HttpRequest, key: str) -> FileResponse:
    """The whole log of one process as a download."""
    found = get_object_or_404(Run, key=key)
    paths = log_paths(Path(found.directory))
    path = paths.get(_number(request, "process") or max(paths, default=0))
    if path is None:
        raise Http404("this Run has no log of that process")
    name = f"{found.key}-{path.name}"
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=name, content_type="text/plain; charset=utf-8"
    )


def _chunk(request: HttpRequest, path: Path) -> LogChunk:
    after, before = _number(request, "after"), _number(request, "before")
    if after is not None:
        return read_after(path, after)
    return read_before(path, before) if before is not None else read_end(path)


def _number(request: HttpRequest, name: str) -> int | None:
    """A parameter that is a count; anything else is as if it were not there."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
