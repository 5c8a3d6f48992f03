"""The demo family: fixed Problems, clean splits, seeds by the run's seed, and q that is right."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from functools import lru_cache

import pytest

from pipeline.config import AcceptanceConfig
from pipeline.mutation.kill_rate import kill_reports, mutant_pool
from pipeline.problemsets.demo import SeedPlan, build_family, pretraining_programs
from pipeline.problemsets.demo.family import DemoFamily, reference_solutions
from pipeline.problemsets.demo.grammar import (
    MAX_STEPS,
    group_key,
    nested_source,
    split_description,
    statement_source,
)
from pipeline.problemsets.demo.operations import OPS
from pipeline.problemsets.materialise import materialise
from pipeline.problemsets.source import ProblemSource
from pipeline.typed_values import to_wire, to_wire_arguments
from q_runtime import PythonPool, Session

PYTHON_TYPES = {
    "list[int]": (list, int),
    "int": (int, None),
    "str": (str, None),
    "list[str]": (list, str),
}


@lru_cache
def family(seed: int = 0) -> DemoFamily:
    return build_family(seed)


def answered_inputs(problem: ProblemSource, n: int) -> list[tuple[tuple, object]]:
    """Inputs of the Problem's generator with the reference's answers."""
    names: dict = {}
    exec(problem.generator, names)
    exec(problem.reference, names)
    arguments = [names["generate"](random.Random(f"7:{index}")) for index in range(n)]
    return [(values, names["f"](*values)) for values in arguments]


def ops_of(problem: ProblemSource) -> tuple[str, ...]:
    return tuple(problem.title.split(", "))


def test_the_splits_have_the_promised_sizes():
    sizes = {split: len(family().in_split(split)) for split in ("train", "dev", "test")}

    assert sizes["train"] >= 850
    assert sizes["dev"] >= 100
    assert sizes["test"] >= 360
    assert len({problem.slug for problem in family().problems}) == len(family().problems)


def test_no_sequence_of_operations_is_in_two_splits():
    splits: dict[tuple[str, ...], set[str]] = {}
    for problem in family().problems:
        splits.setdefault(ops_of(problem), set()).add(problem.split)

    assert all(len(found) == 1 for found in splits.values())


def test_a_group_is_a_sequence_of_operations():
    pairs = {(ops_of(problem), problem.group) for problem in family().problems}

    assert len({ops for ops, _ in pairs}) == len(pairs) == len({group for _, group in pairs})


def test_every_operation_is_in_training_alone_and_in_the_test_split():
    singles = {ops_of(p)[0] for p in family().in_split("train") if len(ops_of(p)) == 1}
    tested = {op for problem in family().in_split("test") for op in ops_of(problem)}

    assert singles == tested == {op.name for op in OPS}
    assert all(len(ops_of(problem)) > 1 for problem in family().in_split("test"))


def test_held_out_keys_are_the_groups_of_dev_and_test():
    held_out = {p.group for p in family().problems if p.split != "train"}

    assert held_out == family().held_out_keys
    assert not held_out & {problem.group for problem in family().in_split("train")}


def test_only_seeds_carry_a_solution():
    assert all((problem.solution is not None) == problem.seeded for problem in family().problems)
    assert all(problem.split == "train" for problem in family().seeds)
    assert round(len(family().in_split("train")) / len(family().seeds)) == 7


def test_other_run_seeds_choose_other_seeds_of_the_same_problems():
    chosen = [{problem.slug for problem in family(seed).seeds} for seed in (0, 1, 2)]

    assert len({frozenset(slugs) for slugs in chosen}) == 3
    assert len({tuple(p.slug for p in family(seed).problems) for seed in (0, 1, 2)}) == 1


def test_another_process_builds_the_same_family():
    code = (
        "from pipeline.problemsets.demo import build_family\n"
        "from pipeline.records import content_hash\n"
        "print(content_hash([[p.slug, p.solution] for p in build_family(3).problems]))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    }

    assert len(digests) == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_uncovered_operations_are_in_no_seed_and_have_a_covered_kin(seed):
    kin = {op.name: op.kin for op in OPS}
    uncovered = set(family(seed).uncovered_ops)
    covered = {op for problem in family(seed).seeds for op in ops_of(problem)}

    assert len(uncovered) == round(0.35 * len(OPS))
    assert covered == set(kin) - uncovered
    assert {kin[op] for op in uncovered} <= {kin[op] for op in covered} - {""}


def test_the_seed_plan_is_obeyed():
    plan = SeedPlan(share=0.1, uncovered_share=0.0, one_step_share=0.5, length_weights=((2, 1.0),))
    seeds = build_family(0, plan).seeds
    lengths = Counter(len(ops_of(problem)) for problem in seeds)

    assert len(seeds) == round(0.1 * len(family().in_split("train")))
    assert lengths == {1: round(0.5 * len(OPS)), 2: len(seeds) - round(0.5 * len(OPS))}


def test_references_answer_every_generated_input_and_the_answers_vary():
    for problem in family().problems:
        kind, item_kind = PYTHON_TYPES[problem.returns]
        answers = [answer for _, answer in answered_inputs(problem, 12)]

        assert all(type(answer) is kind for answer in answers), problem.slug
        assert all(type(item) is item_kind for a in answers if kind is list for item in a)
        assert all(answer not in ([], "") for answer in answers), problem.slug
        assert all(abs(answer) < 10**12 for answer in answers if kind is int), problem.slug
        assert len(set(map(repr, answers))) >= 3, problem.slug


def test_python_comes_in_two_styles():
    nested = sum(p.reference.count("\n") == 2 for p in family().problems if len(ops_of(p)) > 1)

    assert 0.2 < nested / len(family().problems) < 0.5


def test_a_nested_reference_answers_as_its_statements_do():
    steps = ("[v * 3 for v in x]", "sum(x)", "x + 2", "x * 4")
    names: list[dict] = [{}, {}]
    exec(statement_source(steps), names[0])
    exec(nested_source(steps), names[1])

    assert names[0]["f"]([1, 2, 3]) == names[1]["f"]([1, 2, 3]) == 80


def test_a_value_that_is_named_twice_is_not_nested():
    assert nested_source(("sorted(x)", "[b - a for a, b in zip(x, x[1:])]")) is None


def test_a_description_of_another_form_is_refused():
    with pytest.raises(ValueError, match="not a description of the demo family"):
        split_description("Add two numbers.")


def test_pretraining_programs_hold_no_q_and_nothing_held_out():
    programs = pretraining_programs(500, seed=0)

    assert programs == pretraining_programs(500, seed=0) != pretraining_programs(500, seed=1)
    assert not family().held_out_keys & {group_key(text) for _, text in programs}
    assert not any(re.search(r"\{.*\}", python + text) for python, text in programs)
    assert all(len(split_description(text)[1]) <= MAX_STEPS for _, text in programs)


def test_every_reference_solution_is_right():
    solutions = reference_solutions()
    session = Session()
    wrong = []
    for problem in family().problems:
        session.define("f", solutions[problem.slug])
        for values, answer in answered_inputs(problem, 10):
            arguments = to_wire_arguments(values, [param.type for param in problem.params])
            actual = session.apply_wire("f", arguments)
            if actual != to_wire(answer, problem.returns):
                wrong.append((solutions[problem.slug], values, answer, actual))

    assert len(solutions) == len(family().problems)
    assert wrong == []


def test_the_tests_tell_mutants_of_the_references():
    sources = family().in_split("train")[::30]
    with PythonPool(n_workers=1) as pool:
        problems = [item.problem("demo") for item in materialise(sources, pool)]
    with mutant_pool(1) as pool:
        suites = [(problem, problem.tests) for problem in problems]
        reports = kill_reports(suites, pool, AcceptanceConfig().max_mutants, 0, together=16)

    needed = AcceptanceConfig().min_kill_rate
    rates = {report.problem: report.rate for report in reports}
    assert len(rates) >= 28
    assert {slug: rate for slug, rate in rates.items() if rate is None or rate < needed} == {}
