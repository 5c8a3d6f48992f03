"""Short forms for running one q Program in a pool."""

from __future__ import annotations

from typing import Any

from q_runtime.sandbox import ProgramResult, QJob, QPool


def long(value: int) -> dict[str, Any]:
    """Wire form of a long atom."""
    return {"t": -7, "v": value}


def run_program(
    pool: QPool, program: str, *calls: tuple[dict[str, Any], ...], entry_point: str | None = "f"
) -> ProgramResult:
    """Run one job made of the Program."""
    (result,) = pool.run([QJob("job", program, entry_point, calls)])
    return result


def serves(pool: QPool) -> bool:
    """Tell whether the pool still answers an ordinary job."""
    result = run_program(pool, "f:{x+1}", (long(41),))
    return result.calls[0].value == long(42)
