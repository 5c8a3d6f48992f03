"""Facets of a list: for each field the values with their counts under all the *other* filters, and links that toggle.

Works from the query string alone, so that the address is the view. Which filters exist is a `FilterSet`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.http import QueryDict

MAX_CHOICES = 12


@dataclass(frozen=True)
class Choice:
    """One value of a facet."""

    label: str
    n: int
    is_chosen: bool
    query: str
    """Query string that chooses this value, or takes the choice back; never empty (`?...`)."""


@dataclass(frozen=True)
class Facet:
    """One field to filter by."""

    title: str
    choices: tuple[Choice, ...]


def query_with(params: QueryDict, **changes: str | None) -> str:
    """The query string with some parameters set or (None) removed; the page number starts over."""
    changed = params.copy()
    changed.pop("page", None)
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = value
    return f"?{changed.urlencode()}"


def without(params: QueryDict, *names: str) -> QueryDict:
    """The parameters without some of them."""
    changed = params.copy()
    for name in names:
        changed.pop(name, None)
    return changed


def column_counts(rows: QuerySet, column: str) -> list[tuple[str, int]]:
    """How often each value of a column occurs, the most frequent first; empty values are left out."""
    counted = rows.order_by().values_list(column).annotate(n=Count("pk")).order_by("-n", column)
    return [(str(value), n) for value, n in counted if value not in ("", None)]


def make_facet(
    params: QueryDict,
    name: str,
    title: str,
    counts: Iterable[tuple[str, int]],
    label: Callable[[str], str] = str,
) -> Facet:
    """A facet from counts; a chosen value is listed although nothing else matches it."""
    chosen = params.get(name, "")
    listed = list(counts)
    if chosen and chosen not in dict(listed):
        listed.append((chosen, 0))
    shown = listed[:MAX_CHOICES] + [pair for pair in listed[MAX_CHOICES:] if pair[0] == chosen]
    return Facet(
        title,
        tuple(
            Choice(
                label=label(value),
                n=n,
                is_chosen=value == chosen,
                query=query_with(params, **{name: None if value == chosen else value}),
            )
            for value, n in shown
        ),
    )
