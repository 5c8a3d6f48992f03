"""Worker for Python references: load untrusted source, call its function, send the values back as typed JSON.

Runs in a confined process that serves a single job, so it defends nothing within itself: what the reference changes
here is gone with the process. Time is kept from outside. Preloaded are the modules that references commonly import;
others are imported by the reference from the standard library.

What this deliberately does not do: judge values, or restrict the language. Isolation is the kernel's (`isolation`).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import random
import sys
import time
import types
import typing
from collections.abc import Callable
from functools import partial
from typing import Any

from q_runtime.limits import Limits
from q_runtime.sandbox.capture import BoundedText
from q_runtime.sandbox.protocol import Channel, encode_frame
from q_runtime.sandbox.template import PROJECT_DIRECTORY
from q_runtime.sandbox.typed_json import TypedJsonError, decode_typed, encode_typed

MODULE_NAME = "reference"
MAX_ERROR_CHARS = 500
SOURCE_FILE = "<reference>"
PRELOADED = """
    abc array ast bisect builtins calendar cmath codecs collections collections.abc contextlib copy dataclasses datetime
    decimal enum fractions functools heapq inspect io itertools json keyword math numbers operator os os.path random re
    statistics string struct sys textwrap time traceback types typing unicodedata warnings weakref
""".split()
"""Modules that references commonly import. Every worker is a copy of the template, so what is rarely used stays out:
it is read from the standard library by whoever asks for it."""


class _TooMuchOutput(Exception):
    """The encoded result is longer than allowed."""


def warm_up() -> None:
    """Do once what the first job would otherwise pay for."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # some are missing from some builds of Python
            importlib.import_module(name)
    compile("def f(x: int) -> int:\n    return x\n", SOURCE_FILE, "exec")
    random.Random("0:0")
    _forget_project()


def _forget_project() -> None:
    """Leave a reference nothing of this project to import; done here once, for a copy must touch little."""
    sys.path[:] = [path for path in sys.path if path != str(PROJECT_DIRECTORY)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "q_runtime"]:
        del sys.modules[name]


def serve(channel: Channel, limits: Limits) -> None:
    """Execute the one job that comes, then wait to be ended."""
    job = channel.receive()
    _Runner(channel, limits).run(job)
    channel.receive()


