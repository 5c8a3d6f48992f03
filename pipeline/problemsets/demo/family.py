"""The built-in problem set `demo`: small Problems whose references are chains of operations.

The Problems, their splits and their order are fixed. Which of the training Problems start with a q
Solution (the seeds) depends on the run's seed and on a `SeedPlan`; all other Solutions stay None,
so that nothing that trains can reach them. `reference_solutions` gives all of them, for tests that
check the family itself.

TestCases are not made here: each Problem carries its reference and its generator of inputs.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from pipeline.problemsets.demo import grammar
from pipeline.problemsets.demo.grammar import Chain, Step
from pipeline.problemsets.demo.operations import OPS, Op
from pipeline.problemsets.demo.screening import is_worthy
from pipeline.problemsets.source import ProblemSource
from pipeline.records import Param, Split, content_hash
from pipeline.seeds import seed_for

FAMILY_SEED = 2024
"""Fixes the Problems and their splits; another value is another family."""

N_PROBLEMS: dict[Split, dict[int, int]] = {
    "test": {2: 135, 3: 150, 4: 75},
    "dev": {2: 40, 3: 40, 4: 20},
    "train": {1: 65, 2: 275, 3: 340, 4: 190},
}
"""How many Problems of how many steps each split has; chains of one step are for training only."""
PROBLEMS_PER_CHAIN = 2
"""At most so many training Problems differ in their constants alone."""
START_WEIGHTS = {"L": 0.5, "S": 0.22, "W": 0.18, "N": 0.1}
"""How often a chain starts from each type."""
MAX_SHARE_OF_OP = 0.09
"""No operation is in a larger share of the chains of one length: few go on from a number."""
_MAX_CANDIDATES = 20_000


@dataclass(frozen=True)
class SeedPlan:
    """Which training Problems start with a Solution; the defaults leave the loop much to find."""

    share: float = 1 / 7
    """Seeds as a share of the training Problems."""
    uncovered_share: float = 0.35
    """Share of the operations that no seed uses; each has a covered one of its kin as a hint."""
    one_step_share: float = 1.0
    """Share of the covered operations with a seed of that operation alone."""
    length_weights: tuple[tuple[int, float], ...] = ((2, 0.5), (3, 0.3), (4, 0.2))
    """How the remaining seeds spread over the numbers of steps."""


@dataclass(frozen=True)
class DemoFamily:
    """The family as one run sees it."""

    problems: tuple[ProblemSource, ...]
    """Training, dev and test Problems in a fixed order; only seeds have a Solution."""
    held_out_keys: frozenset[str]
    """Groups (`grammar.group_key`) of dev and test, which no training row may have."""
    uncovered_ops: tuple[str, ...]
    """Names of the operations that no seed uses."""

    def in_split(self, split: Split) -> tuple[ProblemSource, ...]:
        return tuple(problem for problem in self.problems if problem.split == split)

    @property
    def seeds(self) -> tuple[ProblemSource, ...]:
        return tuple(problem for problem in self.problems if problem.seeded)


@dataclass(frozen=True)
class _Member:
    """A Problem together with its chain, which knows the q."""

    chain: Chain
    source: ProblemSource

    @property
    def ops(self) -> frozenset[str]:
        return frozenset(step.op.name for step in self.chain)


def build_family(seed: int, plan: SeedPlan | None = None) -> DemoFamily:
    """The family with the seeds of one run, the same for the same seed and plan everywhere."""
    rng = random.Random(seed_for(seed, "demo", "seeds"))
    plan = plan or SeedPlan()
    uncovered = _choose_uncovered(rng, plan)
    train = [member for member in _members() if member.source.split == "train"]
    seeds = _choose_seeds(train, uncovered, rng, plan)
    return DemoFamily(
        problems=tuple(
            replace(member.source, solution=grammar.q_program(member.chain), seeded=True)
            if member.source.slug in seeds
            else member.source
            for member in _members()
        ),
        held_out_keys=_held_out_keys(),
        uncovered_ops=tuple(sorted(uncovered)),
    )


def reference_solutions() -> dict[str, str]:
    """The q of every Problem by slug, unseeded ones included: for tests, never for training."""
    return {member.source.slug: grammar.q_program(member.chain) for member in _members()}


def pretraining_programs(
    n: int, seed: int, held_out: Collection[str] = ()
) -> list[tuple[str, str]]:
    """`n` random programs as (Python, description): no q, and no group of dev or test.

    Those groups are the family's own unless `held_out` names them: a run knows them from its Problems, and the family
    takes seconds to build.
    """
    rng = random.Random(seed_for(seed, "demo", "pretraining"))
    held_out = held_out or _held_out_keys()
    programs: list[tuple[str, str]] = []
    while len(programs) < n:
        chain = _random_chain(rng, rng.choices((1, 2, 3, 4), (1, 3, 4, 3))[0], Counter())
        description = grammar.describe(chain)
        if grammar.group_key(description) not in held_out:
            programs.append((_python(chain, rng), description))
    return programs


@lru_cache(maxsize=1)
def _members() -> tuple[_Member, ...]:
    chains: list[tuple[Split, Chain]] = []
    for n_steps in (1, 2, 3, 4):
        chains += _chains_of(n_steps)
    order = ("train", "dev", "test")
    chains.sort(key=lambda item: order.index(item[0]))
    rng = random.Random(seed_for(FAMILY_SEED, "demo", "styles"))
    return tuple(
        _Member(chain, _problem(index, split, chain, rng))
        for index, (split, chain) in enumerate(chains)
    )


@lru_cache(maxsize=1)
def _held_out_keys() -> frozenset[str]:
    return frozenset(m.source.group for m in _members() if m.source.split != "train")


def _chains_of(n_steps: int) -> list[tuple[Split, Chain]]:
    """The chains of one length with their splits: a group goes to one split, whole."""
    rng = random.Random(seed_for(FAMILY_SEED, "demo", "chains", n_steps))
    wanted = {split: counts[n_steps] for split, counts in N_PROBLEMS.items() if n_steps in counts}
    use: Counter[str] = Counter()
    seen: set[Chain] = set()
    split_of: dict[tuple[str, ...], Split] = {}
    n_group: Counter[tuple[str, ...]] = Counter()
    found: list[tuple[Split, Chain]] = []
    for chain in _candidates(rng, n_steps, use):
        group = tuple(step.op.name for step in chain)
        split = (
            split_of.get(group)
            or rng.choices(list(wanted), [max(n, 0) for n in wanted.values()])[0]
        )
        limit = PROBLEMS_PER_CHAIN if split == "train" else 1
        if chain in seen or wanted[split] <= 0 or n_group[group] >= limit:
            continue
        if any(use[op] > 5 + MAX_SHARE_OF_OP * len(found) for op in group) or not is_worthy(chain):
            continue
        seen.add(chain)
        split_of[group] = split
        n_group[group] += 1
        use.update(group)
        wanted[split] -= 1
        found.append((split, chain))
        if not any(n > 0 for n in wanted.values()):
            return found
    raise ValueError(f"too few worthy chains of {n_steps} steps: {wanted} are missing")


def _candidates(rng: random.Random, n_steps: int, use: Counter[str]) -> Iterator[Chain]:
    """Every single operation first, when chains of one step are wanted; then random chains."""
    if n_steps == 1:
        for op in OPS:
            chains = ((_step(op, rng),) for _ in range(_MAX_CANDIDATES // len(OPS)))
            yield from islice(filter(is_worthy, chains), 1)
    for _ in range(_MAX_CANDIDATES):
        yield _random_chain(rng, n_steps, use)


def _random_chain(rng: random.Random, n_steps: int, use: Counter[str]) -> Chain:
    """A chain whose types fit and whose operations differ; those in `use` are the rarer for it."""
    while True:
        given = rng.choices(list(START_WEIGHTS), list(START_WEIGHTS.values()))[0]
        chain: list[Step] = []
        while len(chain) < n_steps:
            taken = {step.op.name for step in chain}
            fitting = [op for op in OPS if op.takes == given and op.name not in taken]
            if not fitting:
                break
            op = rng.choices(fitting, [1 / (3 + use[op.name]) for op in fitting])[0]
            chain.append(_step(op, rng))
            given = op.gives
        else:
            return tuple(chain)


def _step(op: Op, rng: random.Random) -> Step:
    return Step(op, rng.choice(grammar.CONSTANTS) if op.has_constant else None)


def _python(chain: Chain, rng: random.Random) -> str:
    steps = grammar.python_steps(chain)
    nested = grammar.nested_source(steps) if rng.random() >= grammar.STATEMENT_SHARE else None
    return nested or grammar.statement_source(steps)


def _problem(index: int, split: Split, chain: Chain, rng: random.Random) -> ProblemSource:
    description = grammar.describe(chain)
    reference = _python(chain, rng)
    param_type = grammar.TYPES[chain[0].op.takes]
    digest = content_hash([description, reference])[:8]
    return ProblemSource(
        slug=f"demo-{index:04d}-{digest}",
        title=", ".join(step.op.name for step in chain),
        statement=description,
        difficulty={1: "easy", 2: "easy", 3: "medium", 4: "hard"}[len(chain)],
        tags=("demo", f"{len(chain)}-step", f"from-{param_type}"),
        entry_point="f",
        params=(Param(name="x", type=param_type),),
        returns=grammar.TYPES[chain[-1].op.gives],
        comparator="equal",
        reference=reference,
        generator=grammar.generator_source(param_type, grammar.python_steps(chain)),
        solution=None,
        split=split,
        group=grammar.group_key(description),
        seeded=False,
    )


def _choose_uncovered(rng: random.Random, plan: SeedPlan) -> set[str]:
    """Operations to leave to the loop: never all of a kin, and none that nothing hints at."""
    n_kin = Counter(op.kin for op in OPS if op.kin)
    wanted = round(plan.uncovered_share * len(OPS))
    uncovered: set[str] = set()
    for op in rng.sample(OPS, len(OPS)):
        if len(uncovered) < wanted and n_kin[op.kin] > 1:
            n_kin[op.kin] -= 1
            uncovered.add(op.name)
    return uncovered


def _choose_seeds(
    train: Sequence[_Member], uncovered: set[str], rng: random.Random, plan: SeedPlan
) -> set[str]:
    """Slugs of the seeds: single operations, then longer chains of rarely seen operations."""
    eligible = [m for m in rng.sample(train, len(train)) if not m.ops & uncovered]
    by_length: dict[int, list[_Member]] = defaultdict(list)
    for member in eligible:
        by_length[len(member.chain)].append(member)
    n_seeds = round(plan.share * len(train))
    singles = {next(iter(m.ops)): m for m in reversed(by_length[1])}
    seeds = list(singles.values())[: min(n_seeds, round(plan.one_step_share * len(singles)))]
    seen = Counter(op for member in seeds for op in member.ops)
    for n_steps, wanted in _split_evenly(n_seeds - len(seeds), plan.length_weights):
        pool = by_length[n_steps]
        for _ in range(min(wanted, len(pool))):
            best = min(pool, key=lambda m: sum(seen[op] for op in m.ops) / len(m.ops))
            seeds.append(best)
            seen.update(best.ops)
            pool = [member for member in pool if member.source.group != best.source.group]
    return {member.source.slug for member in seeds}


def _split_evenly(total: int, weights: Sequence[tuple[int, float]]) -> list[tuple[int, int]]:
    """`total` shared out by weight, with nothing lost to rounding."""
    whole = sum(weight for _, weight in weights)
    shares: list[tuple[int, int]] = []
    reached, given = 0.0, 0
    for name, weight in weights:
        reached += weight
        share = round(total * reached / whole) - given
        given += share
        shares.append((name, share))
    return shares
