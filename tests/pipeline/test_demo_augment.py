"""Digit swaps and splices of accepted Programs: right, new, short, and never of a held-out group."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import pytest

from pipeline.problemsets.demo import (
    ProgramRow,
    accepted_row,
    build_family,
    digit_swaps,
    splices,
)
from pipeline.problemsets.demo.augment import q_statements
from pipeline.problemsets.demo.grammar import MAX_STEPS, split_description
from pipeline.typed_values import to_wire, to_wire_arguments
from q_runtime import Session


@lru_cache
def seed_rows() -> tuple[ProgramRow, ...]:
    return tuple(accepted_row(problem, problem.solution) for problem in build_family(0).seeds)


@lru_cache
def swapped() -> tuple[ProgramRow, ...]:
    return tuple(digit_swaps(seed_rows(), random.Random(1)))


@lru_cache
def spliced() -> tuple[ProgramRow, ...]:
    held_out = build_family(0).held_out_keys
    return tuple(splices(seed_rows(), random.Random(2), 600, held_out))


def answered_inputs(row: ProgramRow, n: int) -> list[tuple[tuple, object]] | None:
    """Inputs of the row's generator with its Python's answers; None where it has no sound inputs."""
    names: dict = {}
    exec(row.generator, names)
    exec(row.reference, names)
    try:
        arguments = [names["generate"](random.Random(f"3:{index}")) for index in range(n)]
    except RuntimeError:
        return None
    return [(values, names["f"](*values)) for values in arguments]


def row_of(slug_part: str, program: str) -> ProgramRow:
    """An accepted row of the one-step Problem of an operation, with a Program of our choice."""
    problem = next(p for p in build_family(0).problems if p.title == slug_part)
    return accepted_row(problem, program)


def test_rows_that_are_made_are_right():
    session = Session()
    n_sound, n_wrong = Counter(), Counter()
    for row in (*swapped(), *spliced()):
        inputs = answered_inputs(row, 5) or []
        n_sound[row.origin] += bool(inputs)
        session.define("f", row.program)
        n_wrong[row.origin] += any(
            session.apply_wire("f", to_wire_arguments(values, [row.param_type]))
            != to_wire(answer, row.returns)
            for values, answer in inputs
        )

    assert n_sound["splice"] > 0.8 * len(spliced())
    assert n_sound["digit_swap"] > 0.8 * len(swapped())
    assert n_wrong["splice"] == 0
    assert n_wrong["digit_swap"] < 0.05 * len(swapped())


def test_rows_of_one_kind_are_new_and_differ():
    for made in (swapped(), spliced()):
        rows = [*seed_rows(), *made]

        assert len({row.claim for row in rows}) == len(rows)
    assert len(swapped()) > 100
    assert len(spliced()) == 600


def test_a_digit_swap_keeps_the_group():
    groups = {row.key: row.group for row in seed_rows()}

    assert all(row.group == groups[row.parents[0]] for row in swapped())


def test_a_digit_swap_changes_python_text_and_q():
    row = next(row for row in seed_rows() if re.search("[2-9]", row.description))
    new = digit_swaps([row], random.Random(0))[0]

    assert new.reference != row.reference
    assert new.description != row.description
    assert new.program != row.program


def test_no_splice_is_of_a_held_out_group_or_too_long():
    held_out = build_family(0).held_out_keys

    assert not held_out & {row.group for row in spliced()}
    assert all(len(split_description(row.description)[1]) <= MAX_STEPS for row in spliced())


def test_a_held_out_group_is_left_out_of_splices():
    rows = [row_of("asc", "{asc x}"), row_of("sum", "{sum x}")]
    groups = {row.group for row in splices(rows, random.Random(0), 50, ())}
    held_out = min(groups)

    assert held_out not in {row.group for row in splices(rows, random.Random(0), 50, {held_out})}


def test_a_splice_joins_programs_of_another_form():
    rows = [row_of("reverse", "{y:reverse x;y}"), row_of("sum", "{(+/) x}")]
    programs = {row.program for row in splices(rows, random.Random(0), 50, ())}

    assert "{y:reverse x;x:y;(+/) x}" in programs


def test_rarely_seen_steps_are_joined_more_often():
    common = row_of("asc", "{asc x}")
    rare = row_of("neg", "{neg x}")
    rows = [*(replace(common, program=f"{{asc x+{n}}}") for n in range(50)), rare]
    made = splices(rows, random.Random(0), 40, ())

    assert sum(rare.key in row.parents for row in made) > len(made) / 2


@pytest.mark.parametrize(
    ("program", "statements"),
    [
        ("{sum x}", ("sum x",)),
        ("{x:x where x>3; y:(1;2); sum x}", ("x:x where x>3", "y:(1;2)", "sum x")),
        ('{x:";" vs x;first x}', ('x:";" vs x', "first x")),
        ('{x:x except "\\";";x}', ('x:x except "\\";"', "x")),
        ("{[y] sum y}", None),
        ("{:x;sum x}", None),
        ("{sum x;}", None),
        ("sum", None),
        ("{x}}{x}", None),
        ("{x", None),
    ],
)
def test_statements_of_a_lambda(program, statements):
    assert q_statements(program) == statements


def test_no_rows_give_no_splices():
    assert splices([], random.Random(0), 10, ()) == []
