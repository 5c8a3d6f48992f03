"""Worker for q Programs: a fresh Session per Program in a process that serves many of them.

A Program is data to our own interpreter, whose primitives are an allowlist, so one process may serve many Programs; a
Session shares nothing with the one before it. The Session keeps time between the steps that it interprets; what it
cannot interrupt is ended from outside by the pool. After a Program ran out of memory the worker asks to be replaced.

What this deliberately does not do: compare values (`pipeline`), isolate itself (`isolation`).
"""

from __future__ import annotations

import gc
import importlib
import json
import math
import pkgutil
import re
import resource
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from q_runtime.engine import NO_FUNCTION, NOT_RUN, STARVED, Wire
from q_runtime.errors import LimitExceeded, QError, QSyntaxError, Starved, UnsupportedFeature
from q_runtime.frames import offset_in
from q_runtime.limits import Limits
from q_runtime.sandbox.capture import BoundedText
from q_runtime.sandbox.protocol import Channel, encode_frame
from q_runtime.session import Session

MAX_DETAIL_CHARS = 500
"""Longest name of an error, which a Program may choose, and longest sentence about one."""
NAME = re.compile(r"\.?[A-Za-z][A-Za-z0-9_.]*")
FUNCTION_TYPES = range(100, 113)
NUMBERS = frozenset((1, *range(4, 10), *range(12, 20)))
"""Types whose items JSON has as numbers, `true`, `null` or a short word."""
NUMBER_CHARS = 28
"""Longest such item with what separates it."""
BRACKETS = 40
"""Room for what stands around the items."""
MAX_NESTING = 100
"""Deepest nesting of lists, dictionaries and tables in a result: what reads and compares results must bear it."""
GENERIC_NULL = 101
WARM_UP_PROGRAM = "f:{[x;y] s:0; i:0; while[i<x; s+:i*y; i+:1]; s}"


class _TooMuchOutput(Exception):
    """The result is longer, or nested deeper, than allowed; the text says which."""


def warm_up() -> None:
    """Import every module of the engine and do once what the first Program would otherwise pay for."""
    import q_runtime

    # The name by which a Session knows that it need not start a thread with a deep stack: it would not be allowed
    # to here, and the main thread's stack is as deep (isolation.STACK_BYTES).
    threading.current_thread().name = "q-session"
    for package in ("evaluate", "lang", "prims", "values"):
        folder = [f"{path}/{package}" for path in q_runtime.__path__]
        for module in pkgutil.iter_modules(folder, f"q_runtime.{package}."):
            importlib.import_module(module.name)
    session = Session()
    session.evaluate_wire(WARM_UP_PROGRAM)
    session.apply_wire("f", [{"t": -7, "v": 3}, {"t": -7, "v": 2}])


def serve(channel: Channel, limits: Limits) -> None:
    """Execute jobs until the pool ends this process."""
    runner = _Runner(channel, limits)
    while True:
        runner.run(channel.receive())
        # A session is a circle of references: what a Program held must not be missing to the next. Freezing what is
        # left, caches of compiled text, keeps the next collection as short as this one.
        gc.collect()
        gc.freeze()


