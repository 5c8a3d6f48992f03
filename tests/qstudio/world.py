"""A small but whole world for tests of pages: Problems, a finished Run with Evaluations and Attempts, one that works.

Everything is deterministic, and every verdict, kind of difference and hostile text that a page must bear occurs.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from pipeline.config import load_preset
from pipeline.records import content_hash
from qstudio.problems.models import Problem, Solution
from qstudio.problems.services import store_problems
from qstudio.runs.models import (
    Attempt,
    Checkpoint,
    Evaluation,
    Iteration,
    Prompt,
    Run,
    RunEvent,
    Stage,
    Verdict,
)
from tests.qstudio.record_factories import GRADER, make_problem_record, make_test_case

HOSTILE = "<script>alert('x')</script>{{ 7|add:7 }}"
PASSWORD = "correct-horse-battery"

_KINDS = (
    (
        "sum of squares",
        "easy",
        ("numbers", "sum"),
        "{sum x*x}",
        "def f(x):\n    return sum(v * v for v in x)\n",
    ),
    (
        "reverse the words",
        "medium",
        ("strings",),
        '{" " sv reverse " " vs x}',
        'def f(x):\n    return " ".join(reversed(x.split()))\n',
    ),
    (
        "longest run",
        "hard",
        ("lists", "runs"),
        "{max count each (where differ x)_x}",
        "def f(x):\n    # the longest stretch of equal values\n    best = 0\n    return best\n",
    ),
    (
        "running maximum",
        "easy",
        ("lists",),
        "{maxs x}",
        "def f(x):\n    return list(itertools.accumulate(x, max))\n",
    ),
)

_FAILURES = (
    ("wrong_answer", "", "test 3: expected 14 but got 13"),
    ("wrong_answer", "", 'test 2: expected the char vector "a" but got the char atom "a"'),
    ("q_error", "type", "'type in test 0"),
    ("q_error", "length", "'length in test 4"),
    ("syntax_error", "", "line 1, column 9: unexpected )"),
    ("time_limit", "", "test 5 ran longer than 2 s"),
    ("no_program", "", "the Completion holds no q"),
    ("unsupported", "", "the engine does not know wj1 yet"),
)


@dataclass(frozen=True)
class World:
    """What was made."""

    user: Any
    finished: Run
    running: Run
    failed: Run
    problem: Problem
    """Tried often, solved by the loop."""
    failure: Attempt
    """A wrong answer with its evidence, from the finished Run."""
    evaluation: Evaluation


def make_user(name: str = "ada", **fields: Any) -> Any:
    """A person who may sign in with `PASSWORD`."""
    return get_user_model().objects.create_user(name, password=PASSWORD, **fields)


def make_world(n_train: int = 24, n_test: int = 12) -> World:
    """Make it all; about a second."""
    user = make_user(is_staff=True)
    _problems(n_train, n_test)
    finished = _finished(user)
    running = _running(user)
    failed = make_plain_run(
        "20261120-mbpp-00000003", "mbpp", state="failed", stage="sft", owner=None
    )
    Run.objects.filter(pk=failed.pk).update(
        state_reason="the disk is full: checkpoints/base could not be written; free some space and resume the run",
        started_at=timezone.now() - timedelta(hours=5),
        finished_at=timezone.now() - timedelta(hours=4),
        iteration=1,
    )
    failed.refresh_from_db()
    failure = Attempt.objects.filter(run=finished, verdict="wrong_answer").order_by("pk").first()
    evaluation = Evaluation.objects.get(run=finished, split="test", iteration=3)
    problem = Problem.objects.filter(solutions__origin="bootstrap").order_by("pk").first()
    assert failure is not None and problem is not None
    return World(user, finished, running, failed, problem, failure, evaluation)


def make_plain_run(key: str, preset: str = "demo", **fields: Any) -> Run:
    """A Run of a preset, with an empty directory."""
    directory = Path(settings.OUTPUTS_DIR) / key
    (directory / "logs").mkdir(parents=True, exist_ok=True)
    values = {
        "name": preset,
        "preset": preset,
        "config": load_preset(preset).model_dump(mode="json"),
        "directory": str(directory),
        "n_problems": 24,
        "n_seeds": 4,
        "n_solved": 4,
    }
    return Run.objects.create(key=key, **(values | fields))


def log_line(run: Run, text: str, process: int = 1) -> None:
    """Append one line to the log of a Run."""
    with Path(run.directory, "logs", f"attempt_{process}.log").open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")


def _problems(n_train: int, n_test: int) -> None:
    splits = ["train"] * n_train + ["test"] * n_test + ["dev"] * 4
    made = []
    for number, split in enumerate(splits):
        title, difficulty, tags, _, reference = _KINDS[number % len(_KINDS)]
        made.append(
            make_problem_record(
                f"{title.replace(' ', '-')}-{number:03d}",
                title=f"{title.capitalize()} {number}",
                statement=f"Given a list x of whole numbers, return the {title}.\n\nAn empty list gives 0.",
                params=({"name": "x", "type": "list[int]"}, {"name": "label", "type": "str"}),
                reference=reference,
                tests=tuple(
                    make_test_case(n, arguments=([n, n + 1, -n], "ab" if n else ""), expected=3 * n)
                    for n in range(6)
                ),
                problem_set="demo" if number % 5 else "starter",
                split=split,
                difficulty=difficulty,
                tags=tags,
                source="made here",
            )
        )
    store_problems(made)
    train = list(Problem.objects.filter(split="train").order_by("pk"))
    Solution.objects.bulk_create(
        Solution(
            problem=p,
            key=content_hash([p.slug, "seed"]),
            program=_KINDS[n % 4][3],
            origin="reference",
            provenance={"author": "QStudio", "licence": "Apache-2.0"},
        )
        for n, p in enumerate(train[:4])
    )


def _finished(user: Any) -> Run:
    now = timezone.now()
    start = now - timedelta(minutes=50)
    run = make_plain_run(
        "20261122-demo-00000001",
        state="succeeded",
        owner=user,
        stage="report",
        iteration=-1,
        n_solved=19,
        started_at=start,
        finished_at=start + timedelta(minutes=8, seconds=41),
        report={
            "paired": {"diff": 0.231, "ci": [0.148, 0.317]},
            "stopped_because": "maximum",
        },
    )
    rng = random.Random(7)
    _stages(run, start, 3, with_end=True)
    solved = 4
    for index, new in enumerate((8, 5, 2), start=1):
        solved += new
        Iteration.objects.create(
            run=run,
            index=index,
            attempted=24 - solved + new,
            newly_solved=new,
            solved_total=solved,
            problems_total=24,
            train_rows=140 * index,
            is_adopted=index != 2,
            finished_at=start + timedelta(minutes=2 * index),
        )
        _attempts(run, rng, "sampling", "train", index, share=0.2 + 0.1 * index, k=4)
    for iteration, share in ((0, 0.21), (1, 0.37), (2, 0.44), (3, 0.52), (-1, 0.29)):
        _attempts(run, rng, "evaluation", "test", iteration, share, k=8 if iteration == 3 else 2)
        for split in ("dev", "test"):
            _evaluation(run, split, iteration, share + (0.03 if split == "dev" else 0), start)
    _events_and_files(run, rng)
    return run


def _events_and_files(run: Run, rng: random.Random) -> None:
    """Metrics, events, a checkpoint, found Solutions and a log."""
    for stage, iteration, steps in (
        ("pretrain", 0, 60),
        ("sft", 0, 40),
        ("sft", 1, 30),
        ("sft", 2, 30),
    ):
        for step in range(0, steps, 2):
            data = {"stage": stage, "iteration": iteration, "step": step, "learning_rate": 1e-3}
            _event(
                run, "metric", f"step {step}", **data, loss=3.2 / (1 + step / 6) + rng.random() / 9
            )
    _event(run, "run_started", "the process began", pid=4242)
    _event(run, "warning", "3 rows were longer than 256 tokens and were left out")
    _event(run, "run_finished", "the Run succeeded", state="succeeded")
    Checkpoint.objects.create(
        run=run,
        key="initial",
        iteration=0,
        role="initial",
        path="initial/policy",
        steps=300,
        train_rows=64,
        final_loss=0.0712,
    )
    solution_of = Problem.objects.filter(split="train").order_by("pk")[4:19]
    Solution.objects.bulk_create(
        Solution(
            problem=p,
            key=content_hash([p.slug, "found"]),
            program="{[x;label] 3*first x} / found",
            origin="bootstrap",
            run_key=run.key,
            provenance={
                "run": run.key,
                "iteration": 1,
                "policy": "initial",
                "engine": "embedded 0.1",
            },
        )
        for p in solution_of
    )
    for number in range(400):
        log_line(run, f"12:00:{number % 60:02d} INFO stage sampling: batch {number} of 400")
    log_line(run, f"12:01:00 WARNING odd text: {HOSTILE}")


def _running(user: Any) -> Run:
    now = timezone.now()
    run = make_plain_run(
        "20261123-demo-00000002",
        state="running",
        owner=user,
        stage="sampling",
        iteration=2,
        done=7,
        total=16,
        message="Sampling 4 Programs for each of 16 Problems",
        heartbeat_at=now,
        started_at=now - timedelta(minutes=4),
        pid=4711,
        host="bench-1",
        n_solved=11,
    )
    _stages(run, now - timedelta(minutes=4), 1, with_end=False)
    Stage.objects.create(
        run=run, name="sampling", iteration=2, started_at=now - timedelta(seconds=40)
    )
    Iteration.objects.create(
        run=run,
        index=1,
        attempted=20,
        newly_solved=7,
        solved_total=11,
        problems_total=24,
        train_rows=150,
        is_adopted=True,
        finished_at=now,
    )
    _evaluation(run, "test", 0, 0.22, now)
    _evaluation(run, "test", 1, 0.35, now)
    log_line(run, "INFO the process began")
    return run


def _stages(run: Run, start: Any, n_iterations: int, *, with_end: bool) -> None:
    plan = [("dataset", 0, 8), ("pretrain", 0, 70), ("sft", 0, 40), ("evaluation", 0, 15)]
    for index in range(1, n_iterations + 1):
        plan += [("sampling", index, 30), ("sft", index, 35), ("evaluation", index, 15)]
    if with_end:
        plan += [("sft", -1, 90), ("evaluation", -1, 14), ("report", -1, 2)]
    at = start
    for name, iteration, seconds in plan:
        end = at + timedelta(seconds=seconds)
        Stage.objects.create(
            run=run, name=name, iteration=iteration, started_at=at, finished_at=end
        )
        at = end


def _evaluation(run: Run, split: str, iteration: int, share: float, at: Any) -> None:
    slugs = list(Problem.objects.filter(split=split).values_list("slug", flat=True))
    verdicts = Counter(
        Attempt.objects.filter(run=run, split=split, iteration=iteration).values_list(
            "verdict", flat=True
        )
    ) or Counter({"passed": 40, "wrong_answer": 50, "q_error": 6})
    estimates = {
        str(k): {
            "value": min(1.0, share * f),
            "low": max(0.0, share * f - 0.08),
            "high": min(1.0, share * f + 0.08),
        }
        for k, f in ((1, 1.0), (4, 1.4), (8, 1.6))
    }
    policy = f"iteration-{iteration}"
    record = {
        "id": f"{policy}-{split}",
        "iteration": iteration,
        "policy": policy,
        "split": split,
        "n_problems": len(slugs),
        "n_samples": 8,
        "temperature": 0.7,
        "pass_at": estimates,
        "pass_at_all_in": estimates,
        "verdicts": dict(verdicts),
        "per_problem": {slug: [8, n % 9] for n, slug in enumerate(slugs)},
        "prompt_format": "demo",
        **GRADER,
    }
    Evaluation.objects.create(
        run=run,
        key=record["id"],
        iteration=iteration,
        policy=policy,
        split=split,
        n_problems=len(slugs),
        n_samples=8,
        record=record,
        created_at=at,
        **GRADER,
    )


def _attempts(
    run: Run, rng: random.Random, purpose: str, split: str, iteration: int, share: float, k: int
) -> None:
    problems = list(Problem.objects.filter(split=split).order_by("pk"))
    prompts = {
        p.pk: Prompt.objects.get_or_create(
            run=run,
            key=content_hash([p.slug]),
            defaults={"text": f"# {p.title}\n{p.statement}\n\n{p.reference}\n# q:\n"},
        )[0]
        for p in problems
    }
    rows, verdicts = [], []
    for number, problem in enumerate(problems):
        for sample in range(k):
            program = _KINDS[number % 4][3]
            kind, error, reason = (
                ("passed", "", "") if rng.random() < share else rng.choice(_FAILURES)
            )
            if kind == "syntax_error":
                program = f"{{x+1) / {HOSTILE}"
            attempt = Attempt(
                run=run,
                problem=problem,
                prompt=prompts[problem.pk],
                purpose=purpose,
                split=split,
                iteration=iteration,
                key=content_hash([run.key, purpose, iteration, problem.slug, sample]),
                sample_index=sample,
                policy=f"iteration-{iteration}",
                program=None if kind == "no_program" else f"f:{program}",
                verdict=kind,
                error=error,
                reason=reason,
                completion={
                    "text": f"f:{program}\n{HOSTILE if kind == 'no_program' else ''}",
                    "n_tokens": 12,
                    "finish_reason": "stop",
                    "sampling_seed": 99,
                    "temperature": 1.0,
                },
            )
            rows.append(attempt)
            verdicts.append((attempt, _executions(kind, error)))
    Attempt.objects.bulk_create(rows)
    Verdict.objects.bulk_create(
        Verdict(
            attempt=a,
            kind=a.verdict,
            tests_hash="t" * 64,
            n_passed=sum(e["outcome"] == "passed" for e in ex),
            n_tests=6,
            executions=ex,
            **GRADER,
        )
        for a, ex in verdicts
    )


def _executions(kind: str, error: str) -> list[dict[str, Any]]:
    if kind == "no_program":
        return []
    good = {
        "outcome": "passed",
        "difference_kind": "",
        "difference": "",
        "error": "",
        "stdout": "",
        "duration_s": 0.0008,
    }
    made = [{**good, "test_index": n, "actual": str(3 * n)} for n in range(6)]
    if kind == "wrong_answer":
        made[3] |= {
            "outcome": kind,
            "actual": "8f",
            "difference_kind": "wrong_type",
            "difference": "a float where a long is expected",
            "stdout": HOSTILE,
        }
    elif kind != "passed":
        made[2] |= {"outcome": kind, "actual": "", "error": error}
    return [*made, {**good, "test_index": 6, "actual": "0"}] if kind == "passed" else made


def _event(run: Run, kind: str, message: str, **data: Any) -> None:
    RunEvent.objects.create(
        run=run,
        seq=run.events.count() + 1,
        time=timezone.now(),
        kind=kind,
        message=message,
        data=data,
    )
