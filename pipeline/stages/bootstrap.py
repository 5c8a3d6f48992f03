"""The bootstrap loop: sample, judge, accept, rebuild the training set, train, evaluate, repeat.

The order of a run: pretrain (demo policy only), train on the seeds, evaluate; then Iterations until the target, the
maximum, the dry-up or the time budget; then the base line, which is the same policy trained on the seeds alone for as
many steps as the loop took; then the report. Every piece is on disk before the next begins and is not done again by a
resumed run. The test split is measured and never decides anything: the dev split chooses.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.records import Checkpoint, Evaluation, Problem, Solution, TestCase
from pipeline.rundir import utc_now, write_json
from pipeline.stages.acceptance import accept, accepted, fresh_tests
from pipeline.stages.announcing import announce_once
from pipeline.stages.context import EQUAL_STEPS_BASE, INITIAL, SEEDS, RunContext
from pipeline.stages.corpus import pretraining_rows, save_demo_policy
from pipeline.stages.dataset import TrainingSet, build_training_set
from pipeline.stages.evaluation import evaluate
from pipeline.stages.sampling import DrawPlan, draw_attempts
from pipeline.stages.training import Role, train_checkpoint

Solutions = dict[str, list[Solution]]
FreshTests = Mapping[str, tuple[TestCase, ...]]


@dataclass(frozen=True)
class Policy:
    """A Checkpoint with what was measured of it; `dev` and `test` are None for an empty split."""

    checkpoint: Checkpoint
    dev: Evaluation | None
    test: Evaluation | None


@dataclass(frozen=True)
class IterationResult:
    """What one Iteration did: its row in the report, and the policy that it trained."""

    entry: dict[str, Any]
    policy: Policy


@dataclass
class LoopState:
    """What one Iteration hands to the next."""

    policy: Policy
    """The best policy by the dev split so far; it is sampled next."""
    solutions: Solutions
    """Accepted Solutions per Problem, seeds included."""
    iterations: list[IterationResult] = field(default_factory=list)
    dry: int = 0
    """Iterations in a row that solved nothing new."""


@dataclass(frozen=True)
class LoopResult:
    """Everything that the report is made from."""

    initial: Policy
    base: Policy
    state: LoopState
    stopped_because: str


def run_loop(context: RunContext) -> LoopResult:
    """Carry out the whole loop, or what is left of it. Raises: PipelineError, StopRequested."""
    started = time.monotonic()
    _announce_seeds(context)
    fresh = fresh_tests(context)
    initial = _initial_policy(context)
    state = LoopState(policy=initial, solutions=seed_solutions(context))
    stopped_because = _reason_to_stop(context, state, started)
    while stopped_because is None:
        _iterate(context, state, len(state.iterations) + 1, fresh)
        context.reporter.check_stop()
        stopped_because = _reason_to_stop(context, state, started)
    base = _equal_steps_base(context, initial, len(state.iterations))
    return LoopResult(initial, base, state, stopped_because)


def seed_solutions(context: RunContext) -> Solutions:
    """The Solutions known before the run, by Problem."""
    solutions: Solutions = {}
    for solution in context.usable_seeds:
        solutions.setdefault(solution.problem, []).append(solution)
    return solutions


def _announce_seeds(context: RunContext) -> None:
    """Say once which Solutions the run begins with: they are evidence like those that it will find."""
    if context.usable_seeds:
        announce_once(
            context,
            "solutions",
            f"{len(context.usable_seeds)} Solutions are known from the start",
            by="path",
            path=SEEDS,
            n=len(context.usable_seeds),
            iteration=0,
        )


def n_solved(context: RunContext, solutions: Solutions) -> int:
    """How many of the run's training Problems have a Solution."""
    return sum(problem.slug in solutions for problem in context.train)


def _reason_to_stop(context: RunContext, state: LoopState, started: float) -> str | None:
    """`target`, `dry`, `maximum` or `time`; None to go on."""
    loop = context.config.loop
    done = len(state.iterations)
    if n_solved(context, state.solutions) >= loop.target_share * len(context.train):
        return "target"
    if state.dry >= loop.patience:
        return "dry"
    if done >= loop.max_iterations:
        return "maximum"
    is_begun = context.iteration_dir(done + 1).exists()
    if loop.time_budget_s and not is_begun and time.monotonic() - started > loop.time_budget_s:
        return "time"
    return None


def _initial_policy(context: RunContext) -> Policy:
    """The policy before the loop: the base model, fine-tuned on the seeds when there are any."""
    directory = context.path / INITIAL
    base = _base_policy(context, directory)
    checkpoint = _train_on(
        context,
        solutions=seed_solutions(context),
        name="initial",
        role="initial",
        parent=base,
        directory=directory,
        steps=context.config.sft.initial_steps,
        iteration=0,
    )[0]
    if checkpoint is base:
        context.reporter.warn(
            "there are no seeds to train on: the loop begins with the base policy as it is"
        )
    return _measure(context, checkpoint, directory, 0)


def _base_policy(context: RunContext, directory: Path) -> Checkpoint:
    """The model that fine-tuning starts from: what the settings name, or the demo policy, pretrained here."""
    config = context.config
    if config.policy.base != "demo":
        return Checkpoint(
            id="base",
            iteration=0,
            role="base",
            path=config.policy.base,
            steps=0,
            train_rows=0,
            final_loss=None,
        )
    random_weights = directory / "random"
    save_demo_policy(context, random_weights)
    return train_checkpoint(
        context,
        name="pretrained",
        role="pretrained",
        start=str(random_weights),
        parent=None,
        directory=directory / "pretrained",
        rows=pretraining_rows(context),
        steps=config.pretrain.steps,
        iteration=0,
    )


