"""Pool for q Programs on the embedded engine: an `Engine` whose work happens in sandboxed processes.

What this deliberately does not do: drive a real kdb+ (those engines have adapters of their own), or judge values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, get_args

from q_runtime.engine import NOT_RUN, STARVED, ExecutionResult, ExecutionStatus, ProgramResult, QJob
from q_runtime.errors import EngineUnavailable
from q_runtime.limits import Limits
from q_runtime.sandbox.pool import USED_UP, Transcript, WorkerPool, seconds
from q_runtime.sandbox.template import WorkerKind

EMBEDDED = "embedded"
STATUSES = get_args(ExecutionStatus)


class QPool(WorkerPool[QJob, ProgramResult]):
    """Executes q Programs, each in a Session of its own; see `WorkerPool` for the arguments and `run`.

    A Program that fails to load has no calls. After a call that exceeds the time, the job's further calls are not run
    and say so. Time is that of the processor: where other work keeps a Program from it, it has up to `patience` times
    as long by the clock, and is starved then. A Program during which the worker is lost, or which is starved, is
    executed once more, then `infra_error`.
    """

    recycle_after: ClassVar[int] = 500
    patience: ClassVar[float] = 10.0
    """How many times its time a Program may take by the clock, while it does not get the processor."""

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
        limits = replace(limits or Limits(), patience=self.patience)
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
        return transcript.ending in ("lost", "exited", "malformed") or self._is_starved(transcript)

    def _is_starved(self, transcript: Transcript) -> bool:
        """Whether the worker said so, or was silent for all the patience without having its time of the processor."""
        if transcript.frames and _execution(transcript.frames[-1]).error == STARVED:
            return True
        is_silent = transcript.ending == "deadline" and transcript.detail != USED_UP
        is_over = transcript.waited_s >= self.limits.patience * self.limits.time_s
        return is_silent and is_over and transcript.processor_s < self.limits.time_s

    def _result(self, job: QJob, transcript: Transcript) -> ProgramResult:
        n_expected = self._n_answers(job)
        heard = [_execution(frame) for frame in transcript.frames[:n_expected]]
        if not heard or (len(heard) < n_expected and heard[0].status == "ok"):
            starved = self._is_starved(transcript)
            heard += _unheard(transcript, n_expected - len(heard), self.limits.time_s, starved)
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


def _unheard(
    transcript: Transcript, count: int, time_s: float, is_starved: bool
) -> list[ExecutionResult]:
    """Executions that no frame came for: the one that was running, then those that never ran."""
    if transcript.ending == "end" and is_starved:
        return [ExecutionResult("infra_error", error=STARVED, detail=NOT_RUN)] * count
    if is_starved:
        used_s, waited_s = transcript.processor_s, transcript.waited_s
        detail = f"the machine is too busy: {used_s:.1f} s of processor time in {waited_s:.1f} s"
        running = ExecutionResult(
            "infra_error", error=STARVED, detail=detail, duration_s=seconds(waited_s)
        )
        skipped = ExecutionResult("infra_error", error=STARVED, detail=NOT_RUN)
    elif transcript.ending == "deadline":
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
