"""kdb+ IPC: a server that lets clients of kdb+ talk to a session, and a client that talks to a kdb+ or to this server.

This is the host's side. The engine has no code that opens a socket; a session that is served here is handed messages
and gives back messages. Importing the package loads nothing: a server listens before NumPy is there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from q_runtime.ipc.client import Connection, connect
    from q_runtime.ipc.faults import (
        AccessRefused,
        ConnectionFault,
        ConnectionLost,
        NoAnswer,
        Unreachable,
    )
    from q_runtime.ipc.server import Server

__all__ = [
    "AccessRefused", "Connection", "ConnectionFault", "ConnectionLost", "NoAnswer", "Server", "Unreachable", "connect",
]  # fmt: skip

_HOMES = {"Connection": "client", "connect": "client", "Server": "server"}
"""Module of a name; `faults` for those not listed."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'faults')}"), name)
    globals()[name] = value
    return value
