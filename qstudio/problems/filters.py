"""What the Problems list can be filtered by: a typed reading of its query string."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from qstudio.problems.models import Problem


class ProblemFilter(django_filters.FilterSet):
    """`?q=&set=&split=&difficulty=&state=&tag=`; an unknown value matches nothing."""

    q = django_filters.CharFilter(method="search")
    set = django_filters.CharFilter(field_name="problem_set")
    split = django_filters.CharFilter(field_name="split")
    difficulty = django_filters.CharFilter(field_name="difficulty")
    state = django_filters.CharFilter(method="by_state")
    tag = django_filters.CharFilter(method="by_tag")

    class Meta:
        model = Problem
        fields: list[str] = []

    def search(self, rows: QuerySet[Problem], _name: str, text: str) -> QuerySet[Problem]:
        """Every word must occur in the slug, the title or the statement."""
        for word in text.split()[:8]:
            found = (
                Q(slug__icontains=word) | Q(title__icontains=word) | Q(statement__icontains=word)
            )
            rows = rows.filter(found)
        return rows

    def by_state(self, rows: Any, _name: str, state: str) -> QuerySet[Problem]:
        """`solved` or `unsolved`."""
        if state == "solved":
            return rows.solved()
        return rows.unsolved() if state == "unsolved" else rows.none()

    def by_tag(self, rows: QuerySet[Problem], _name: str, tag: str) -> QuerySet[Problem]:
        """Problems with the tag; SQLite cannot look into JSON lists, so the quoted text is looked for."""
        quoted = f'"{tag}"'
        return rows.annotate(tags_text=Cast("tags", TextField())).filter(tags_text__contains=quoted)
