"""Sandboxed pools of warm worker processes: q Programs in `QPool`, Python references in `PythonPool`.

`isolation` says what a worker may and may not do, and what the sandbox does not cover. Other packages import these
names from `q_runtime`, not from here.
"""

from __future__ import annotations

from q_runtime.engine import Engine, ExecutionResult, ProgramResult, QJob, Wire
from q_runtime.sandbox.isolation import Layer
from q_runtime.sandbox.pool import PoolClosed, WorkerPool
from q_runtime.sandbox.python_pool import (
    Generator,
    PythonExecution,
    PythonJob,
    PythonPool,
    PythonResult,
)
from q_runtime.sandbox.q_pool import QPool
from q_runtime.sandbox.typed_json import TypedJsonError, decode_typed, encode_typed

__all__ = [
    "Engine",
    "ExecutionResult",
    "Generator",
    "Layer",
    "PoolClosed",
    "ProgramResult",
    "PythonExecution",
    "PythonJob",
    "PythonPool",
    "PythonResult",
    "QJob",
    "QPool",
    "TypedJsonError",
    "Wire",
    "WorkerPool",
    "decode_typed",
    "encode_typed",
]
