"""Which chains make Problems: their answers must vary, and every step and constant must show in them.

Judged on generated inputs by running the grammar's own Python, which is trusted; the q plays no part.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.problemsets.demo import grammar
from pipeline.problemsets.demo.grammar import Chain
from pipeline.seeds import seed_for

N_INPUTS = 24
"""Inputs on which a candidate is judged."""
MIN_DISTINCT_INPUTS = 18
MIN_CHANGED = 6
"""A mutant counts as noticed when it changes the answer to so many of the inputs."""
MAX_SAME_SHARE = 0.4
MAX_TWO_SHARE = 0.6
"""Answers must vary: the commonest may cover so much of the inputs, the two commonest so much."""
_TRIES = 4
"""A candidate is dropped unless so many tries find every input: unsound ones must be rare."""


def is_worthy(chain: Chain) -> bool:
    """Whether the answers vary, and every step and every constant shows in them."""
    inputs = _inputs(chain)
    if inputs is None or len(set(map(repr, inputs))) < MIN_DISTINCT_INPUTS:
        return False
    answers = [_answer(chain, value) for value in inputs]
    common = [count / N_INPUTS for _, count in Counter(answers).most_common(2)]
    if common[0] > MAX_SAME_SHARE or sum(common) > MAX_TWO_SHARE:
        return False
    return all(
        sum(_answer(mutant, value) != answer for value, answer in zip(inputs, answers, strict=True))
        >= MIN_CHANGED
        for mutant in _mutants(chain)
    )


def _inputs(chain: Chain) -> list[Any] | None:
    """Inputs from the chain's own generator, a trusted text; None when they are hard to find."""
    steps = grammar.python_steps(chain)
    names: dict[str, Any] = {}
    source = grammar.generator_source(grammar.TYPES[chain[0].op.takes], steps, tries=_TRIES)
    exec(source, names)
    rng = random.Random(seed_for(0, "demo", "inputs", *steps))
    try:
        return [names["generate"](rng)[0] for _ in range(N_INPUTS)]
    except RuntimeError:
        return None


def _answer(chain: Chain, value: Any) -> str:
    """The chain's answer as text; an error is an answer too, as a mutant may raise."""
    try:
        for step in chain:
            value = step.run(value)
    except (IndexError, ValueError) as error:
        return type(error).__name__
    return repr(value)


def _mutants(chain: Chain) -> Iterator[Chain]:
    """The chain without a step that keeps the type, and with a constant moved by one."""
    for place, step in enumerate(chain):
        if step.op.preserves_type:
            yield chain[:place] + chain[place + 1 :]
        if step.constant is not None:
            for constant in (step.constant - 1, step.constant + 1):
                yield (*chain[:place], replace(step, constant=constant), *chain[place + 1 :])
