"""What a Run takes from the database: the Problems and the Solutions it may know, as files in its directory.

The rule that no q of an unsolved Problem reaches a Run is kept here: only reference and human Solutions of training
Problems go in, never those that another Run found, never those of evaluation-only Problems, of the demo family only its
seeds, and nothing that is in quarantine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from pipeline import records
from pipeline.config import RunConfig
from pipeline.problemsets.demo import build_family
from pipeline.records import content_hash
from qstudio.problems.builtin import sets_version
from qstudio.problems.models import Problem, Solution
from qstudio.problems.quarantine import quarantined_keys
from qstudio.problems.services import problem_record, solution_record

DEMO_SET = "demo"


class SnapshotError(Exception):
    """The settings ask for Problems that are not there; `str(error)` is one sentence for a person."""


@dataclass(frozen=True)
class Snapshot:
    """The frozen input of one Run."""

    problems: tuple[records.Problem, ...]
    solutions: tuple[records.Solution, ...]
    n_train: int
    """Training Problems that the Run will sample."""
    n_seeds: int
    """Those of them that are solved from the start."""


def take_snapshot(config: RunConfig) -> Snapshot:
    """The Problems and Solutions for a Run. Raises: SnapshotError."""
    wanted = config.problems
    rows = list(
        Problem.objects.filter(problem_set__in={*wanted.sets, *wanted.seed_sets}).prefetch_related(
            "tests"
        )
    )
    present = {row.problem_set for row in rows}
    for name in (*wanted.sets, *wanted.seed_sets):
        if name not in present:
            known = sorted(
                Problem.objects.order_by().values_list("problem_set", flat=True).distinct()
            )
            raise SnapshotError(
                f"there are no Problems in the set {name!r}; import them, or choose from: "
                f"{', '.join(known) or 'none yet (run manage.py load_problems)'}"
            )
    train = [row for row in rows if row.split == Problem.Split.TRAIN and not row.is_evaluation_only]
    sampled = {row.slug for row in train if row.problem_set in wanted.sets}
    if not sampled:
        raise SnapshotError(
            f"no training Problem in {', '.join(wanted.sets)}: the loop would have nothing to solve; "
            "add a set with a train split"
        )
    solutions = _known_solutions(config, train)
    # The stage that samples draws a limited number in the same way (`pipeline.stages.context`).
    drawn = sorted(sampled, key=content_hash)[: wanted.max_train]
    n_solved = len({solution.problem for solution in solutions} & set(drawn))
    return Snapshot(
        problems=tuple(problem_record(row) for row in rows),
        solutions=solutions,
        n_train=len(drawn),
        n_seeds=n_solved,
    )


def _known_solutions(config: RunConfig, train: list[Problem]) -> tuple[records.Solution, ...]:
    stored = (
        Solution.objects.usable()
        .filter(problem__in=[row.pk for row in train], run_key="")
        .filter(origin__in=(Solution.Origin.REFERENCE, Solution.Origin.HUMAN))
        .exclude(problem__problem_set=DEMO_SET)
        .select_related("problem")
        .order_by("problem__slug", "key")
    )
    found = [solution_record(row) for row in stored]
    if DEMO_SET in {row.problem_set for row in train}:
        found += _demo_seeds(config.seed, {row.slug for row in train})
    return tuple(found)


def _demo_seeds(seed: int, slugs: set[str]) -> list[records.Solution]:
    """Which demo Problems start solved depends on the Run's seed, so the family is asked and not the database."""
    provenance: dict[str, Any] = {"author": "QStudio", "licence": "Apache-2.0", "seed": seed}
    # Building the family takes seconds, which a person at the launch form should wait for once only.
    key = f"demo-seeds-{sets_version()[:16]}-{seed}"
    programs = cache.get_or_set(key, lambda: _seed_programs(seed), timeout=None) or {}
    seeds = [
        records.Solution(problem=slug, program=program, origin="reference", provenance=provenance)
        for slug, program in programs.items()
        if slug in slugs
    ]
    quarantined = quarantined_keys(solution.key for solution in seeds)
    return [solution for solution in seeds if solution.key not in quarantined]


def _seed_programs(seed: int) -> dict[str, str]:
    return {
        source.slug: source.solution
        for source in build_family(seed).seeds
        if source.solution is not None
    }
