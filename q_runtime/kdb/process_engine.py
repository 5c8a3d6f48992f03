"""`kdb_process`: every Program in a fresh q process of our own, killed when it exceeds its time."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable
from typing import ClassVar

from q_runtime.engine import ExecutionResult, ProgramResult, QJob
from q_runtime.errors import EngineUnavailable
from q_runtime.ipc.faults import ConnectionFault
from q_runtime.kdb.own_process import OwnProcess
from q_runtime.kdb.process import QProcess, find_q, identify
from q_runtime.kdb.programs import Place, ProgramRunner
from q_runtime.kdb.streaming import WorkerEngine
from q_runtime.limits import Limits

MAX_ATTEMPTS = 2
RETRY_S = 0.2


class ProcessWorker:
    """Serves Programs, each with a process of its own; the next process starts while nobody waits for it."""

    def __init__(
        self, start: Callable[[], OwnProcess], limits: Limits, job_time_s: float, wait_s: float
    ) -> None:
        self._start = start
        self._wait_s = wait_s
        self._limits = limits
        self._job_time_s = job_time_s
        self._next: OwnProcess | None = None
        self._current: OwnProcess | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.version = ""
        self.is_ours = False

    def introduce(self) -> None:
        """Start the first process and ask it who it is. Raises: EngineUnavailable."""
        process = self._take()
        try:
            self.version, self.is_ours = identify(process.connect())
        except ConnectionFault as fault:
            raise EngineUnavailable(f"{process.name} does not answer: {fault}") from fault
        finally:
            self._drop(process)

    def serve(self, job: QJob) -> ProgramResult:
        """Execute a job, once more if its process is lost. Raises: EngineUnavailable when none can be started."""
        result = ProgramResult(job.key, ExecutionResult("infra_error", error="worker"))
        for _ in range(MAX_ATTEMPTS):
            process = self._take_one_that_answers()
            try:
                result, is_lost = self._attempt(process, job)
            finally:
                self._drop(process)
            if not is_lost:
                break
        self._prepare()
        return result

    def _take_one_that_answers(self) -> OwnProcess:
        """Return a process that is connected, and wait a while for one.

        A licence that is shared, or given by a server, may be busy for a moment where processes come and go quickly.
        Raises: EngineUnavailable when none answers in time.
        """
        until = time.monotonic() + self._wait_s
        while True:
            process: OwnProcess | None = None
            try:
                process = self._take()
                process.connect()
                return process
            except EngineUnavailable:
                if process is not None:
                    self._drop(process)
                if time.monotonic() > until or self._closing.wait(RETRY_S):
                    raise

    def close(self) -> None:
        """End the processes. May be called more than once."""
        with self._lock:
            self._closing.set()
            processes = [self._current, self._next]
            self._next = None
        for process in processes:
            if process is not None:
                process.close()

    def _take(self) -> OwnProcess:
        """Return a process that nothing has used."""
        with self._lock:
            if self._closing.is_set():
                raise EngineUnavailable("the engine is closed")
            process, self._next = self._next, None
            self._current = process or self._start()
            return self._current

    def _drop(self, process: OwnProcess) -> None:
        with self._lock:
            self._current = None
        process.close()

    def _prepare(self) -> None:
        """Start the process for the next Program; if that fails, the next Program will say why."""
        with self._lock, contextlib.suppress(EngineUnavailable):
            if not self._closing.is_set() and self._next is None:
                self._next = self._start()

    def _attempt(self, process: OwnProcess, job: QJob) -> tuple[ProgramResult, bool]:
        """Execute a job with a process; say also whether the process was lost."""
        connection = process.connect()
        process.take_output()
        n_evaluations = 1 + len(job.calls)
        most_s = math.ceil(min(n_evaluations * self._limits.time_s, self._job_time_s)) + 5
        process.limit(self._limits.memory_mb << 20, most_s)
        runner = ProgramRunner(
            connection,
            self._limits,
            Place(),
            is_ours=self.is_ours,
            job_time_s=self._job_time_s,
            take_output=process.take_output,
        )
        try:
            return runner.run(job), False
        except ConnectionFault as fault:
            return self._lost(process, job, str(fault))

    def _lost(self, process: OwnProcess, job: QJob, why: str) -> tuple[ProgramResult, bool]:
        """Say what it means that the process went away in the middle of a Program."""
        status, words = process.ended_how()
        if "wsfull" in words:  # kdb+ ends when it cannot even signal
            load = ExecutionResult(
                "memory_limit", error="wsfull", detail=f"more than {self._limits.memory_mb} MB"
            )
            return ProgramResult(job.key, load), False
        if status == -signal.SIGXCPU:
            load = ExecutionResult(
                "time_limit", error="time", detail="it used up its processor time"
            )
            return ProgramResult(job.key, load), False
        if status is not None and status >= 0:
            load = ExecutionResult(
                "q_error", error="exit", detail=f"the Program ended q with status {status}"
            )
            return ProgramResult(job.key, load), False
        ending = f"signal {-status}" if status is not None else why
        detail = f"the q process was lost: {ending} {words}".rstrip()
        return ProgramResult(
            job.key, ExecutionResult("infra_error", error="worker", detail=detail)
        ), True


def start_workers(
    start: Callable[[], OwnProcess],
    n_workers: int,
    limits: Limits,
    job_time_s: float,
    wait_s: float,
) -> list[ProcessWorker]:
    """Make workers of one kind of process; the first is started, and asked who it is. Raises: EngineUnavailable."""
    workers = [ProcessWorker(start, limits, job_time_s, wait_s) for _ in range(n_workers)]
    first = workers[0]
    first.introduce()
    for worker in workers[1:]:
        worker.version, worker.is_ours = first.version, first.is_ours
    return workers


class KdbProcess(WorkerEngine[ProcessWorker]):
    """Executes q Programs with a kdb+ on this machine."""

    name: ClassVar[str] = "kdb_process"

    def __init__(
        self,
        n_workers: int = 2,
        limits: Limits | None = None,
        *,
        binary: str = "",
        job_time_s: float = 60.0,
        wait_s: float = 0.0,
    ) -> None:
        """Find q and see that it answers.

        binary: path of q; the PATH, then QHOME are searched when empty.
        wait_s: how long a q that once answered and now does not start is tried again.
        Raises: EngineUnavailable with a sentence that says what to do.
        """
        if n_workers < 1:
            raise ValueError(f"n_workers must be at least 1, got {n_workers}")
        found = find_q(binary)
        limits = limits or Limits()
        workers = start_workers(
            lambda: QProcess(found, limits.output_bytes), n_workers, limits, job_time_s, wait_s
        )
        self._version = workers[0].version
        super().__init__(workers)

    @property
    def version(self) -> str:
        """Version and date of the kdb+ that answers, such as `4.1 2025.02.18`."""
        return self._version
