"""Human decisions about Solutions: appended, never edited."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from qstudio.problems.models import Solution


class Review(models.Model):
    """One person's decision about one Solution; the newest counts."""

    class Decision(models.TextChoices):
        APPROVED = "approved"
        REJECTED = "rejected"
        SECOND_LOOK = "second_look"

    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    decision = models.CharField(max_length=12, choices=Decision.choices)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
