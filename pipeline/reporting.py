"""How a running process tells where it is, and hears that it should stop.

One `Reporter` per process: it appends events, rewrites `progress.json` at most once a second, beats every five
seconds from a thread while a long computation runs, draws a progress bar when a person watches, and answers
`should_stop` from SIGTERM, SIGINT and `control.json`.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tqdm import tqdm

from pipeline.errors import PipelineError, StopRequested
from pipeline.records import RunEvent
from pipeline.rundir import RunDir

HEARTBEAT_S = 5.0
MIN_INTERVAL_S = 1.0
CONTROL_INTERVAL_S = 1.0

log = logging.getLogger(__name__)


class Reporter:
    """Tells the world about one run from inside its process."""

    def __init__(self, rundir: RunDir, show_bars: bool = False) -> None:
        self.rundir = rundir
        self.show_bars = show_bars
        self._state: dict[str, Any] = {
            "stage": "",
            "iteration": 0,
            "done": 0,
            "total": 0,
            "message": "starting",
        }
        self._written_at = 0.0
        self._control_at = 0.0
        self._stop = False
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._bar: tqdm[None] | None = None

    def __enter__(self) -> Reporter:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._write()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._close_bar()

    def event(self, kind: str, message: str, **data: Any) -> RunEvent:
        """Append an event and log its sentence."""
        log.info("%s", message)
        with self._lock:
            return self.rundir.event(kind, message, **data)

    def warn(self, message: str, **data: Any) -> None:
        """Append a warning: something a person should know that does not end the run."""
        log.warning("%s", message)
        with self._lock:
            self.rundir.event("warning", message, **data)

    @contextmanager
    def stage(self, name: str, iteration: int, message: str, total: int = 0) -> Iterator[None]:
        """Everything inside belongs to one Stage; its time is recorded when it ends well."""
        started = time.monotonic()
        self.event("stage_started", message, stage=name, iteration=iteration)
        self.begin(name, iteration, message, total)
        yield
        self._close_bar()
        seconds = round(time.monotonic() - started, 3)
        self.event(
            "stage_finished",
            f"{message}: {seconds:.1f} s",
            stage=name,
            iteration=iteration,
            seconds=seconds,
        )

    def begin(self, stage: str, iteration: int, message: str, total: int) -> None:
        """Begin counting a piece of work of `total` units (0: not countable)."""
        self._close_bar()
        self._state.update(stage=stage, iteration=iteration, message=message, done=0, total=total)
        if self.show_bars:
            self._bar = tqdm(total=total or None, desc=message, file=sys.stderr, leave=True)
        self._write()

    def progress(self, done: int, message: str | None = None) -> None:
        """So many units of the current piece are done."""
        self._state["done"] = done
        if message is not None:
            self._state["message"] = message
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        if time.monotonic() - self._written_at >= MIN_INTERVAL_S:
            self._write()

    def should_stop(self) -> bool:
        """Whether somebody asked this process to stop and save."""
        if not self._stop and time.monotonic() - self._control_at >= CONTROL_INTERVAL_S:
            self._control_at = time.monotonic()
            self._stop = self.rundir.requested() == "stop"
        return self._stop

    def check_stop(self) -> None:
        """A safe point: everything is on disk. Raises: StopRequested."""
        if self.should_stop():
            raise StopRequested

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop = True

    def _write(self) -> None:
        with self._lock:
            self._written_at = time.monotonic()
            self.rundir.write_progress(**self._state)

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT_S):
            try:
                self._write()
            except PipelineError as error:
                # The working thread meets the same full disk and reports it; a heartbeat must not hide it by dying.
                log.error("%s", error)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
