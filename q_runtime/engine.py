"""Records that every engine speaks: a Program to execute, and what came of it.

An Engine executes q Programs and returns values, never text to be compared. The records are plain frozen data in the
wire form of q values (`{"t": type number, "v": value}`), so that they can be stored and sent as JSON. What this
deliberately does not do: say whether a value is right. That is grading, and it needs to know what was expected.

Execution status   `ok`, or why there is no value:
    q_error syntax_error                     the Program signalled or did not parse; `error` is q's name for it
    time_limit memory_limit output_limit     the Program exceeded a limit
    unsupported infra_error                  not the Program's fault: a gap of the engine, or a lost worker
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Wire: TypeAlias = dict[str, Any]
"""A q value as JSON-compatible data."""

ExecutionStatus: TypeAlias = Literal[
    "ok",
    "q_error",
    "syntax_error",
    "time_limit",
    "memory_limit",
    "output_limit",
    "unsupported",
    "infra_error",
]

NOT_RUN = "not run"
"""`detail` of a call that was skipped because an earlier call of its job exceeded the time."""

STARVED = "starved"
"""`error` of an `infra_error`: the machine gave too little of its processors to judge a Program by its time."""

NO_FUNCTION = "no_function"
"""`error` of a load after which there is nothing to call."""


@dataclass(frozen=True, slots=True)
class QJob:
    """One Program and the argument lists that its function is called with."""

    key: str
    """The caller's own identifier; comes back with the result."""
    program: str
    """q source text."""
    entry_point: str | None = None
    """Name of the function under test. If the Program does not define it, the last value is called."""
    calls: tuple[tuple[Wire, ...], ...] = ()
    """One tuple of arguments per call. With no calls the Program is only loaded."""


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What an engine did with one Program load or one call."""

    status: ExecutionStatus
    value: Wire | None = None
    """The result; None unless the status is `ok`."""
    error: str | None = None
    """q's short name of the error (`type`, `length`, ...) or of the limit; None when ok."""
    detail: str = ""
    """A sentence for a person; may be empty."""
    at: int | None = None
    """Offset in the Program of what signalled the error, where the engine knows it."""
    stdout: str = ""
    """What was printed. Evidence only: nothing is ever decided from it."""
    duration_s: float = 0.0
    """Wall time spent, in seconds."""


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What an engine did with a QJob: one result for the load, one per call (none if the load failed)."""

    key: str
    load: ExecutionResult
    calls: tuple[ExecutionResult, ...] = ()


class Engine(Protocol):
    """Something that executes q Programs: the embedded engine in a pool of workers, or a real kdb+."""

    @property
    def name(self) -> str:
        """`embedded`, `kdb_process`, `kdb_ipc` or `pykx`; recorded with every verdict."""
        ...

    @property
    def version(self) -> str:
        """Version of the q that answers; recorded with every verdict."""
        ...

    def run(self, jobs: Iterable[QJob]) -> Iterator[ProgramResult]:
        """Execute jobs as they are drawn from the iterable; yield results in order of completion."""
        ...

    def close(self) -> None:
        """Release every process and connection. May be called more than once."""
        ...
