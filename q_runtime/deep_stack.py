"""Threads with a deep stack, on which q runs: made when needed, kept for the next call, gone before a fork.

Starting a thread costs more than a small q expression, so that a thread that has done its work waits for more. It knows
nothing of q.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

NAME = "q-session"
_STACK_BYTES = 256 << 20
_MAX_IDLE = 4
_spawn = threading.Lock()


class DeepThread:
    """A thread that runs one body after another."""

    def __init__(self) -> None:
        self._wanted = threading.Lock()
        self._wanted.acquire()
        self._done = threading.Lock()
        self._done.acquire()
        self._body: Callable[[], None] | None = None
        with _spawn:
            before = threading.stack_size(_STACK_BYTES)
            try:
                self._thread = threading.Thread(target=self._work, name=NAME, daemon=True)
                self._thread.start()
            finally:
                threading.stack_size(before)

    def _work(self) -> None:
        while True:
            self._wanted.acquire()
            if self._body is None:
                return
            self._body()
            self._body = None
            self._done.release()

    def start(self, body: Callable[[], None]) -> None:
        """Begin to run `body`, which must not raise."""
        self._body = body
        self._wanted.release()

    def wait(self) -> None:
        """Wait until the body has returned."""
        self._done.acquire()

    def end(self) -> None:
        """End the idle thread."""
        self._body = None
        self._wanted.release()
        self._thread.join()


_idle: list[DeepThread] = []


def run(body: Callable[[], None], on_interrupt: Callable[[], None]) -> None:
    """Run `body`, which must not raise, on a deep-stack thread and wait for its end.

    on_interrupt: called when the wait is interrupted; it must make the body end soon.
    """
    try:
        thread = _idle.pop()
    except IndexError:
        thread = DeepThread()
    thread.start(body)
    try:
        thread.wait()
    except BaseException:
        on_interrupt()
        thread.wait()
        _keep(thread)
        raise
    _keep(thread)


def _keep(thread: DeepThread) -> None:
    if len(_idle) < _MAX_IDLE:
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
