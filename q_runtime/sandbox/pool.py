"""A pool of warm worker processes that streams results: the half that q and Python workers share.

Jobs are drawn by whoever takes the results (`stream`), while deadlines are watched here: every worker has a thread of
the pool that sends it a job, and the next while it is busy, reads frames, and kills it when a deadline passes. A
killed, lost or worn-out worker is replaced by a fork of the template. A job whose worker is lost through no fault of
its own is run once more; what is recorded then, a subclass decides.

Frames of one job, after `{"ready": layers}` once per worker: `{"load": ..}`, `{"call": ..}` each, `{"end": true}`; the
end may carry `"worn": true` to ask for replacement. Each frame renews the deadline. What this deliberately does not
do: understand jobs or frames (`q_pool`, `python_pool`), isolate (`isolation`).
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Generic, Literal, Self

from q_runtime.errors import WorkerCrashed
from q_runtime.limits import Limits
from q_runtime.sandbox.isolation import Layer
from q_runtime.sandbox.protocol import (
    ChannelClosed,
    ChannelError,
    DeadlinePassed,
    MalformedFrame,
    encode_frame,
)
from q_runtime.sandbox.seccomp import OUTSIDE_SIGNALS
from q_runtime.sandbox.stream import Inbox, JobT, ResultStream, ResultT
from q_runtime.sandbox.template import Template, WorkerExit, WorkerHandle, WorkerKind

READY_TIMEOUT_S = 30.0
"""A worker that has not announced itself by then is lost; in practice it takes milliseconds."""
LAST_WORDS_S = 0.2
"""How long a worker whose channel closed is given to end by itself, so that its exit status is known."""
AHEAD_AFTER = 2
"""Answers of a job after which its worker is sent the next: the load and the first call, where most that hang do."""
AHEAD_BYTES = 32 * 1024
"""Longest frame that is sent ahead: the channel takes it whole, though the worker does not read yet."""
MAX_ATTEMPTS = 2
MAX_STARTS = 3
MAX_SECONDS = 1e6
USED_UP = "it used up its processor time"
"""Detail of the ending `deadline` where the kernel ended the worker, and not the pool."""

Ending = Literal["end", "deadline", "lost", "exited", "malformed"]


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was heard of one job."""

    frames: tuple[dict[str, Any], ...]
    ending: Ending
    """`end` in order; `lost`: killed from outside; `exited`: ended by itself; others as named."""
    detail: str = ""
    waited_s: float = 0.0
    """Seconds between the last frame and the ending."""
    processor_s: float = 0.0
    """Of a worker that was ended at a deadline: the processor time that it used meanwhile, as far as it told before."""


class PoolClosed(RuntimeError):
    """The pool was closed while, or before, it was asked for results."""


