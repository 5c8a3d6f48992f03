"""Which engines there are, and how one is opened by its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from q_runtime.errors import EngineUnavailable
from q_runtime.limits import Limits

if TYPE_CHECKING:
    from q_runtime.engine import Engine

ENGINE_NAMES = ("embedded", "kdb_process", "kdb_ipc", "pykx")


@dataclass(frozen=True)
class EngineSettings:
    """What an engine may be told; each reads what concerns it."""

    n_workers: int = 2
    """Programs that are executed at the same time."""
    limits: Limits = field(default_factory=Limits)
    """Of each load and each call."""
    q_binary: str = ""
    """`kdb_process`: path of q; the PATH, then QHOME are searched when empty."""
    pykx_python: str = ""
    """`pykx`: path of a Python that has PyKX; our own when empty."""
    address: str = "localhost:5000"
    """`kdb_ipc`: HOST:PORT of the kdb+."""
    user: str = ""
    password: str = field(default="", repr=False)
    max_connections: int = 2
    """`kdb_ipc`: most connections at the same time."""
    wait_s: float = 30.0
    """How long a kdb+ that answered and went away is waited for."""


def open_engine(name: str, settings: EngineSettings | None = None) -> Engine:
    """Start the engine of that name; the caller closes it.

    Raises: EngineUnavailable with a sentence that says what to do.
    """
    settings = settings or EngineSettings()
    if name == "embedded":
        from q_runtime.sandbox.q_pool import QPool

        return QPool(settings.n_workers, settings.limits)
    if name == "kdb_process":
        from q_runtime.kdb.process_engine import KdbProcess

        return KdbProcess(
            settings.n_workers,
            settings.limits,
            binary=settings.q_binary,
            wait_s=settings.wait_s,
        )
    if name == "kdb_ipc":
        from q_runtime.kdb.server_engine import KdbIpc

        return KdbIpc(
            min(settings.n_workers, settings.max_connections),
            settings.limits,
            address=settings.address,
            user=settings.user,
            password=settings.password,
            wait_s=settings.wait_s,
        )
    if name == "pykx":
        from q_runtime.kdb.pykx_engine import Pykx

        return Pykx(
            settings.n_workers,
            settings.limits,
            python=settings.pykx_python,
            wait_s=settings.wait_s,
        )
    raise EngineUnavailable(f"there is no engine {name!r}; choose one of {', '.join(ENGINE_NAMES)}")
