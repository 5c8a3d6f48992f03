"""Runs q: an embedded engine written in Python and NumPy, and the sandbox around it.

Only the names in `__all__` are public. Importing this package loads neither NumPy nor the sandbox: everything but
errors is loaded when first used, because a worker for Python references must stay small and a server listen soon.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from q_runtime.errors import (
    EngineUnavailable,
    LimitExceeded,
    QError,
    QSyntaxError,
    RuntimeFault,
    UnsupportedFeature,
    WorkerCrashed,
)

if TYPE_CHECKING:
    from q_runtime.display import show_wire
    from q_runtime.engine import Engine, ExecutionResult, ProgramResult, QJob, Wire
    from q_runtime.engines import ENGINE_NAMES, EngineSettings, open_engine
    from q_runtime.limits import Limits
    from q_runtime.sandbox import (
        Generator,
        Layer,
        PoolClosed,
        PythonExecution,
        PythonJob,
        PythonPool,
        PythonResult,
        QPool,
        TypedJsonError,
        decode_typed,
        encode_typed,
    )
    from q_runtime.session import Session
    from q_runtime.values.wire import format_wire

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  (the engine first, then the sandbox)
    "Session", "Limits", "QError", "QSyntaxError", "RuntimeFault", "UnsupportedFeature",
    "LimitExceeded", "WorkerCrashed", "EngineUnavailable", "format_wire", "show_wire",
    "Engine", "ExecutionResult", "ProgramResult", "QJob", "Wire",
    "ENGINE_NAMES", "EngineSettings", "open_engine",
    "Generator", "Layer", "PoolClosed", "PythonExecution", "PythonJob", "PythonPool", "PythonResult", "QPool",
    "TypedJsonError", "decode_typed", "encode_typed",
]  # fmt: skip

_HOMES = {
    "Session": "session",
    "Limits": "limits",
    "format_wire": "values.wire",
    "show_wire": "display",
    **dict.fromkeys(("Engine", "ExecutionResult", "ProgramResult", "QJob", "Wire"), "engine"),
    **dict.fromkeys(("ENGINE_NAMES", "EngineSettings", "open_engine"), "engines"),
    **dict.fromkeys(("TypedJsonError", "decode_typed", "encode_typed"), "sandbox.typed_json"),
}
"""Module of a name that is loaded on first use; `sandbox` for those not listed."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'sandbox')}"), name)
    globals()[name] = value
    return value
