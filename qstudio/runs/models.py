"""Runs and what they made: Stages, Iterations, Attempts, Verdicts, Evaluations, Checkpoints, RunEvents.

A Run's state changes only through `runs.transitions`; everything else here is a projection of the run directory,
written by `runs.ingest`, and may be rebuilt from it.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from qstudio.problems.models import Problem


class Run(models.Model):
    """One invocation with one resolved config; owns a directory."""

    class State(models.TextChoices):
        QUEUED = "queued"
        STARTING = "starting"
        RUNNING = "running"
        STOPPING = "stopping"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        STOPPED = "stopped"
        PAUSED = "paused"
        LOST = "lost"

    ACTIVE = (State.QUEUED, State.STARTING, State.RUNNING, State.STOPPING)
    RESUMABLE = (State.FAILED, State.STOPPED, State.PAUSED, State.LOST)
    SAID = (State.SUCCEEDED, State.FAILED, State.STOPPED, State.PAUSED)
    """Ends that the run's own process writes down."""

    key = models.SlugField(max_length=80, unique=True)
    """`<date>-<name>-<8 hex>`: the name of the run directory."""
    request_id = models.CharField(max_length=64, unique=True, null=True, blank=True)
    """Token of the launch form: a double click starts one Run."""
    name = models.CharField(max_length=80)
    preset = models.CharField(max_length=60, blank=True)
    config = models.JSONField()
    directory = models.CharField(max_length=500)
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.QUEUED, db_index=True
    )
    state_reason = models.TextField(blank=True)
    """One sentence: why it failed, stopped, paused or was lost, and what to do."""
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    is_headless = models.BooleanField(default=False)
    """Started by `manage.py bootstrap` in the foreground, not by a worker."""
    resumes_itself = models.BooleanField(default=False)
    """Stopped by a shutdown of the whole system: the next start takes it up again."""

    host = models.CharField(max_length=120, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True)
    process_started_at = models.FloatField(null=True, blank=True)
    """Start time of the process (Unix seconds): a reused pid is not our process."""
    boot_id = models.CharField(max_length=64, blank=True)
    n_processes = models.PositiveIntegerField(default=0)

    stage = models.CharField(max_length=20, blank=True)
    iteration = models.IntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    event_offset = models.PositiveBigIntegerField(default=0)
    """Bytes of `events.jsonl` that are rows already."""
    file_offsets = models.JSONField(default=dict)
    """The same for each file of records that the events name, by path in the run directory."""
    report = models.JSONField(null=True, blank=True)
    """`final_report.json` of a finished Run."""
    n_problems = models.PositiveIntegerField(default=0)
    n_seeds = models.PositiveIntegerField(default=0)
    n_solved = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.key

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_resumable(self) -> bool:
        return self.state in self.RESUMABLE


class Stage(models.Model):
    """One stage of a Run in one Iteration, with how long it took."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=20)
    """`dataset`, `pretrain`, `sft`, `sampling`, `evaluation` or `report`."""
    iteration = models.IntegerField()
    """0 before the loop, 1.. in the loop, -1 the equal-steps base line."""
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["started_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "name", "iteration"], name="stage_run_name_iteration"
            )
        ]


class Iteration(models.Model):
    """One cycle of the loop: sample, grade, select, train, evaluate."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="iterations")
    index = models.PositiveIntegerField()
    attempted = models.PositiveIntegerField(default=0)
    """Problems that were sampled."""
    newly_solved = models.PositiveIntegerField(default=0)
    solved_total = models.PositiveIntegerField(default=0)
    problems_total = models.PositiveIntegerField(default=0)
    train_rows = models.PositiveIntegerField(default=0)
    is_adopted = models.BooleanField(default=False)
    """Whether its policy went on, by the dev split."""
    metadata = models.JSONField(default=dict)
    dataset_stats = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="iteration_run_index")
        ]


class Checkpoint(models.Model):
    """Weights on disk."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="checkpoints")
    key = models.CharField(max_length=80)
    iteration = models.IntegerField()
    role = models.CharField(max_length=20)
    path = models.CharField(max_length=300)
    parent = models.CharField(max_length=80, blank=True)
    steps = models.PositiveIntegerField()
    train_rows = models.PositiveIntegerField()
    final_loss = models.FloatField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="checkpoint_run_key")
        ]


class Evaluation(models.Model):
    """pass@k of one policy on one split; the whole record is kept beside the columns that lists need."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="evaluations")
    key = models.CharField(max_length=80)
    iteration = models.IntegerField()
    policy = models.CharField(max_length=80)
    split = models.CharField(max_length=10)
    n_problems = models.PositiveIntegerField()
    n_samples = models.PositiveIntegerField()
    grader = models.CharField(max_length=40)
    engine = models.CharField(max_length=40)
    engine_version = models.CharField(max_length=40)
    record = models.JSONField()
    """`pipeline.records.Evaluation` whole: pass@k with intervals, verdict counts, per-problem counts."""
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["run_id", "iteration", "split"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="evaluation_run_key")
        ]


class Prompt(models.Model):
    """The text a policy was given; many Attempts share one."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="prompts")
    key = models.CharField(max_length=64)
    text = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="prompt_run_key")
        ]


class Attempt(models.Model):
    """One sample for one Problem; its judgement is the Verdict row, of which the newest is mirrored in `verdict`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="attempts")
    prompt = models.ForeignKey(Prompt, on_delete=models.RESTRICT, related_name="attempts")
    key = models.CharField(max_length=64)
    purpose = models.CharField(max_length=10)
    """`sampling` or `evaluation`."""
    split = models.CharField(max_length=10)
    iteration = models.IntegerField()
    sample_index = models.PositiveIntegerField()
    policy = models.CharField(max_length=80)
    completion = models.JSONField()
    """`pipeline.records.Completion`."""
    program = models.TextField(null=True)
    verdict = models.CharField(max_length=16)
    error = models.CharField(max_length=80, blank=True)
    """Name of the q error, when there was one."""
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["iteration", "problem_id", "sample_index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="attempt_run_key")
        ]
        indexes: ClassVar = [
            models.Index(fields=["run", "purpose", "iteration", "verdict"]),
            models.Index(fields=["problem", "run", "iteration"]),
        ]


class Verdict(models.Model):
    """One judgement of one Attempt under one grader and engine, with its evidence."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="verdicts")
    kind = models.CharField(max_length=16)
    grader = models.CharField(max_length=40)
    engine = models.CharField(max_length=40)
    engine_version = models.CharField(max_length=40)
    tests_hash = models.CharField(max_length=64)
    n_passed = models.PositiveIntegerField()
    n_tests = models.PositiveIntegerField()
    executions = models.JSONField(default=list)
    """`pipeline.records.Execution` per TestCase."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["attempt", "grader", "engine", "engine_version"],
                name="verdict_attempt_grader_engine",
            )
        ]


class RunEvent(models.Model):
    """One thing that happened to a Run, written by its process or by a person's act."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    seq = models.IntegerField(null=True)
    """Number in `events.jsonl`; null for events that began in the web project."""
    time = models.DateTimeField()
    kind = models.CharField(max_length=40)
    message = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["time", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "seq"], name="event_run_seq")
        ]