class WorkerPool(ABC, Generic[JobT, ResultT]):
    """Streams jobs through `n_workers` processes. Use as a context manager, or call `close`.

    May be used from any thread and by several at once. Must not be used in a forked copy of the process.
    """

    recycle_after: ClassVar[int] = 500
    """Jobs after which a worker is replaced."""
    grace_s: ClassVar[float] = 0.25
    """Added to the longest time by the clock before a silent worker is killed."""

    def __init__(
        self,
        n_workers: int = 2,
        limits: Limits | None = None,
        *,
        job_time_s: float = 60.0,
        recycle_after: int | None = None,
    ) -> None:
        """Start the template and the workers' threads; returns before they are ready.

        Args:
            n_workers: processes that execute at the same time.
            limits: of each load and each call; the defaults of `Limits` if None.
            job_time_s: wall time for a whole job, over all its calls.
            recycle_after: jobs after which a worker is replaced.
        """
        if n_workers < 1:
            raise ValueError(f"n_workers must be at least 1, got {n_workers}")
        self.n_workers = n_workers
        self.limits = limits or Limits()
        self.job_time_s = job_time_s
        self._recycle_after = recycle_after or self.recycle_after
        self._window = 4 * n_workers
        self._owner_pid = os.getpid()
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._is_closed = False
        self._layers: tuple[Layer, ...] = ()
        self._inboxes: weakref.WeakSet[Inbox[ResultT]] = weakref.WeakSet()
        self._tickets: queue.SimpleQueue[tuple[JobT, Inbox[ResultT]] | None] = queue.SimpleQueue()
        self._template = self._new_template()
        self._slots = [_Slot(self, index) for index in range(n_workers)]

    @abstractmethod
    def _worker_kind(self) -> WorkerKind:
        """Which workers the template makes."""

    @abstractmethod
    def _encode(self, job: JobT) -> dict[str, Any]:
        """The job as one frame."""

    @abstractmethod
    def _n_answers(self, job: JobT) -> int:
        """How many frames may come of a job before its end; whoever sends more is cut off."""

    @abstractmethod
    def _result(self, job: JobT, transcript: Transcript) -> ResultT:
        """What is recorded of a job, given all that was heard of it."""

    @abstractmethod
    def _is_lost(self, transcript: Transcript) -> bool:
        """Whether the job deserves a second attempt because its worker was lost, not because of what it did."""

    def run(
        self, jobs: Iterable[JobT], on_progress: Callable[[int], None] | None = None
    ) -> ResultStream[JobT, ResultT]:
        """Results in order of completion, as jobs are drawn from the iterable.

        At most `4 * n_workers` jobs are drawn ahead of the results taken. `on_progress` is told in the taking thread
        how many were taken. Closing or cancelling the stream, from any thread, drops what is not finished.

        Raises:
            PoolClosed: the pool is closed; while it is iterated, that it was closed meanwhile.
            WorkerCrashed: while it is iterated, that workers cannot be started at all.
        """
        if self._owner_pid != os.getpid():
            raise PoolClosed("this pool belongs to another process; make one after forking")
        stream: ResultStream[JobT, ResultT] = ResultStream(self, jobs, self._window, on_progress)
        with self._lock:
            if self._is_closed:
                raise PoolClosed("the pool is closed")
            self._inboxes.add(stream.inbox)
        return stream

    def submit(self, job: JobT, inbox: Inbox[ResultT]) -> None:
        """Queue a job; what came of it arrives in the inbox. For streams."""
        self._tickets.put((job, inbox))

    def interrupt(self, inbox: Inbox[ResultT]) -> None:
        """Stop waiting for workers that work for a cancelled inbox. For streams."""
        for slot in self._slots:
            slot.interrupt(inbox)

    def active_layers(self) -> tuple[Layer, ...]:
        """Measures of isolation of this pool's workers, active or not; starts one if none has answered yet.

        Raises:
            WorkerCrashed: no worker can be started.
        """
        with self._asking:
            if not self._layers:
                self._start_worker().retire()
        return self._layers

    def close(self) -> None:
        """Drop unfinished jobs and end every process of the pool. May be called more than once."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            inboxes = list(self._inboxes)
        for inbox in inboxes:
            inbox.is_cancelled = True
            inbox.results.put(PoolClosed("the pool was closed before all results were there"))
            self.interrupt(inbox)
        for _ in self._slots:
            self._tickets.put(None)
        self._template.close()  # ends the workers; a thread that waits for one sees its channel close
        for slot in self._slots:
            slot.thread.join()

    def __enter__(self) -> Self:
        """Return the pool itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool."""
        self.close()

    def _take_ticket(self) -> tuple[JobT, Inbox[ResultT]] | None:
        """A ticket that waits, if there is one; that the pool is closed is left for those who wait for tickets."""
        try:
            ticket = self._tickets.get_nowait()
        except queue.Empty:
            return None
        if ticket is None:
            self._tickets.put(None)
        return ticket

    def _start_worker(self) -> WorkerHandle:
        """A worker that has announced itself; a template that is gone is started anew.

        Raises:
            WorkerCrashed: it did not work the last time either.
        """
        reason = "the pool is closed"
        for _ in range(MAX_STARTS):
            template = self._template
            try:
                worker = template.spawn()
            except WorkerCrashed as error:
                reason = str(error)
                self._replace_template(template)
                continue
            try:
                frame = worker.channel.receive(time.monotonic() + READY_TIMEOUT_S)
            except ChannelError as error:
                frame = {"crash": error}
            if "ready" in frame:
                self._layers = tuple(Layer(**layer) for layer in frame["ready"])
                return worker
            reason = str(frame.get("crash"))
            with contextlib.suppress(WorkerCrashed):
                worker.retire()
            if self._is_closed:
                break
        raise WorkerCrashed(f"no worker can be started: {reason}")

    def _replace_template(self, lost: Template) -> None:
        """Start a new template unless another thread has done so already."""
        with self._lock:
            if self._template is lost and not self._is_closed:
                lost.close()
                self._template = self._new_template()

    def _new_template(self) -> Template:
        """A template for the workers of all slots, and for the one that is started to be asked for its layers."""
        return Template(self._worker_kind(), self.limits, self.n_workers + 1)


class _Slot(Generic[JobT, ResultT]):
    """One worker at a time, and the thread that talks to it."""

    def __init__(self, pool: WorkerPool[JobT, ResultT], index: int) -> None:
        self._pool = pool
        self._worker: WorkerHandle | None = None
        self._n_served = 0
        self._processor_s = 0.0
        """What the worker had used when it last spoke, by its own account; 0 where it gives none."""
        # Reentrant: a stream may be dropped, and so cancelled, while this thread holds the lock.
        self._lock = threading.RLock()
        self._inbox: Inbox[ResultT] | None = None
        self._ahead: tuple[JobT, Inbox[ResultT]] | None = None
        self._is_ahead_sent = False
        name = f"{type(pool).__name__}-{index}"
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    def interrupt(self, inbox: Inbox[ResultT]) -> None:
        """Stop waiting for the worker if it works for this inbox; for use from another thread."""
        with self._lock:
            if self._inbox is inbox and self._worker is not None:
                self._worker.interrupt()

    def _work(self) -> None:
        """Serve tickets until the pool is closed."""
        while True:
            if self._worker is None:
                self._prepare()
            ticket, self._ahead = self._ahead or self._pool._tickets.get(), None
            if ticket is None:
                break
            job, inbox = ticket
            if inbox.is_cancelled:
                if self._is_ahead_sent:
                    self._discard()
                continue
            try:
                outcome: ResultT | BaseException = self._serve(job, inbox)
            except Exception as error:  # noqa: BLE001 - a thread's top: handed to whoever waits for the result
                outcome = error
            inbox.results.put(outcome)
            if self._n_served >= self._pool._recycle_after:
                self._discard()
        self._discard()

    def _prepare(self) -> None:
        """Have a worker ready before it is needed; if that fails, the next job will say why."""
        try:
            self._ensure_worker()
        except (WorkerCrashed, OSError):
            self._worker = None

    def _ensure_worker(self) -> WorkerHandle:
        if self._worker is None:
            worker = self._pool._start_worker()
            with self._lock:
                self._worker = worker
            self._n_served, self._processor_s = 0, 0.0
        return self._worker

    def _discard(self, wait_s: float = 0.0) -> WorkerExit | None:
        """End the worker; how it ended, None if unknown."""
        with self._lock:
            worker, self._worker = self._worker, None
        self._is_ahead_sent = False
        if worker is None:
            return None
        try:
            return worker.retire(wait_s)
        except WorkerCrashed:
            return None

    def _serve(self, job: JobT, inbox: Inbox[ResultT]) -> ResultT:
        """Execute a job, once more if its worker is lost."""
        for attempt in range(MAX_ATTEMPTS):
            transcript = self._attempt(job, inbox)
            if attempt + 1 == MAX_ATTEMPTS or inbox.is_cancelled:
                break
            if not self._pool._is_lost(transcript):
                break
        return self._pool._result(job, transcript)

    def _attempt(self, job: JobT, inbox: Inbox[ResultT]) -> Transcript:
        """Send the job to a worker and listen until its end, whatever that is."""
        pool = self._pool
        request, n_answers = pool._encode(job), pool._n_answers(job)
        worker = self._ensure_worker()
        is_sent, self._is_ahead_sent = self._is_ahead_sent, False
        with self._lock:
            self._inbox = inbox
            if inbox.is_cancelled:  # before it was known whom to interrupt
                worker.interrupt()
        self._n_served += 1
        frames: list[dict[str, Any]] = []
        allowed_s = pool.limits.patience * pool.limits.time_s + pool.grace_s
        heard = time.monotonic()
        last = heard + pool.job_time_s
        try:
            if not is_sent:
                worker.channel.send(request, heard + allowed_s)
            while True:
                if len(frames) == AHEAD_AFTER:
                    self._send_ahead(worker)
                frame = worker.channel.receive(min(heard + allowed_s, last))
                self._processor_s = seconds(frame.get("processor_s"))
                if "end" in frame:
                    if frame.get("worn"):
                        self._n_served = pool._recycle_after
                    return Transcript(tuple(frames), "end")
                if len(frames) == n_answers:
                    raise MalformedFrame(f"more than {n_answers} answers")
                frames.append(frame)
                heard = time.monotonic()
        except DeadlinePassed:
            waited_s, ended = time.monotonic() - heard, self._discard()
            used_s = ended.processor_s - self._processor_s if ended else 0.0
            return Transcript(tuple(frames), "deadline", "", waited_s, used_s)
        except MalformedFrame as error:
            self._discard()
            return Transcript(tuple(frames), "malformed", str(error), time.monotonic() - heard)
        except ChannelClosed:
            wait_s = 0.0 if inbox.is_cancelled else LAST_WORDS_S
            ending, detail = _explain_exit(self._discard(wait_s))
            return Transcript(tuple(frames), ending, detail, time.monotonic() - heard)
        finally:
            with self._lock:
                self._inbox = None

    def _send_ahead(self, worker: WorkerHandle) -> None:
        """Give the worker its next job while it is busy, so that it need not wait for this process in between.

        Not the last jobs, which an idle worker might begin at once, and not one that the worker will not live to see.
        """
        pool = self._pool
        if self._n_served >= pool._recycle_after:
            return
        if self._ahead is None and pool._tickets.qsize() >= pool.n_workers:
            self._ahead = pool._take_ticket()
        if self._ahead is None:
            return
        try:
            frame = encode_frame(pool._encode(self._ahead[0]))
        except (TypeError, ValueError):
            return  # said when its turn comes
        if len(frame) <= AHEAD_BYTES:
            worker.channel.send_bytes(frame)
            self._is_ahead_sent = True


def _explain_exit(ended: WorkerExit | None) -> tuple[Ending, str]:
    """What it means that a worker's channel closed in the middle of a job."""
    if ended is None:
        return "lost", "the sandbox's template ended"
    exit_code = ended.exit_code
    if ended.was_killed:
        return "exited", "it closed its channel"
    if exit_code >= 0:
        return "exited", f"it exited with status {exit_code}"
    name = _signal_name(-exit_code)
    if -exit_code == signal.SIGXCPU:
        return "deadline", USED_UP
    if -exit_code in OUTSIDE_SIGNALS:
        return "lost", f"it was ended by {name}"
    return "exited", f"it was ended by {name}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def seconds(value: object) -> float:
    """A duration out of a frame, which untrusted code may have written."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return round(float(value), 6) if 0 <= value <= MAX_SECONDS else 0.0
