"""Threads with a deep stack, on which q runs: made when needed, kept for the next call, gone before a fork.

Starting a thread costs more than a small q expression, so that a thread that has done its work waits for more. It knows
nothing of q.

A budget is polled where q loops and calls; one primitive on a value that is small in memory and endless to walk
(a list doubled sixty times) never gets there. Well past its deadline a body is stopped from outside: TimeUp is raised
in it. One long NumPy call still runs to its end.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

NAME = "q-session"
_STACK_BYTES = 256 << 20
_MAX_IDLE = 4
_GRACE_S = 1.0
_AGAIN_S = 0.5
_LONGEST_WAIT_S = 60.0
_spawn = threading.Lock()


class TimeUp(BaseException):
    """Raised from outside in a body that is past its deadline."""


class DeepThread:
    """A thread that runs one body after another."""

    def __init__(self) -> None:
        self._wanted = threading.Lock()
        self._wanted.acquire()
        self._done = threading.Lock()
        self._done.acquire()
        self._body: Callable[[], None] | None = None
        self.is_stopped = False
        with _spawn:
            before = threading.stack_size(_STACK_BYTES)
            try:
                self._thread = threading.Thread(target=self._work, name=NAME, daemon=True)
                self._thread.start()
            finally:
                threading.stack_size(before)

    def _work(self) -> None:
        try:
            while True:
                self._wanted.acquire()
                if self._body is None:
                    return
                self._body()
                self._body = None
                self._done.release()
        except TimeUp:  # came after the body had returned
            return

    @property
    def is_working(self) -> bool:
        """Whether a body has been started and has not returned."""
        return self._body is not None

    def start(self, body: Callable[[], None]) -> None:
        """Begin to run `body`, which must not raise."""
        self._body = body
        self._wanted.release()

    def wait(self, deadline: Callable[[], float]) -> None:
        """Wait until the body has returned; stop it when it goes on for long after its deadline.

        deadline: tells the time of time.monotonic() by which the body should have ended by itself.
        """
        while self._thread.is_alive():
            left = deadline() + _GRACE_S - time.monotonic()
            if left <= 0 and self._body is not None:
                self._stop()
                left = _AGAIN_S
            if self._done.acquire(timeout=min(max(left, _AGAIN_S), _LONGEST_WAIT_S)):
                return

    def _stop(self) -> None:
        """Raise TimeUp in the thread at its next Python instruction."""
        import ctypes

        self.is_stopped = True
        ident, what = ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(TimeUp)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, what)

    def end(self) -> None:
        """End the idle thread."""
        self._body = None
        self._wanted.release()
        self._thread.join()


_idle: list[DeepThread] = []


def run(
    body: Callable[[], None], deadline: Callable[[], float], on_interrupt: Callable[[], None]
) -> None:
    """Run `body`, which must not raise, on a deep-stack thread and wait for its end.

    deadline: as for DeepThread.wait. on_interrupt: called when the wait is interrupted; it must make the body end soon.
    """
    try:
        thread = _idle.pop()
    except IndexError:
        thread = DeepThread()
    try:
        thread.start(body)
        thread.wait(deadline)
    except BaseException:
        on_interrupt()
        if thread.is_working:
            thread.wait(deadline)
            _keep(thread)
        else:  # interrupted before it began, or when it had just ended
            thread.end()
        raise
    _keep(thread)


def _keep(thread: DeepThread) -> None:
    if len(_idle) < _MAX_IDLE and not thread.is_stopped:
        _idle.append(thread)
    else:
        thread.end()


def is_inside() -> bool:
    """Say whether the caller already is on such a thread."""
    return threading.current_thread().name == NAME


def end_idle() -> None:
    """End the idle threads: before a fork, which a thread does not survive."""
    while _idle:
        _idle.pop().end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=end_idle)
