"""Programs that every engine has to treat alike, and what came of them in a form that compares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from q_runtime import ENGINE_NAMES, Engine, ExecutionResult, Limits, ProgramResult, QJob

LIMITS = Limits(time_s=3.0, memory_mb=512, output_bytes=4096)
ENDLESS = "f:{while[1b;x+:1];x}"

QUIET = (
    "f:{x+1}",
    "{x*2}",
    "g:{x}\nf:{\n  / a note\n  g x+1 / another\n  }\nf 10",
    "solve:{x+7}",
    "a:10\nf:{a::a+x;a}",
    "t:([]a:1 2 3)\nf:{exec sum a from t}",
    "f:{(x;1b;`a`b!(1;2 3);([]a:1 2;b:`x`y);::)}",
    'f:{"text /no note"}',
    "f:{x;0N 0W,x}",
    "f:{'broken}",
    "f:{x+`a}",
    "f:{.z.s x}",
    'f:{value "1 2 )"}',
    "f:{til 100000}",
    "f:{.z.l}",
    "\\d .own\nk:{x+1}\n\\d .\nf:{.own.k x}",
    "1+(",
    "a:1\nb:a+`x",
    "f:5",
    "",
)
"""Programs that print nothing and end by themselves."""


def long(value: int) -> dict[str, Any]:
    """Wire form of a long atom."""
    return {"t": -7, "v": value}


def jobs(programs: Iterable[str]) -> list[QJob]:
    """A job per Program, with two calls each."""
    return [QJob(text, text, "f", ((long(3),), (long(4),))) for text in programs]


def run_all(engine: Engine, programs: Iterable[str]) -> dict[str, ProgramResult]:
    """What an engine makes of Programs, by their text."""
    assert engine.name in ENGINE_NAMES
    return {result.key: result for result in engine.run(jobs(programs))}


def seen(result: ProgramResult) -> list[tuple[Any, ...]]:
    """What decides a Verdict."""
    return [(result.load.status, result.load.error), *map(_seen, result.calls)]


def _seen(call: ExecutionResult) -> tuple[Any, ...]:
    return call.status, call.error, call.value, call.stdout
