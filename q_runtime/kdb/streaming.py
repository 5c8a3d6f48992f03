"""Jobs through a few workers at once, results in order of completion: the half that both kdb+ engines share.

A worker is whatever the engine makes of it: a q process, or a connection. Each serves one job at a time, on a thread of
the engine. What a worker raises (EngineUnavailable) comes out of `run`: the jobs without a result have none, and may
be given again.
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from q_runtime.engine import ProgramResult, QJob


class Worker(Protocol):
    """Something that executes one Program after the other."""

    def serve(self, job: QJob) -> ProgramResult:
        """Execute a job. Raises: EngineUnavailable when there is no q to do it."""
        ...

    def close(self) -> None:
        """End what belongs to the worker. May be called from another thread, and more than once."""
        ...


WorkerT = TypeVar("WorkerT", bound=Worker)


class WorkerEngine(ABC, Generic[WorkerT]):
    """An `Engine` with workers. Use as a context manager, or call `close`."""

    name: ClassVar[str]

    def __init__(self, workers: list[WorkerT]) -> None:
        self._workers = workers
        self._idle: queue.SimpleQueue[WorkerT] = queue.SimpleQueue()
        for worker in workers:
            self._idle.put(worker)
        self._window = 2 * len(workers)
        self._threads = ThreadPoolExecutor(len(workers), thread_name_prefix=self.name)

    @property
    @abstractmethod
    def version(self) -> str:
        """Version of the q that answers."""

    def run(self, jobs: Iterable[QJob]) -> Iterator[ProgramResult]:
        """Execute jobs as they are drawn from the iterable; yield results in order of completion.

        Raises: EngineUnavailable when q went away and did not come back; what was not yielded has no result.
        """
        source = iter(jobs)
        pending: set[Future[ProgramResult]] = set()
        try:
            while True:
                while len(pending) < self._window and (job := next(source, None)) is not None:
                    pending.add(self._threads.submit(self._serve, job))
                if not pending:
                    return
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in pending:
                future.cancel()

    def close(self) -> None:
        """End every worker. May be called more than once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(wait=True)

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every worker."""
        self.close()

    def _serve(self, job: QJob) -> ProgramResult:
        worker = self._idle.get()
        try:
            return worker.serve(job)
        finally:
            self._idle.put(worker)
