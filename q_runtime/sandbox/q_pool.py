"""Pool for q Programs on the embedded engine: an `Engine` whose work happens in sandboxed processes.

What this deliberately does not do: drive a real kdb+ (those engines have adapters of their own), or judge values.
"""

from __future__ import annotations

from typing import Any, ClassVar, get_args

from q_runtime.engine import NOT_RUN, ExecutionResult, ExecutionStatus, ProgramResult, QJob
from q_runtime.errors import EngineUnavailable
from q_runtime.limits import Limits
from q_runtime.sandbox.pool import Transcript, WorkerPool, seconds
from q_runtime.sandbox.template import WorkerKind

EMBEDDED = "embedded"
STATUSES = get_args(ExecutionStatus)


class QPool(WorkerPool[QJob, ProgramResult]):
    """Executes q Programs, each in a Session of its own; see `WorkerPool` for the arguments and `run`.

    A Program that fails to load has no calls. After a call that exceeds the time, the job's further calls are not run
    and say so. A Program during which the worker is lost is executed once more, then `infra_error`.
    """

    recycle_after: ClassVar[int] = 500

    def __init__(
        self,
        n_workers: int = 2,
        limits: Limits | None = None,
        engine: str = EMBEDDED,
        *,
        job_time_s: float = 60.0,
        recycle_after: int | None = None,
    ) -> None:
        """Start the pool.

        Raises:
            EngineUnavailable: the engine is not one that this pool can run.
        """
        if engine != EMBEDDED:
            raise EngineUnavailable(f"a QPool runs {EMBEDDED!r} only, not {engine!r}")
        self.name = engine
        super().__init__(n_workers, limits, job_time_s=job_time_s, recycle_after=recycle_after)

    @property
    def version(self) -> str:
        """Version of the embedded engine."""
        from q_runtime import __version__

        return __version__

    def _worker_kind(self) -> WorkerKind:
        return WorkerKind("q_runtime.sandbox.q_worker", packages=("numpy",), reads_engine=True)

    def _encode(self, job: QJob) -> dict[str, Any]:
        return {"program": job.program, "entry_point": job.entry_point, "calls": job.calls}

    def _n_answers(self, job: QJob) -> int:
        return 1 + len(job.calls)

    def _is_lost(self, transcript: Transcript) -> bool:
        # A Program cannot end our interpreter, so whatever ended it is the machine's fault or ours.
        return transcript.ending in ("lost", "exited", "malformed")

    def _result(self, job: QJob, transcript: Transcript) -> ProgramResult:
        n_expected = self._n_answers(job)
        heard = [_execution(frame) for frame in transcript.frames[:n_expected]]
        if not heard or (len(heard) < n_expected and heard[0].status == "ok"):
            heard += _unheard(transcript, n_expected - len(heard), self.limits.time_s)
        load, *calls = heard
        return ProgramResult(job.key, load, tuple(calls) if load.status == "ok" else ())


def _execution(frame: dict[str, Any]) -> ExecutionResult:
    body = frame.get("load") or frame.get("call")
    if not isinstance(body, dict) or body.get("status") not in STATUSES:
        detail = str(frame.get("crash") or "the worker sent an answer that is not one")
        return ExecutionResult("infra_error", error="worker", detail=detail)
    return ExecutionResult(
        status=body["status"],
        value=body["value"],
        error=body["error"],
        detail=body["detail"],
        stdout=body["stdout"],
        duration_s=seconds(body["duration_s"]),
        at=_offset(body["at"]),
    )


def _offset(x: object) -> int | None:
    """Read an offset that a worker sends: a number, or nothing."""
    return x if type(x) is int and 0 <= x < 1 << 31 else None


def _unheard(transcript: Transcript, count: int, time_s: float) -> list[ExecutionResult]:
    """Executions that no frame came for: the one that was running, then those that never ran."""
    if transcript.ending == "deadline":
        detail = f"more than {time_s:g} s, ended from outside"
        running = ExecutionResult(
            "time_limit", error="time", detail=detail, duration_s=seconds(transcript.waited_s)
        )
        skipped = ExecutionResult("time_limit", error="time", detail=NOT_RUN)
    else:
        detail = f"the worker was lost: {transcript.detail or transcript.ending}"
        running = ExecutionResult(
            "infra_error", error="worker", detail=detail, duration_s=seconds(transcript.waited_s)
        )
        skipped = ExecutionResult("infra_error", error="worker", detail=detail)
    return [running, *[skipped] * (count - 1)]
