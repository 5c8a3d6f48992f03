"""How a chain of operations is written as Python, as words and as q, and for which inputs.

Every step of a chain is one Python expression in `x`, one phrase, and one q expression in `x`.
Nothing here decides which chains become Problems, nor which q may be shown to a policy: that is
`family`.

The functions from `python_steps` on work on texts alone, so that `augment` can use them on accepted
Programs without the table of operations.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.problemsets.demo.operations import Op

CONSTANTS = range(2, 10)
MAX_STEPS = 4
STATEMENT_SHARE = 0.62
"""Share of Python written one statement per step; the rest is one nested expression."""
TYPES = {"L": "list[int]", "N": "int", "S": "str", "W": "list[str]"}
NOUNS = {"L": "a list of integers", "N": "a number", "S": "a string", "W": "a list of words"}
_THEN = ", then "

_LETTERS = '"aaaeiouaeiobcdlnrstABEST"'
_WORD = f'"".join(rng.choice({_LETTERS}) for _ in range(rng.randint(2, 6)))'
_RAW_INPUTS = {
    "list[int]": "[rng.randint(-12, 20) for _ in range(rng.randint(6, 12))]",
    "int": "rng.randint(1, 50)",
    "str": f'" ".join({_WORD} for _ in range(rng.randint(2, 4)))',
    "list[str]": f"[{_WORD} for _ in range(rng.randint(3, 7))]",
}
_MAX_RANGE = "60"
_MAX_NUMBER = "10**12"
_GENERATOR = """\
STEPS = [
{steps}
]


def is_sound(x):
    for step in STEPS:
        if isinstance(x, int) and abs(x) > {limit}:
            return False
        try:
            x = step(x)
        except (IndexError, ValueError):
            return False
        items = x if isinstance(x, list) else [x]
        if not items or "" in items:
            return False
        if any(isinstance(item, int) and abs(item) >= {largest} for item in items):
            return False
    return True


def generate(rng):
    for _ in range({tries}):
        x = {raw}
        if is_sound(x):
            return (x,)
    raise RuntimeError("no sound input found")
"""


@dataclass(frozen=True)
class Step:
    """An operation with its constant, which is None where the operation has none."""

    op: Op
    constant: int | None = None

    @property
    def python(self) -> str:
        """The step as a Python expression in `x`."""
        return self.op.python.format(x="x", c=self.constant)

    def run(self, value: object) -> object:
        """The step's answer for a value. Raises: IndexError or ValueError where Python does."""
        return compile_step(self.python)(value)


Chain = tuple[Step, ...]


@lru_cache(maxsize=4096)
def compile_step(expression: str) -> Callable[[object], object]:
    """The function of one step; only for expressions of this grammar, which are trusted."""
    return eval(f"lambda x: {expression}")  # noqa: S307


def describe(chain: Chain) -> str:
    """The chain in words: "Given a string: reverse the string, then count the letters."."""
    phrases = [step.op.text.format(c=step.constant) for step in chain]
    return join_description(NOUNS[chain[0].op.takes], phrases)


def q_program(chain: Chain) -> str:
    """The chain as a q lambda with one statement per step."""
    steps = [step.op.q.format(c=step.constant) for step in chain]
    return "{" + "".join(f"x:{step};" for step in steps[:-1]) + steps[-1] + "}"


def python_steps(chain: Chain) -> tuple[str, ...]:
    """The chain as Python expressions in `x`, one per step."""
    return tuple(step.python for step in chain)


def statement_source(steps: Sequence[str]) -> str:
    """Python that defines `f` with one statement per step."""
    lines = [f"x = {step}" for step in steps[:-1]] + [f"return {steps[-1]}"]
    return "def f(x):\n" + "".join(f"    {line}\n" for line in lines)


def nested_source(steps: Sequence[str]) -> str | None:
    """Python that defines `f` in one expression; None where a later step names its value twice."""
    expression = steps[0]
    for step in steps[1:]:
        if len(re.findall(r"\bx\b", step)) != 1:
            return None
        is_sum = isinstance(ast.parse(expression, mode="eval").body, ast.BinOp)
        inner = f"({expression})" if is_sum else expression
        expression = inner.join(re.split(r"\bx\b", step))
    return f"def f(x):\n    return {expression}\n"


def generator_source(param_type: str, steps: Sequence[str], tries: int = 500) -> str:
    """Python that defines `generate(rng)` for a program of these steps.

    Every input it returns is sound: no step meets an empty list, string or word, raises, or leaves
    the bounds (numbers below 1e12, ranges up to 60). A program without sound inputs raises
    RuntimeError after `tries`.
    """
    has_range = any("range(1," in step for step in steps)
    return _GENERATOR.format(
        steps="\n".join(f"    lambda x: {step}," for step in steps),
        limit=_MAX_RANGE if has_range else _MAX_NUMBER,
        largest=_MAX_NUMBER,
        tries=tries,
        raw=_RAW_INPUTS[param_type],
    )


def generator_steps(generator: str) -> tuple[str, ...]:
    """The Python expressions that `generator_source` was given."""
    return tuple(re.findall(r"^    lambda x: (.*),$", generator, flags=re.MULTILINE))


def join_description(noun: str, phrases: Sequence[str]) -> str:
    """The description of a program from what it is given and the phrases of its steps."""
    return f"Given {noun}: {_THEN.join(phrases)}."


def split_description(description: str) -> tuple[str, tuple[str, ...]]:
    """The inverse of `join_description`. Raises: ValueError for a text of another form."""
    match = re.fullmatch(r"Given ([^:]+): (.+)\.", description)
    if match is None:
        raise ValueError(f"not a description of the demo family: {description!r}")
    return match[1], tuple(match[2].split(_THEN))


def group_key(description: str) -> str:
    """What programs share that differ in constants only: a hash of the description without them."""
    return hashlib.sha256(re.sub(r"\d", "#", description).encode("utf-8")).hexdigest()[:12]