class _Runner:
    """Executes one job and sends a frame for everything it evaluates."""

    def __init__(self, channel: Channel, limits: Limits) -> None:
        self._channel = channel
        self._limits = limits
        self._stdout = BoundedText(limits.output_bytes)
        self._pending = b""
        sys.stdout = sys.stderr = self._stdout

    def run(self, job: dict[str, Any]) -> None:
        """Load the source; if that works, evaluate everything that is asked for."""
        names = _namespace(MODULE_NAME)
        loaded = self._evaluate(partial(_load, job["source"], names), is_data=False)
        self._send("load", loaded)
        if loaded["status"] == "ok":
            for arguments in job["calls"]:
                self._call(names, job["entry_point"], arguments)
            if job["generator"]:
                self._call_generated(names, job["entry_point"], job["generator"])
            for expression in job["expressions"]:
                self._flush()
                self._send("call", self._evaluate(partial(_value_of, expression, names)))
        self._pending += encode_frame({"end": True})
        self._flush()

    def _call(self, names: dict[str, Any], entry_point: str, arguments: list[Any]) -> None:
        self._flush()
        execution = self._evaluate(partial(_apply, names, entry_point, arguments))
        if execution["status"] == "python_error" and entry_point not in names:
            execution["error"] = f"the source does not define {entry_point}"
        self._send("call", execution)

    def _call_generated(
        self, names: dict[str, Any], entry_point: str, generator: dict[str, Any]
    ) -> None:
        """Call with generated arguments; a generator that fails is told apart in the error."""
        generator_names = _namespace("generator")
        load = partial(_load, generator["source"], generator_names)
        loaded = self._evaluate(load, is_data=False)
        for index in range(generator["count"]):
            self._flush()
            made = loaded
            if loaded["status"] == "ok":
                rng = random.Random(f"{generator['seed']}:{index}")
                made = self._evaluate(partial(_generate, generator_names, rng))
            if made["status"] != "ok":
                error = f"generator: {made['error']}"
                self._send("call", {**made, "value": None, "error": error, "arguments": None})
                continue
            arguments = made["value"]
            called = self._evaluate(partial(_apply, names, entry_point, arguments))
            self._send("call", {**called, "arguments": arguments})

    def _evaluate(self, thunk: Callable[[], Any], *, is_data: bool = True) -> dict[str, Any]:
        """Run untrusted code; everything that may come of it becomes a status."""
        started = time.perf_counter()
        status, value, error = "ok", None, None
        try:
            result = thunk()
            if is_data:
                value = self._encoded(result)
            del result
        except MemoryError:
            status, error = "memory_limit", "memory"
        except _TooMuchOutput:
            status = "output_limit"
            error = f"a result of more than {self._limits.output_bytes} bytes"
        except TypedJsonError as failure:
            status, error = "python_error", f"unencodable result: {failure}"
        except BaseException as failure:  # noqa: BLE001
            # Untrusted code: SystemExit, KeyboardInterrupt and whatever it defines are its own errors.
            status, error = "python_error", _describe(failure)
        duration_s = time.perf_counter() - started
        stdout, has_overflowed = self._stdout.take()
        if has_overflowed and status == "ok":
            status, value = "output_limit", None
            error = f"more than {self._limits.output_bytes} characters printed"
        return {
            "status": status,
            "value": value,
            "error": error,
            "stdout": stdout,
            "duration_s": duration_s,
        }

    def _encoded(self, result: object) -> Any:
        """The typed JSON of a result.

        Raises:
            _TooMuchOutput, TypedJsonError.
        """
        encoded = encode_typed(result)
        try:
            length = len(json.dumps(encoded))
        except ValueError as error:
            raise TypedJsonError("an int of thousands of digits") from error
        if length > self._limits.output_bytes:
            raise _TooMuchOutput
        return encoded

    def _send(self, kind: str, execution: dict[str, Any]) -> None:
        """Keep a frame until the next evaluation begins, so that the last one travels with the end."""
        self._pending += encode_frame({kind: execution})

    def _flush(self) -> None:
        """Send what is kept: nothing that was finished may be lost with the next evaluation."""
        if self._pending:
            self._channel.send_bytes(self._pending)
            self._pending = b""


def _namespace(name: str) -> dict[str, Any]:
    """Names of a fresh module, which also knows what `typing` exports, as references assume."""
    module = types.ModuleType(name)
    sys.modules[name] = module  # dataclasses look their module up
    names = vars(module)
    names.update({public: getattr(typing, public) for public in typing.__all__})
    return names


def _load(source: str, names: dict[str, Any]) -> None:
    # exec is the purpose here: untrusted code in a process confined for it.
    exec(compile(source, SOURCE_FILE, "exec", dont_inherit=True), names)


def _value_of(expression: str, names: dict[str, Any]) -> Any:
    return eval(expression.strip(), names)  # noqa: S307 - as above


def _apply(names: dict[str, Any], entry_point: str, arguments: list[Any]) -> Any:
    return names[entry_point](*map(decode_typed, arguments))


def _generate(names: dict[str, Any], rng: random.Random) -> list[Any]:
    return list(names["generate"](rng))


def _describe(failure: BaseException) -> str:
    """Exception and message as one line; its own text may fail too."""
    name = type(failure).__name__
    try:
        message = str(failure)
    except BaseException:  # noqa: BLE001 - untrusted __str__
        message = "(its message cannot be shown)"
    return f"{name}: {message}"[:MAX_ERROR_CHARS] if message else name
