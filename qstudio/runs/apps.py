"""App configuration; keeps the schedule that looks after Runs where no watcher does."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunsConfig(AppConfig):
    name = "qstudio.runs"

    def ready(self) -> None:
        post_migrate.connect(_ensure_schedule, sender=self)


def _ensure_schedule(**kwargs: Any) -> None:
    """One round a minute; with a watcher running it finds nothing left to do."""
    from django_q.models import Schedule

    Schedule.objects.get_or_create(
        func="qstudio.runs.tasks.tend_runs",
        defaults={
            "name": "look after Runs",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "repeats": -1,
        },
    )
