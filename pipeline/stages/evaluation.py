"""Measure a policy on a split that the loop never trains on: pass@k with intervals clustered by Problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.metrics import pass_at_k_interval
from pipeline.records import (
    Attempt,
    Checkpoint,
    Evaluation,
    Interval,
    Split,
    VerdictKind,
    content_hash,
)
from pipeline.rundir import read_records, write_records
from pipeline.stages.announcing import announce_once
from pipeline.stages.context import RunContext
from pipeline.stages.sampling import DrawPlan, draw_attempts


def evaluate(
    context: RunContext, policy: Checkpoint, directory: Path, iteration: int, split: Split
) -> Evaluation | None:
    """The Evaluation of a policy on one split, from disk when it is there; None when the split is empty."""
    path = directory / f"{split}.json"
    if found := next(read_records(path, Evaluation), None):
        _announce(context, found)
        return found
    problems = context.held_out(split)
    if not problems:
        return None
    settings = context.config.evaluation
    plan = DrawPlan(
        purpose="evaluation",
        iteration=iteration,
        policy=policy.id,
        path=directory / f"{split}_attempts.jsonl",
        k=settings.samples,
        temperature=settings.temperature,
        max_new_tokens=settings.max_new_tokens,
        problems_per_batch=settings.problems_per_batch,
        seed=settings.seed,
    )
    message = f"Evaluating {policy.id} on {len(problems)} {split} Problems"
    total = len(problems) * settings.samples
    with context.reporter.stage("evaluation", iteration, message, total=total):
        generator = context.generator(policy)
        attempts = draw_attempts(context, generator, problems, plan)
        record = summarise(context, attempts, policy, iteration, split, generator.prompt_format)
        write_records(path, [record])
        _announce(context, record)
    return record


def _announce(context: RunContext, record: Evaluation) -> None:
    fields = record.model_dump(mode="json")
    announce_once(context, "evaluation", _sentence(record), by="id", **fields)


def summarise(
    context: RunContext,
    attempts: Sequence[Attempt],
    policy: Checkpoint,
    iteration: int,
    split: Split,
    prompt_format: str,
) -> Evaluation:
    """Count Attempts into pass@k. Faults of ours are outside the first denominator and inside the second."""
    settings = context.config.evaluation
    scored: dict[str, tuple[int, int]] = {}
    all_in: dict[str, tuple[int, int]] = {}
    for attempt in attempts:
        passed = int(attempt.verdict.kind is VerdictKind.PASSED)
        _add(all_in, attempt.problem, 1, passed)
        _add(scored, attempt.problem, int(attempt.verdict.kind.is_scored), passed)
    ks = [k for k in settings.ks if k <= settings.samples]
    return Evaluation(
        id=content_hash([policy.id, split, iteration, settings.model_dump(mode="json")])[:16],
        iteration=iteration,
        policy=policy.id,
        split=split,
        n_problems=len(all_in),
        n_samples=settings.samples,
        temperature=settings.temperature,
        pass_at=_pass_at(scored, ks, settings.resamples, settings.seed),
        pass_at_all_in=_pass_at(all_in, ks, settings.resamples, settings.seed),
        verdicts=dict(Counter(attempt.verdict.kind.value for attempt in attempts)),
        per_problem=scored,
        grader=attempts[0].verdict.grader,
        engine=context.judge.engine,
        engine_version=context.judge.engine_version,
        prompt_format=prompt_format,
    )


def _pass_at(
    counts: dict[str, tuple[int, int]], ks: Sequence[int], resamples: int, seed: int
) -> dict[str, Interval]:
    found = {str(k): pass_at_k_interval(counts, k, resamples, seed) for k in ks}
    return {k: interval for k, interval in found.items() if interval is not None}


def _add(counts: dict[str, tuple[int, int]], slug: str, n: int, c: int) -> None:
    before = counts.get(slug, (0, 0))
    counts[slug] = (before[0] + n, before[1] + c)


def _sentence(record: Evaluation) -> str:
    first = record.pass_at.get("1")
    if first is None:
        return f"{record.policy} on {record.split}: no Attempt could be scored"
    return (
        f"{record.policy} on {record.split}: pass@1 {first.value:.1%} [{first.low:.1%}, {first.high:.1%}] "
        f"over {record.n_problems} Problems"
    )
