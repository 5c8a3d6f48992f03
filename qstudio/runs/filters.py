"""What the Attempts list can be filtered by: a typed reading of its query string."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from qstudio.core.words import FAILED, NOT_COUNTED
from qstudio.runs.models import Attempt

OUTCOMES = {"failed": FAILED, "passed": ("passed",), "not_counted": NOT_COUNTED}
"""Groups of verdicts: what a person asks for first."""


class AttemptFilter(django_filters.FilterSet):
    """`?run=&iteration=&purpose=&split=&outcome=&verdict=&error=&problem=`; an unknown value matches nothing."""

    run = django_filters.CharFilter(field_name="run__key")
    iteration = django_filters.NumberFilter(field_name="iteration")
    purpose = django_filters.CharFilter(field_name="purpose")
    split = django_filters.CharFilter(field_name="split")
    policy = django_filters.CharFilter(field_name="policy")
    outcome = django_filters.CharFilter(method="by_outcome")
    verdict = django_filters.CharFilter(field_name="verdict")
    error = django_filters.CharFilter(field_name="error")
    problem = django_filters.CharFilter(field_name="problem__slug")

    class Meta:
        model = Attempt
        fields: list[str] = []

    def by_outcome(self, rows: QuerySet[Attempt], _name: str, outcome: str) -> QuerySet[Attempt]:
        """`failed`, `passed` or `not_counted`."""
        return rows.filter(verdict__in=OUTCOMES.get(outcome, ()))
