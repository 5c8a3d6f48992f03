"""Pool for Python references: run untrusted Python on argument lists and bring the values back as typed JSON.

Each job has a freshly forked process of its own, so nothing that one reference does is seen by the next. The answers
come over a channel that the reference's own process could write to as well: a reference can lie about itself, never
about another, and all that is received is checked before it is used. What this deliberately
does not do: compare values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, TypedDict, get_args

from q_runtime.engine import NOT_RUN
from q_runtime.sandbox.pool import Transcript, WorkerPool, seconds
from q_runtime.sandbox.template import WorkerKind

PythonStatus: TypeAlias = Literal[
    "ok", "python_error", "time_limit", "memory_limit", "output_limit", "infra_error"
]
TypedJson: TypeAlias = Any
"""A Python value in the encoding of `typed_json`."""
FROM_A_WORKER = frozenset(get_args(PythonStatus)) - {"infra_error"}
"""What a worker may say of a reference; that the sandbox failed, only the pool can know."""
MAX_ERROR_CHARS = 1000


class Generator(TypedDict):
    """Source of argument lists: a function `generate(rng)` that returns one, called `count` times."""

    source: str
    seed: int
    count: int


@dataclass(frozen=True, slots=True)
class PythonJob:
    """One reference and what to evaluate with it: given calls, generated ones, expressions, in this order."""

    key: str
    """The caller's own identifier; comes back with the result."""
    source: str
    """Python source text."""
    entry_point: str = ""
    """Name of the function that calls go to; may be empty if there are only expressions."""
    calls: tuple[tuple[TypedJson, ...], ...] = ()
    """One tuple of encoded arguments per call."""
    generator: Generator | None = None
    """If given, its argument lists are called after `calls`; number i uses `random.Random(f"{seed}:{i}")`."""
    expressions: tuple[str, ...] = ()
    """Python expressions, evaluated where the source's names are known."""


@dataclass(frozen=True, slots=True)
class PythonExecution:
    """What came of loading the source, of one call, or of one expression."""

    status: PythonStatus
    arguments: tuple[TypedJson, ...] | None = None
    """Encoded arguments of a call; None for a load or an expression, or if none could be generated."""
    value: TypedJson | None = None
    """Encoded result; of a load, None. Meaningful only with status `ok`."""
    error: str | None = None
    """Exception and its message, or which limit; None when ok."""
    stdout: str = ""
    """What was printed; evidence only."""
    duration_s: float = 0.0
    """Wall time spent, in seconds."""


@dataclass(frozen=True, slots=True)
class PythonResult:
    """What came of a PythonJob. If the load failed there are neither calls nor expressions."""

    key: str
    load: PythonExecution
    calls: tuple[PythonExecution, ...] = ()
    """Given calls, then generated ones."""
    expressions: tuple[PythonExecution, ...] = ()


class PythonPool(WorkerPool[PythonJob, PythonResult]):
    """Runs Python references in processes of their own; see `WorkerPool` for the arguments and `run`."""

    recycle_after: ClassVar[int] = 1

    def _worker_kind(self) -> WorkerKind:
        return WorkerKind("q_runtime.sandbox.python_worker", cpu_s=int(self.job_time_s) + 2)

    def _encode(self, job: PythonJob) -> dict[str, Any]:
        return {
            "source": job.source,
            "entry_point": job.entry_point,
            "calls": job.calls,
            "generator": job.generator,
            "expressions": job.expressions,
        }

    def _n_answers(self, job: PythonJob) -> int:
        return 1 + len(job.calls) + _n_generated(job) + len(job.expressions)

    def _is_lost(self, transcript: Transcript) -> bool:
        return transcript.ending == "lost"

    def _result(self, job: PythonJob, transcript: Transcript) -> PythonResult:
        n_calls, n_expected = len(job.calls) + _n_generated(job), self._n_answers(job)
        heard = [_execution(frame) for frame in transcript.frames[:n_expected]]
        if not heard or (len(heard) < n_expected and heard[0].status == "ok"):
            heard += _unheard(transcript, n_expected - len(heard))
        load, *executions = heard
        if load.status != "ok":
            return PythonResult(job.key, load)
        calls = [
            _with_arguments(execution, given)
            for execution, given in zip(executions[:n_calls], _given(job), strict=True)
        ]
        return PythonResult(job.key, load, tuple(calls), tuple(executions[n_calls:]))


def _n_generated(job: PythonJob) -> int:
    return job.generator["count"] if job.generator else 0


def _given(job: PythonJob) -> Iterator[tuple[TypedJson, ...] | None]:
    """Arguments that are known here: those of the given calls."""
    yield from job.calls
    yield from [None] * _n_generated(job)


def _with_arguments(
    execution: PythonExecution, given: tuple[TypedJson, ...] | None
) -> PythonExecution:
    """The execution with the arguments that were really given, whatever its process said."""
    if given is None or execution.arguments == given:
        return execution
    return PythonExecution(
        execution.status,
        given,
        execution.value,
        execution.error,
        execution.stdout,
        execution.duration_s,
    )


def _execution(frame: dict[str, Any]) -> PythonExecution:
    """Read a frame, which the reference may have forged: whatever is not as agreed is an error of its own."""
    body = frame.get("load") or frame.get("call")
    if "crash" in frame:
        return PythonExecution("python_error", error=f"the worker failed: {_text(frame['crash'])}")
    if not isinstance(body, dict) or body.get("status") not in FROM_A_WORKER:
        return PythonExecution("python_error", error="the process sent an answer that is not one")
    arguments = body.get("arguments")
    error = body.get("error")
    return PythonExecution(
        status=body["status"],
        arguments=tuple(arguments) if isinstance(arguments, list) else None,
        value=body.get("value"),
        error=None if error is None else _text(error),
        stdout=str(body.get("stdout") or ""),
        duration_s=seconds(body.get("duration_s")),
    )


def _text(value: object) -> str:
    return str(value)[:MAX_ERROR_CHARS]


def _unheard(transcript: Transcript, count: int) -> list[PythonExecution]:
    """Executions that no frame came for: the one that was running, then those that never ran."""
    status: PythonStatus
    if transcript.ending == "deadline":
        status, error = "time_limit", "time"
    elif transcript.ending == "lost":
        status, error = "infra_error", f"the worker was lost: {transcript.detail}"
    elif transcript.ending == "malformed":
        status, error = "output_limit", f"the answer could not be read: {transcript.detail}"
    else:
        status, error = "python_error", transcript.detail or "the process ended early"
    first = PythonExecution(status, error=error, duration_s=seconds(transcript.waited_s))
    return [first, *(PythonExecution(status, error=NOT_RUN) for _ in range(count - 1))]
