"""Draw Programs from a policy and judge them: the Attempts of one purpose in one Iteration.

A batch of Problems is the unit: it is drawn from one seed, judged while the next is drawn, and written whole. What is
already in the file is not drawn again, so a resumed run has the same Attempts as one that was never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import GradingError
from pipeline.extraction import extract_program
from pipeline.generators.base import Generator
from pipeline.judging import Candidate
from pipeline.records import (
    Attempt,
    Completion,
    Problem,
    Prompt,
    Purpose,
    Verdict,
    VerdictKind,
    content_hash,
)
from pipeline.rundir import append_records, read_records
from pipeline.seeds import seed_for
from pipeline.stages.announcing import announce_rest
from pipeline.stages.context import RunContext

PROMPTS = "prompts.jsonl"


@dataclass(frozen=True)
class DrawPlan:
    """What to draw, from whom, and where to write it."""

    purpose: Purpose
    iteration: int
    policy: str
    path: Path
    k: int
    temperature: float
    max_new_tokens: int
    problems_per_batch: int
    seed: int

    def attempt_id(self, slug: str, sample_index: int) -> str:
        """The identity of one Attempt, known before it is drawn."""
        return content_hash([self.purpose, self.iteration, self.policy, slug, sample_index])[:32]


def draw_attempts(
    context: RunContext, generator: Generator, problems: Sequence[Problem], plan: DrawPlan
) -> list[Attempt]:
    """All Attempts of a plan, drawn or already on disk, ordered by Problem and sample index.

    Raises: GradingError when more of them than the settings allow could not be judged through a fault of ours; the
    batch with which it happened is not written, so that a resumed run draws and judges it again.
    """
    known = {attempt.id: attempt for attempt in read_records(plan.path, Attempt)}
    told = {"purpose": plan.purpose, "iteration": plan.iteration}
    announce_rest(context, "attempts", plan.path, len(known), **told)
    prompts = {problem.slug: generator.prompt(problem) for problem in problems}
    _write_prompts(context, prompts)
    done = 0
    for batch, attempts in _batches(context, generator, problems, prompts, plan, known):
        fresh = [attempt for attempt in attempts if attempt.id not in known]
        if fresh:
            _refuse_faults(context, [*known.values(), *fresh], len(problems) * plan.k)
            append_records(plan.path, fresh)
            context.reporter.event(
                "attempts",
                f"{len(fresh)} Attempts judged",
                path=context.relative(plan.path),
                n=len(fresh),
                **told,
            )
        known.update((attempt.id, attempt) for attempt in fresh)
        done += len(batch) * plan.k
        context.reporter.progress(done)
        context.reporter.check_stop()
    return [
        known[plan.attempt_id(problem.slug, index)]
        for problem in problems
        for index in range(plan.k)
    ]


def _batches(
    context: RunContext,
    generator: Generator,
    problems: Sequence[Problem],
    prompts: dict[str, Prompt],
    plan: DrawPlan,
    known: dict[str, Attempt],
) -> Iterator[tuple[Sequence[Problem], list[Attempt]]]:
    """Batches in order of prompt length (little padding); judging of one overlaps drawing of the next."""
    ordered = sorted(problems, key=lambda problem: (len(prompts[problem.slug].text), problem.slug))
    size = plan.problems_per_batch
    waiting: tuple[Sequence[Problem], Future[list[Attempt]]] | None = None
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge") as executor:
        for number, start in enumerate(range(0, len(ordered), size)):
            batch = ordered[start : start + size]
            ids = [
                plan.attempt_id(problem.slug, index) for problem in batch for index in range(plan.k)
            ]
            if all(key in known for key in ids):
                yield batch, []
                continue
            seed = seed_for(plan.seed, plan.purpose, plan.iteration, number)
            texts = [prompts[problem.slug].text for problem in batch]
            drawn = generator.sample(texts, plan.k, plan.temperature, plan.max_new_tokens, seed)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = (batch, executor.submit(_judged, context, batch, prompts, drawn, plan))
        if waiting is not None:
            yield waiting[0], waiting[1].result()


def _judged(
    context: RunContext,
    batch: Sequence[Problem],
    prompts: dict[str, Prompt],
    drawn: Sequence[Sequence[Completion]],
    plan: DrawPlan,
) -> list[Attempt]:
    candidates = [
        Candidate(problem.slug, extract_program(completion.text))
        for problem, completions in zip(batch, drawn, strict=True)
        for completion in completions
    ]
    verdicts = context.judge.judge(candidates, context.suites_of(batch))
    completions = [completion for row in drawn for completion in row]
    places = [(problem, index) for problem in batch for index in range(plan.k)]
    return [
        _attempt(plan, problem, index, prompts[problem.slug], completion, candidate, verdict)
        for (problem, index), completion, candidate, verdict in zip(
            places, completions, candidates, verdicts, strict=True
        )
    ]


def _attempt(
    plan: DrawPlan,
    problem: Problem,
    index: int,
    prompt: Prompt,
    completion: Completion,
    candidate: Candidate,
    verdict: Verdict,
) -> Attempt:
    return Attempt(
        id=plan.attempt_id(problem.slug, index),
        purpose=plan.purpose,
        iteration=plan.iteration,
        problem=problem.slug,
        sample_index=index,
        policy=plan.policy,
        prompt_id=prompt.id,
        completion=completion,
        program=candidate.program,
        verdict=verdict,
        split=problem.split,
    )


def _refuse_faults(context: RunContext, attempts: Sequence[Attempt], n_in_all: int) -> None:
    faults = [each for each in attempts if each.verdict.kind is VerdictKind.INFRA_ERROR]
    share = context.config.loop.max_infra_share
    if len(faults) > share * n_in_all:
        raise GradingError(
            f"{len(faults)} of {n_in_all} Attempts could not be judged through a fault of ours, more than "
            f"loop.max_infra_share = {share:g} allows; the last: {faults[-1].verdict.reason}; "
            "see to it that this machine is well, and resume the run"
        )


def _write_prompts(context: RunContext, prompts: dict[str, Prompt]) -> None:
    path = context.path / PROMPTS
    written = {prompt.id for prompt in read_records(path, Prompt)}
    announce_rest(context, "prompts", path, len(written))
    fresh = [prompt for prompt in prompts.values() if prompt.id not in written]
    if fresh:
        append_records(path, fresh)
        context.reporter.event(
            "prompts", f"{len(fresh)} Prompts rendered", path=PROMPTS, n=len(fresh)
        )
