"""How values look on a page: percentages with intervals, durations, times, counts, states, verdicts, code.

Formatting only: nothing here queries, and every text that came from outside is escaped by the template.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from qstudio.core import highlight
from qstudio.core.words import STATES, VERDICTS, Word

register = template.Library()

MISSING = "n/a"
CAP = 10_000
THEMES = ("light", "dark")


@register.filter
def percent(value: float | None) -> str:
    """A proportion as `46.8 %`."""
    return MISSING if value is None else f"{100 * value:.1f} %"


@register.filter
def interval(estimate: Any) -> str:
    """An estimate as `46.8 % [41.0, 52.6]`; takes `{"value", "low", "high"}`."""
    if not estimate:
        return MISSING
    return f"{percent(estimate['value'])} {bounds(estimate)}"


@register.filter
def bounds(estimate: Any) -> str:
    """The interval of an estimate alone, as `[41.0, 52.6]`."""
    return f"[{100 * estimate['low']:.1f}, {100 * estimate['high']:.1f}]" if estimate else ""


@register.filter
def count(value: int | None) -> str:
    """A whole number with thousands separators."""
    return MISSING if value is None else f"{value:,}"


@register.filter
def capped(value: int) -> str:
    """A count that was not taken beyond the cap, as `>10,000`."""
    return f">{CAP:,}" if value > CAP else f"{value:,}"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as `12.3 s`, `4 min 10 s` or `2 h 14 min`."""
    if seconds is None:
        return MISSING
    if seconds < 0.0995:
        return f"{1000 * seconds:.1f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter
def loss(value: float | None) -> str:
    """A training loss to four places."""
    return MISSING if value is None else f"{value:.4f}"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A time in words, with the exact one in `<time>`."""
    if moment is None:
        return MISSING
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 5:
        text = "just now"
    elif seconds < 86_400 * 2:
        text = f"{_coarse(seconds)} ago"
    else:
        text = f"{timezone.localtime(moment):%d %b %Y}"
    exact = f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, text)


@register.filter
def clock(moment: datetime) -> SafeString:
    """Date and time to the second."""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}">{}</time>', moment.isoformat(), f"{local:%d %b, %H:%M:%S}"
    )


@register.filter
def short(identifier: str) -> str:
    """The first seven characters of a hash."""
    return identifier[:7]


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(str(key))


@register.filter
def code(text: str, language: str) -> SafeString:
    """Source text coloured for a `<pre>`; `language` is `q` or `python`."""
    return highlight.to_html(text, language)


@register.inclusion_tag("core/_icon.html")
def icon(name: str) -> dict[str, str]:
    """One symbol of the sprite, hidden from screen readers: a word always stands beside it."""
    return {"name": name}


@register.inclusion_tag("core/_status.html")
def status(state: str) -> dict[str, Any]:
    """State of a Run as icon, word and colour."""
    return {"key": state, "word": STATES.get(state, Word(state, "circle"))}


@register.inclusion_tag("core/_status.html")
def verdict(kind: str) -> dict[str, Any]:
    """A Verdict, or the outcome of one TestCase, as icon, word and colour."""
    return {"key": kind, "word": VERDICTS.get(kind, Word(kind, "circle"))}


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The theme that this person chose: `light`, `dark`, or empty for the system's."""
    chosen = _request(context).COOKIES.get("qstudio_theme", "")
    return chosen if chosen in THEMES else ""


@register.simple_tag(takes_context=True)
def keys_off(context: Context) -> bool:
    """Whether this person switched the keyboard shortcuts off."""
    return _request(context).COOKIES.get("qstudio_keys") == "off"


@register.simple_tag(takes_context=True)
def here(context: Context, *prefixes: str) -> bool:
    """Whether the page lies under one of these paths; `/` stands for itself alone."""
    path = _request(context).path
    return any(path == prefix if prefix == "/" else path.startswith(prefix) for prefix in prefixes)


def _request(context: Context) -> HttpRequest:
    return context["request"]


def _coarse(seconds: float) -> str:
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 5_400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
