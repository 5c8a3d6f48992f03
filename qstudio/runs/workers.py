"""Whether anybody is there to take a queued Run up: the clusters of django-q2 that were heard of lately."""

from __future__ import annotations

from django_q.status import Stat


def is_worker_seen() -> bool:
    """True when a cluster wrote its statistics to the shared cache within the last seconds."""
    return bool(Stat.get_all())
