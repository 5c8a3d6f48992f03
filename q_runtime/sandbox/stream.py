"""The results of one call of a pool's `run`, as they come: bounded drawing, progress, cancelling.

Jobs are drawn in the thread that takes the results, a bounded number ahead of them, so whoever takes slowly is served
slowly, and an endless iterable is as good as a list. What this deliberately does not do: execute jobs (`pool`).
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, Self, TypeVar

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")
AnyJobT = TypeVar("AnyJobT", contravariant=True)


@dataclass(eq=False, slots=True, weakref_slot=True)
class Inbox(Generic[ResultT]):
    """Where the results of one stream arrive. It lives as long as jobs are under way, the stream as it is wanted."""

    results: queue.SimpleQueue[ResultT | BaseException] = field(default_factory=queue.SimpleQueue)
    """Results, and the error or the StopIteration that ends the stream."""
    is_cancelled: bool = False
    """Whether what arrives is of no interest any more."""


class Executor(Protocol[AnyJobT, ResultT]):
    """What a stream needs of its pool; all of it may be used from any thread."""

    def submit(self, job: AnyJobT, inbox: Inbox[ResultT]) -> None:
        """Have a job executed, and the result, or the error instead, put into the inbox."""
        ...

    def interrupt(self, inbox: Inbox[ResultT]) -> None:
        """Stop what is being executed for a cancelled inbox."""
        ...


class ResultStream(Iterator[ResultT], Generic[JobT, ResultT]):
    """Iterates over results in order of completion.

    One thread iterates; any thread may look at the counts or cancel. A stream that is dropped is cancelled.
    """

    def __init__(
        self,
        executor: Executor[JobT, ResultT],
        jobs: Iterable[JobT],
        window: int,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self._executor = executor
        self._source = iter(jobs)
        self._window = window
        self._on_progress = on_progress
        self._is_exhausted = False
        self._is_over = False
        self.inbox: Inbox[ResultT] = Inbox()
        self.n_submitted = 0
        """Jobs drawn so far."""
        self.n_taken = 0
        """Results taken so far; at most the window less than the jobs drawn."""

    def __iter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __next__(self) -> ResultT:
        """The next result. Raises: what the jobs' iterable or the pool raised, once; then the stream is at its end."""
        if self._is_over:
            raise StopIteration
        try:
            self._draw()
            result = StopIteration() if self._is_complete else self.inbox.results.get()
            if isinstance(result, BaseException):
                raise result
            self.n_taken += 1
            if self._on_progress:
                self._on_progress(self.n_taken)
        except BaseException:
            self.cancel()
            raise
        return result

    def cancel(self) -> None:
        """End the stream: what is being executed for it is stopped, and whoever waits sees its end."""
        if not self._is_over:
            self._is_over = self.inbox.is_cancelled = True
            self.inbox.results.put(StopIteration())
            self._executor.interrupt(self.inbox)

    @property
    def _is_complete(self) -> bool:
        return self._is_exhausted and self.n_taken == self.n_submitted

    close = cancel
    """The name that generators have for it."""

    def __del__(self) -> None:
        """Cancel what nobody waits for any more."""
        self.cancel()

    def _draw(self) -> None:
        """Submit jobs until as many are under way as the window allows."""
        while not self._is_exhausted and self.n_submitted - self.n_taken < self._window:
            try:
                job = next(self._source)
            except StopIteration:
                self._is_exhausted = True
            else:
                self.n_submitted += 1
                self._executor.submit(job, self.inbox)
