"""New training rows from accepted Programs: one constant changed, or two programs joined.

Both work on what a policy may see of a solved Problem: its Python, its description and the Program
that was accepted for it. The q of an unsolved Problem cannot come in, because nothing here knows
the operations. A row made here is a claim; the caller proves it by running the reference on inputs
of the row's generator and the Program against the answers.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.problemsets.demo import grammar
from pipeline.problemsets.source import ProblemSource
from pipeline.records import content_hash, solution_key

_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class ProgramRow:
    """A Program with the Python and the description that it belongs to."""

    key: str
    """Key of the Solution, or a content hash for a row that was made here."""
    origin: Literal["accepted", "digit_swap", "splice"]
    reference: str
    """Python source that defines `f`."""
    description: str
    program: str
    param_type: str
    returns: str
    generator: str
    parents: tuple[str, ...] = ()
    """Keys of the Solutions that this one was made from."""

    @property
    def group(self) -> str:
        """Rows that differ in constants only share it."""
        return grammar.group_key(self.description)

    @property
    def claim(self) -> tuple[str, str, str]:
        """What makes two rows the same training example."""
        return (self.reference, self.description, self.program)


def accepted_row(problem: ProblemSource, program: str) -> ProgramRow:
    """The row of a Program that was accepted for a Problem of the family."""
    return ProgramRow(
        key=solution_key(problem.slug, program),
        origin="accepted",
        reference=problem.reference,
        description=problem.statement,
        program=program,
        param_type=problem.params[0].type,
        returns=problem.returns,
        generator=problem.generator,
    )


def digit_swaps(rows: Sequence[ProgramRow], rng: random.Random, tries: int = 4) -> list[ProgramRow]:
    """Rows with one constant changed in Python, description and q alike, up to `tries` per row."""
    seen = {row.claim for row in rows}
    swapped: list[ProgramRow] = []
    for row in rows:
        for _ in range(tries):
            new = _swap_digit(row, rng)
            if new is not None and new.claim not in seen:
                seen.add(new.claim)
                swapped.append(new)
    return swapped


def splices(
    rows: Sequence[ProgramRow], rng: random.Random, n: int, held_out_keys: Collection[str]
) -> list[ProgramRow]:
    """Up to `n` rows that run one row's program on the answer of another's.

    A joined program has at most four steps and a group that is not in `held_out_keys`. Rows with
    rarely seen steps are joined more often, so that what was solved last soon appears in many
    surroundings.
    """
    seen = {row.claim for row in rows}
    weights = _rarity(rows)
    by_param: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        by_param.setdefault(row.param_type, []).append(index)
    joined: list[ProgramRow] = []
    for first in rng.choices(rows, weights, k=n * 4) if rows else []:
        fitting = by_param.get(first.returns, [])
        if len(joined) == n or not fitting:
            continue
        second = rows[rng.choices(fitting, [weights[index] for index in fitting])[0]]
        new = _splice(first, second, rng)
        if new is not None and new.claim not in seen and new.group not in held_out_keys:
            seen.add(new.claim)
            joined.append(new)
    return joined


def q_statements(program: str) -> tuple[str, ...] | None:
    """The statements of a lambda `{a;b;c}` of `x`; None for any other form or early returns."""
    text = program.strip()
    if len(text) < 3 or text[0] != "{" or text[-1] != "}" or "\n" in text:
        return None
    statements, depth, start, in_text = [], 0, 0, False
    body = text[1:-1]
    for place, char in enumerate(body):
        if char == '"' and not (in_text and body[place - 1] == "\\"):
            in_text = not in_text
        elif in_text:
            continue
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
            if depth < 0:
                return None
        elif char == ";" and depth == 0:
            statements.append(body[start:place].strip())
            start = place + 1
    statements.append(body[start:].strip())
    is_plain = depth == 0 and not in_text and all(s and s[0] not in ":[" for s in statements)
    return tuple(statements) if is_plain else None


def _swap_digit(row: ProgramRow, rng: random.Random) -> ProgramRow | None:
    noun, phrases = grammar.split_description(row.description)
    steps = grammar.generator_steps(row.generator)
    places = [i for i, phrase in enumerate(phrases) if re.search(r"[2-9]", phrase)]
    if not places or len(steps) != len(phrases):
        return None
    place = rng.choice(places)
    old = re.findall(r"[2-9]", phrases[place])[0]
    new = rng.choice([str(c) for c in grammar.CONSTANTS if str(c) != old])
    in_q = [match.start() for match in re.finditer(rf"(?<!\d){old}(?!\d)", row.program)]
    in_step = [match.start() for match in re.finditer(rf"(?<!\d){old}(?!\d)", steps[place])]
    write = _writer(row.reference, steps)
    if not in_q or len(in_step) != 1 or write is None:
        return None
    rank = sum(phrase.count(old) for phrase in phrases[:place])
    at = in_q[rank] if rank < len(in_q) else rng.choice(in_q)
    new_steps = _replaced(steps, place, _at(steps[place], in_step[0], new))
    new_phrases = _replaced(phrases, place, phrases[place].replace(old, new))
    reference = write(new_steps)
    return (
        None
        if reference is None
        else _made(
            replace(row, origin="digit_swap", parents=(row.key,)),
            reference=reference,
            description=grammar.join_description(noun, new_phrases),
            program=_at(row.program, at, new),
            steps=new_steps,
        )
    )


def _splice(first: ProgramRow, second: ProgramRow, rng: random.Random) -> ProgramRow | None:
    noun, phrases = grammar.split_description(first.description)
    phrases += grammar.split_description(second.description)[1]
    steps = grammar.generator_steps(first.generator) + grammar.generator_steps(second.generator)
    before, after = q_statements(first.program), q_statements(second.program)
    if len(phrases) > grammar.MAX_STEPS or before is None or after is None:
        return None
    is_nested = rng.random() >= grammar.STATEMENT_SHARE
    reference = (grammar.nested_source(steps) if is_nested else None) or grammar.statement_source(
        steps
    )
    link = before[-1] if before[-1].startswith("x:") else f"x:{before[-1]}"
    return _made(
        replace(first, origin="splice", parents=(first.key, second.key), returns=second.returns),
        reference=reference,
        description=grammar.join_description(noun, phrases),
        program="{" + ";".join((*before[:-1], link, *after)) + "}",
        steps=steps,
    )


def _made(
    row: ProgramRow, *, reference: str, description: str, program: str, steps: Sequence[str]
) -> ProgramRow:
    return replace(
        row,
        key=content_hash([reference, description, program])[:16],
        reference=reference,
        description=description,
        program=program,
        generator=grammar.generator_source(row.param_type, steps),
    )


def _writer(reference: str, steps: Sequence[str]) -> Callable[[Sequence[str]], str | None] | None:
    """The function that writes the reference's style; None when it is in neither style."""
    styles: tuple[Callable[[Sequence[str]], str | None], ...] = (
        grammar.statement_source,
        grammar.nested_source,
    )
    for write in styles:
        if write(steps) == reference:
            return write
    return None


def _rarity(rows: Sequence[ProgramRow]) -> list[float]:
    """One weight per row, (n,): 1 over the number of rows that share its rarest step."""
    parts = [
        [re.sub(r"\d", "#", phrase) for phrase in grammar.split_description(row.description)[1]]
        for row in rows
    ]
    counts = Counter(phrase for phrases in parts for phrase in set(phrases))
    return [max(1 / counts[phrase] for phrase in phrases) for phrases in parts]


def _at(text: str, place: int, char: str) -> str:
    return text[:place] + char + text[place + 1 :]


def _replaced(parts: Sequence[str], place: int, new: str) -> tuple[str, ...]:
    return (*parts[:place], new, *parts[place + 1 :])