class _Runner:
    """Executes jobs one after the other and sends a frame for everything it evaluates."""

    def __init__(self, channel: Channel, limits: Limits) -> None:
        self._channel = channel
        self._limits = limits
        self._printed = BoundedText(limits.output_bytes)
        self._pending = b""
        self._is_builtin: dict[str, bool] = {}
        self._is_worn = False
        self._most_s = 0

    def run(self, job: dict[str, Any]) -> None:
        """Load the Program; if that works, make the calls until one exceeds the time."""
        calls = job["calls"]
        session = Session(self._limits)
        loaded, function = self._load(session, job["program"], job["entry_point"], bool(calls))
        self._send("load", loaded)
        if loaded["status"] == "ok":
            self._call_all(session, job["program"], function, calls)
        used_s = time.process_time()
        self._pending += encode_frame({"end": True, "worn": self._is_worn, "processor_s": used_s})
        self._flush()

    def _call_all(
        self, session: Session, program: str, function: str | Wire, calls: list[list[Wire]]
    ) -> None:
        is_overrun = False
        for arguments in calls:
            if is_overrun:
                self._send("call", _execution("time_limit", error="time", detail=NOT_RUN))
                continue
            self._flush()
            called = self._evaluate(
                session, program, partial(session.apply_wire, function, arguments)
            )
            is_overrun = called["status"] == "time_limit"
            self._send("call", called)
            if called["status"] == "infra_error":
                break  # the job is run once more, or judged by what there is

    def _load(
        self, session: Session, program: str, entry_point: str | None, must_have_function: bool
    ) -> tuple[dict[str, Any], str | Wire]:
        """Evaluate the Program text and find what is to be called."""
        loaded = self._evaluate(session, program, partial(session.evaluate_wire, program))
        if loaded["status"] != "ok":
            return loaded, ""
        if entry_point and self._is_defined(session, entry_point):
            return loaded, entry_point
        if _is_function(loaded["value"]):
            return loaded, loaded["value"]
        if must_have_function:
            wanted = f"no function {entry_point!r} and " if entry_point else ""
            detail = f"{wanted}the last value is not a function"
            stdout = loaded["stdout"]
            return _execution("q_error", error=NO_FUNCTION, detail=detail, stdout=stdout), ""
        return loaded, ""

    def _is_defined(self, session: Session, name: str) -> bool:
        """Tell whether the Program gave the name a function; q's own names do not count."""
        if not NAME.fullmatch(name):
            return False
        if name not in self._is_builtin:
            self._is_builtin[name] = _names_function(Session(self._limits), name)
        return not self._is_builtin[name] and _names_function(session, name)

    def _evaluate(
        self, session: Session, program: str, thunk: Callable[[], Wire]
    ) -> dict[str, Any]:
        """Run q; everything that may come of it becomes a status. An error is given its place in the Program."""
        self._limit_processor_time()
        started = time.perf_counter()
        status, value, error, detail, at = "ok", None, None, "", None
        try:
            value = self._checked(thunk())
        except QSyntaxError as failure:
            status, error, detail = "syntax_error", failure.code, str(failure)
            at = offset_in(program, failure.frames)
        except QError as failure:
            status = "memory_limit" if failure.code == "wsfull" else "q_error"
            error, detail = failure.code, str(failure)
            at = offset_in(program, failure.frames)
        except UnsupportedFeature as failure:
            status, error, detail = "unsupported", "unsupported", str(failure)
        except LimitExceeded as failure:
            status, error, detail = _of_limit(failure)
        except Starved as failure:
            status, error, detail = "infra_error", STARVED, str(failure)
        except MemoryError:
            status, error = "memory_limit", "wsfull"
            detail = f"more than {self._limits.memory_mb} MB"
        except RecursionError:
            status, error, detail = "q_error", "stack", "calls or values nested too deeply"
        except _TooMuchOutput as failure:
            status, error, detail = "output_limit", "output", str(failure)
        duration_s = time.perf_counter() - started
        self._is_worn = self._is_worn or status == "memory_limit"
        self._printed.write(session.take_output())
        stdout, has_overflowed = self._printed.take()
        if has_overflowed and status == "ok":
            status, value, error = "output_limit", None, "output"
            detail = f"more than {self._limits.output_bytes} characters printed"
        return _execution(status, value, error, detail, stdout, duration_s, at)

    def _checked(self, value: Wire) -> Wire:
        """The value, if it is short and flat enough to be sent."""
        most = self._limits.output_bytes
        if _is_surely_short(value, most):
            return value
        if _is_too_deep(value):
            raise _TooMuchOutput(f"a result nested more than {MAX_NESTING} deep")
        if len(json.dumps(value, allow_nan=False)) > most:
            raise _TooMuchOutput(f"a result of more than {most} bytes")
        return value

    def _limit_processor_time(self) -> None:
        """Let the kernel end this process where an evaluation cannot be stopped in it: a second or two too late."""
        most_s = math.ceil(time.process_time() + self._limits.time_s) + 1
        if most_s != self._most_s:
            _, hard = resource.getrlimit(resource.RLIMIT_CPU)
            resource.setrlimit(resource.RLIMIT_CPU, (most_s, hard))
            self._most_s = most_s

    def _send(self, kind: str, execution: dict[str, Any]) -> None:
        """Keep a frame until the next evaluation begins, so that the last one travels with the end."""
        self._pending += encode_frame({kind: execution, "processor_s": time.process_time()})

    def _flush(self) -> None:
        """Send what is kept: nothing that was finished may be lost with the next evaluation."""
        if self._pending:
            self._channel.send_bytes(self._pending)
            self._pending = b""


def _execution(
    status: str,
    value: Wire | None = None,
    error: str | None = None,
    detail: str = "",
    stdout: str = "",
    duration_s: float = 0.0,
    at: int | None = None,
) -> dict[str, Any]:
    """An `ExecutionResult` as JSON."""
    return {
        "status": status,
        "value": value,
        "error": None if error is None else error[:MAX_DETAIL_CHARS],
        "detail": detail[:MAX_DETAIL_CHARS],
        "stdout": stdout,
        "duration_s": duration_s,
        "at": at,
    }


def _of_limit(failure: LimitExceeded) -> tuple[str, str, str]:
    """Status, error and detail of a limit; nesting too deep is q's own 'stack."""
    if failure.kind == "depth":
        return "q_error", "stack", str(failure)
    return f"{failure.kind}_limit", failure.kind, str(failure)


def _is_surely_short(value: Wire, most: int) -> bool:
    """Tell without writing it out that a value is shorter than `most` bytes of JSON; only for simple ones."""
    content = value["v"]
    if type(content) is str:
        return 12 * len(content) + BRACKETS < most
    if type(content) is list:
        return abs(value["t"]) in NUMBERS and NUMBER_CHARS * len(content) + BRACKETS < most
    return content is None or type(content) is not dict


def _is_too_deep(value: Wire) -> bool:
    """Tell whether a value is nested deeper than MAX_NESTING; every level of q is two of JSON."""
    layer: list[Any] = [value]
    for _ in range(2 * MAX_NESTING + 2):
        parts = (part for node in layer for part in (node.values() if type(node) is dict else node))
        layer = [part for part in parts if type(part) in (dict, list)]
        if not layer:
            return False
    return True


def _is_function(value: Wire) -> bool:
    kind = value["t"]
    return kind in FUNCTION_TYPES and not (kind == GENERIC_NULL and value["v"] == "::")


def _names_function(session: Session, name: str) -> bool:
    try:
        return _is_function(session.evaluate_wire(name))
    except (QError, UnsupportedFeature, LimitExceeded, MemoryError, RecursionError):
        return False