def _iterate(context: RunContext, state: LoopState, index: int, fresh: FreshTests) -> None:
    """One Iteration; its `metadata.json` is written last and marks it as finished."""
    directory = context.iteration_dir(index)
    unsolved = [problem for problem in context.train if problem.slug not in state.solutions]
    newly = _solve(context, state.policy.checkpoint, unsolved, index, fresh)
    for solution in newly:
        state.solutions.setdefault(solution.problem, []).append(solution)
    candidate, rows = _train_on(
        context,
        solutions=state.solutions,
        name=f"iteration-{index}",
        role="candidate",
        parent=state.policy.checkpoint,
        directory=directory,
        steps=context.config.sft.steps,
        iteration=index,
    )
    measured = _measure(context, candidate, directory, index)
    adopted = _is_at_least_as_good(measured.dev, state.policy.dev)
    newly_solved = len({solution.problem for solution in newly})
    entry = {
        "index": index,
        "attempted": len(unsolved),
        "newly_solved": newly_solved,
        "solved_total": n_solved(context, state.solutions),
        "problems_total": len(context.train),
        "train_rows": len(rows.rows),
        "adopted": adopted,
    }
    state.policy = measured if adopted else state.policy
    state.dry = 0 if newly_solved else state.dry + 1
    state.iterations.append(IterationResult(entry, measured))
    _finish_iteration(context, directory, entry, measured, rows)


def _solve(
    context: RunContext, policy: Checkpoint, unsolved: list[Problem], index: int, fresh: FreshTests
) -> list[Solution]:
    """Sample the unsolved Problems and accept what survives."""
    directory = context.iteration_dir(index)
    if (found := accepted(context, directory, index)) is not None:
        return found
    settings = context.config.sampling
    plan = DrawPlan(
        purpose="sampling",
        iteration=index,
        policy=policy.id,
        path=directory / "attempts.jsonl",
        k=settings.k,
        temperature=settings.temperature,
        max_new_tokens=settings.max_new_tokens,
        problems_per_batch=settings.problems_per_batch,
        seed=context.config.seed,
    )
    message = f"Sampling {settings.k} Programs for each of {len(unsolved)} unsolved Problems"
    with context.reporter.stage("sampling", index, message, total=len(unsolved) * settings.k):
        attempts = (
            draw_attempts(context, context.generator(policy), unsolved, plan) if unsolved else []
        )
        return accept(context, attempts, fresh, index, directory)


def _train_on(
    context: RunContext,
    *,
    solutions: Solutions,
    name: str,
    role: Role,
    parent: Checkpoint,
    directory: Path,
    steps: int,
    iteration: int,
) -> tuple[Checkpoint, TrainingSet]:
    """Build the training set of some Solutions and go on training `parent` on it; no rows: `parent` itself."""
    start = context.weights(parent)
    rows = build_training_set(context, solutions, directory, name, iteration, start)
    if not rows.rows or not steps:
        return parent, rows
    checkpoint = train_checkpoint(
        context,
        name=name,
        role=role,
        start=start,
        parent=parent,
        directory=directory,
        rows=rows.train_rows,
        steps=steps,
        iteration=iteration,
    )
    return checkpoint, rows


def _equal_steps_base(context: RunContext, initial: Policy, n_rounds: int) -> Policy:
    """The base line: the initial policy trained on the seeds alone for as many further steps as the loop took."""
    directory = context.path / EQUAL_STEPS_BASE
    checkpoint = initial.checkpoint
    for number in range(1, n_rounds + 1):
        checkpoint = _train_on(
            context,
            solutions=seed_solutions(context),
            name=f"equal-steps-base-{number}",
            role="equal_steps_base",
            parent=checkpoint,
            directory=directory / f"{number:03d}",
            steps=context.config.sft.steps,
            iteration=-1,
        )[0]
        context.reporter.check_stop()
    return (
        initial
        if checkpoint is initial.checkpoint
        else _measure(context, checkpoint, directory, -1)
    )


def _measure(
    context: RunContext, checkpoint: Checkpoint, directory: Path, iteration: int
) -> Policy:
    place = directory / "evaluation"
    dev = evaluate(context, checkpoint, place, iteration, "dev")
    test = evaluate(context, checkpoint, place, iteration, "test")
    return Policy(checkpoint, dev, test)


def _is_at_least_as_good(candidate: Evaluation | None, best: Evaluation | None) -> bool:
    """Whether a policy goes on, by pass@1 on dev; without a dev split the newest goes on."""
    if candidate is None or best is None or "1" not in candidate.pass_at or "1" not in best.pass_at:
        return True
    return candidate.pass_at["1"].value >= best.pass_at["1"].value


def _finish_iteration(
    context: RunContext, directory: Path, entry: dict[str, Any], measured: Policy, rows: TrainingSet
) -> None:
    path = directory / "metadata.json"
    if path.exists():
        return
    metadata = {
        **entry,
        "policy": measured.checkpoint.id,
        "checkpoint": measured.checkpoint.path,
        "final_loss": measured.checkpoint.final_loss,
        "finished_at": utc_now(),
    }
    announce_once(
        context,
        "iteration_finished",
        f"Iteration {entry['index']}: {entry['newly_solved']} newly solved, "
        f"{entry['solved_total']} of {entry['problems_total']} in all",
        by="index",
        **entry,
        metadata=metadata,
        dataset_stats=rows.stats,
    )
    write_json(path, metadata)
