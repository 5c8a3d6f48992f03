"""The training set of one round: accepted Programs as rows, and what can be proven from them.

Every row that was not accepted itself (a constant changed, two Programs joined) is executed before use: its own Python
answers drawn inputs in the sandbox, and the q must give the same. Rows of the demo family can be augmented; rows of
other sets are used as they are.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import AugmentConfig
from pipeline.judging import Candidate
from pipeline.problemsets.demo.augment import ProgramRow, digit_swaps, splices
from pipeline.prompts.render import demo_prompt, render_completion
from pipeline.records import Param, Problem, Solution, TestCase, VerdictKind
from pipeline.references import drawn_together
from pipeline.rundir import read_json, write_json
from pipeline.seeds import seed_for
from pipeline.stages.context import RunContext
from pipeline.suite import TestSuite
from pipeline.trainers.base import TrainRow

AUGMENTED_SETS = ("demo",)
PROOF_INPUTS = 8
"""Inputs on which an augmented row is proven."""
MIN_PROOF_INPUTS = 4


@dataclass(frozen=True)
class TrainingSet:
    """Rows to train on, each with where it came from, and their counts."""

    rows: tuple[dict[str, Any], ...]
    """`{"prompt", "completion", "origin", "problem", "parents"}`: the keys of the Solutions that a row is made of."""
    stats: dict[str, Any]

    @property
    def train_rows(self) -> list[TrainRow]:
        return [TrainRow(row["prompt"], row["completion"]) for row in self.rows]


def build_training_set(
    context: RunContext,
    solutions: Mapping[str, Sequence[Solution]],
    directory: Path,
    name: str,
    iteration: int,
    policy: str,
) -> TrainingSet:
    """The rows of one round, from disk when they are there; also writes `dataset.json` and `dataset_stats.json`.

    `policy` is where the tokenizer is that decides the Prompt's format.
    """
    path, stats_path = directory / "dataset.json", directory / "dataset_stats.json"
    if stats_path.exists() and path.exists():
        return TrainingSet(tuple(read_json(path)), read_json(stats_path))
    with context.reporter.stage("dataset", iteration, f"Building the training set of {name}"):
        chosen = _chosen(solutions, context.config.sft.programs_per_problem)
        rows = _solution_rows(context, chosen, policy) if chosen else []
        claimed = _augmented(context, chosen, name)
        proven = _proven(context, claimed)
        rows += [_augmented_row(row) for row in proven]
        stats = {
            "rows": len(rows),
            "problems": len({solution.problem for solution in chosen}),
            "by_origin": dict(Counter(row["origin"] for row in rows)),
            "by_solution_origin": dict(Counter(solution.origin for solution in chosen)),
            "augmented_claimed": len(claimed),
            "augmented_refuted": len(claimed) - len(proven),
        }
        write_json(path, rows)
        write_json(stats_path, stats)
    return TrainingSet(tuple(rows), stats)


def _chosen(solutions: Mapping[str, Sequence[Solution]], limit: int) -> list[Solution]:
    """At most `limit` Solutions per Problem, in the order of acceptance; evaluation-only sets never get here."""
    return [solution for slug in sorted(solutions) for solution in solutions[slug][:limit]]


def _solution_rows(
    context: RunContext, chosen: Sequence[Solution], policy: str
) -> list[dict[str, Any]]:
    from pipeline.generators.hf import PromptRenderer

    renderer = PromptRenderer(policy, context.config.policy.prompt_format)
    return [
        {
            "prompt": renderer.prompt(context.problems[solution.problem]).text,
            "completion": render_completion(solution.program, renderer.format),
            "origin": "solution",
            "problem": solution.problem,
            "parents": [solution.key],
        }
        for solution in chosen
    ]


def _augmented(context: RunContext, chosen: Sequence[Solution], name: str) -> list[ProgramRow]:
    """Claims made from the accepted Programs of the demo family, drawn anew for each round."""
    settings: AugmentConfig = context.config.augment
    sources = [
        _program_row(context.problems[solution.problem], solution)
        for solution in chosen
        if context.problems[solution.problem].problem_set in AUGMENTED_SETS
    ]
    if not sources or context.config.policy.base != "demo":
        return []
    held_out = {p.group for p in context.problems.values() if p.split != "train"}
    rng = random.Random(seed_for(context.config.seed, "augment", name))
    n = min(settings.max_splices, round(settings.splices_per_program * len(sources)))
    claims = digit_swaps(sources, rng, settings.digit_swaps) + splices(sources, rng, n, held_out)
    # A row that happens to be an unsolved Problem would hand over what the loop is to find.
    unsolved = {p.statement for p in context.train} - {row.description for row in sources}
    return list(
        {claim.claim: claim for claim in claims if claim.description not in unsolved}.values()
    )


def _proven(context: RunContext, claims: Sequence[ProgramRow]) -> list[ProgramRow]:
    """The claims that execution confirms, in their order."""
    by_slug = {row.key: row for row in claims}
    problems = {slug: _as_problem(row) for slug, row in by_slug.items()}
    seed = seed_for(context.config.seed, "proof")
    context.reporter.begin("dataset", 0, "Proving augmented rows", total=len(problems))
    suites: dict[str, TestSuite] = {}
    drawn = drawn_together(problems.values(), context.python_pool, PROOF_INPUTS, seed)
    for done, (slug, tests) in enumerate(drawn, start=1):
        if len(tests) >= MIN_PROOF_INPUTS:
            suites[slug] = TestSuite(problems[slug], tests)
        context.reporter.progress(done)
    candidates = [Candidate(slug, by_slug[slug].program) for slug in by_slug if slug in suites]
    verdicts = context.judge.judge(candidates, suites)
    context.reporter.check_stop()
    return [
        by_slug[candidate.problem]
        for candidate, verdict in zip(candidates, verdicts, strict=True)
        if verdict.kind is VerdictKind.PASSED
    ]


def _program_row(problem: Problem, solution: Solution) -> ProgramRow:
    return ProgramRow(
        key=solution.key,
        origin="accepted",
        reference=problem.reference,
        description=problem.statement,
        program=solution.program,
        param_type=problem.params[0].type,
        returns=problem.returns,
        generator=problem.generator,
    )


def _as_problem(row: ProgramRow) -> Problem:
    """An augmented row in the shape that the sandbox and the grader take."""
    no_tests: tuple[TestCase, ...] = ()
    return Problem(
        slug=row.key,
        title=row.origin,
        statement=row.description,
        entry_point="f",
        params=(Param(name="x", type=row.param_type),),
        returns=row.returns,
        reference=row.reference,
        generator=row.generator,
        tests=no_tests,
        problem_set="augmented",
        split="train",
        group=row.group,
    )


def _augmented_row(row: ProgramRow) -> dict[str, Any]:
    return {
        "prompt": demo_prompt(row.reference, row.description),
        "completion": render_completion(row.program, "demo"),
        "origin": row.origin,
        "problem": "",
        "parents": list(row.parents),
    }
