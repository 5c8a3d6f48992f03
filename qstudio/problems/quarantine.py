"""Placing Programs in quarantine and releasing them: every row of the same Program changes with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from qstudio.problems.models import Problem, Quarantine, Solution


def quarantined_keys(keys: Iterable[str]) -> set[str]:
    """Which of these Solution keys are in quarantine."""
    standing = Quarantine.objects.filter(released_at=None, key__in=list(keys))
    return set(standing.values_list("key", flat=True))


def place(
    problem: Problem, key: str, reason: str, evidence: dict[str, Any], uses: Sequence[Any]
) -> Quarantine:
    """Quarantine a Program; one that is in quarantine already keeps its first reason."""
    with transaction.atomic():
        quarantine, _ = Quarantine.objects.get_or_create(
            key=key,
            released_at=None,
            defaults={
                "problem": problem,
                "reason": reason,
                "evidence": evidence,
                "uses": list(uses),
            },
        )
        Solution.objects.filter(key=key).update(is_quarantined=True)
    return quarantine


def release(key: str, reason: str) -> Quarantine | None:
    """Release a Program from quarantine, which is kept as history; None when it is in none."""
    with transaction.atomic():
        quarantine = (
            Quarantine.objects.select_for_update().filter(key=key, released_at=None).first()
        )
        if quarantine is None:
            return None
        quarantine.released_at, quarantine.release_reason = timezone.now(), reason
        quarantine.save(update_fields=["released_at", "release_reason"])
        Solution.objects.filter(key=key).update(is_quarantined=False)
    return quarantine
