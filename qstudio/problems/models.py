"""Problems, their TestCases and accepted Solutions, as rows.

Mirrors `pipeline.records`; the rows are filled by import, by `load_problems` and by the ingest of runs.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ProblemQuerySet(models.QuerySet["Problem"]):
    """Questions asked of many Problems at once."""

    def solved(self) -> ProblemQuerySet:
        """Problems with at least one Solution that is not quarantined."""
        return self.filter(pk__in=Solution.objects.usable().values("problem_id"))

    def unsolved(self) -> ProblemQuerySet:
        """Problems without a usable Solution."""
        return self.exclude(pk__in=Solution.objects.usable().values("problem_id"))


class Problem(models.Model):
    """A statement with a Python reference; `slug` is its stable identity."""

    class Split(models.TextChoices):
        TRAIN = "train"
        DEV = "dev"
        TEST = "test"
        PROMPT = "prompt"

    slug = models.SlugField(max_length=120, unique=True)
    title = models.CharField(max_length=200)
    statement = models.TextField()
    entry_point = models.CharField(max_length=80)
    params = models.JSONField(default=list)
    """`[{"name", "type"}]` with the type expressions of `pipeline.typed_values`."""
    returns = models.CharField(max_length=120)
    reference = models.TextField(blank=True)
    generator = models.TextField(blank=True)
    problem_set = models.CharField(max_length=60, db_index=True)
    split = models.CharField(max_length=10, choices=Split.choices, db_index=True)
    group = models.CharField(max_length=80)
    difficulty = models.CharField(max_length=20, blank=True, db_index=True)
    tags = models.JSONField(default=list)
    source = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=80, blank=True)
    is_evaluation_only = models.BooleanField(default=False)
    digest = models.CharField(max_length=64)
    """Content hash of the record: an import that finds it unchanged does nothing."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["slug"]
        indexes: ClassVar = [models.Index(fields=["problem_set", "split"])]

    def __str__(self) -> str:
        return self.slug


class TestCase(models.Model):
    """Arguments and expected value, typed; `hidden` ones are never shown to a policy."""

    __test__ = False  # not a pytest class

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        HIDDEN = "hidden"

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="tests")
    index = models.PositiveIntegerField()
    visibility = models.CharField(max_length=6, choices=Visibility.choices)
    arguments = models.JSONField()
    expected = models.JSONField(null=True)
    comparator = models.CharField(max_length=40, default="equal")
    origin = models.CharField(max_length=20, default="reference")

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["problem", "index"], name="testcase_problem_index")
        ]

    def __str__(self) -> str:
        return f"{self.problem_id}#{self.index}"


class SolutionQuerySet(models.QuerySet["Solution"]):
    """Questions asked of many Solutions at once."""

    def usable(self) -> SolutionQuerySet:
        """Solutions that may be trained on or counted as solving."""
        return self.filter(is_quarantined=False)


class Solution(models.Model):
    """A Program accepted for a Problem, with where it came from."""

    class Origin(models.TextChoices):
        REFERENCE = "reference"
        BOOTSTRAP = "bootstrap"
        HUMAN = "human"

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="solutions")
    key = models.CharField(max_length=64)
    """Content hash of (Problem, Program)."""
    program = models.TextField()
    origin = models.CharField(max_length=12, choices=Origin.choices)
    provenance = models.JSONField(default=dict)
    """Run, iteration, attempt, policy, engine, grader; or author and licence."""
    run_key = models.CharField(max_length=80, blank=True, db_index=True)
    """Key of the Run that found it or alone began with it, to whose world it belongs; else empty."""
    is_quarantined = models.BooleanField(default=False)
    """Mirrors whether a Quarantine of its key stands."""
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SolutionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["problem_id", "created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "run_key"], name="solution_key_run")
        ]

    def __str__(self) -> str:
        return f"{self.origin}:{self.key[:7]}"


class Quarantine(models.Model):
    """Why a Program is not to be used any more, and what has used it: found by an audit, kept when it is released.

    It holds for the Program, whichever Run accepted it, and for a Run that accepts it again.
    """

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="quarantines")
    key = models.CharField(max_length=64, db_index=True)
    """Key of the Solution."""
    reason = models.TextField()
    """What failed, in a sentence."""
    evidence = models.JSONField(default=dict)
    """`seed`, `n_inputs`, `n_passed`, `verdict`, `engine`, `engine_version`, `grader`; `test`: what failed."""
    uses = models.JSONField(default=list)
    """What has used the Program, as far as Runs are ingested: `runs.uses` describes the items."""
    placed_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-placed_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(released_at=None), name="quarantine_stands_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key[:7]}: {self.reason}"
