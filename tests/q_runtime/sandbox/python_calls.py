"""Short forms for running one Python reference in a pool."""

from __future__ import annotations

from typing import Any

from q_runtime.sandbox import (
    PythonExecution,
    PythonJob,
    PythonPool,
    PythonResult,
    decode_typed,
    encode_typed,
)


def run_source(pool: PythonPool, source: str, **fields: Any) -> PythonResult:
    """Run one job made of the source."""
    (result,) = pool.run([PythonJob("job", source, **fields)])
    return result


def call(pool: PythonPool, source: str, *arguments: Any) -> PythonExecution:
    """Call the source's function `f` once; a load that fails is returned in its place."""
    encoded = tuple(encode_typed(argument) for argument in arguments)
    result = run_source(pool, source, entry_point="f", calls=(encoded,))
    return result.calls[0] if result.calls else result.load


def value_of(execution: PythonExecution) -> Any:
    """The decoded value of an execution that must have succeeded."""
    assert execution.status == "ok", execution

    return decode_typed(execution.value)


def serves(pool: PythonPool) -> bool:
    """Tell whether the pool still answers an ordinary job."""
    return value_of(call(pool, "def f(x): return x + 1", 41)) == 42
