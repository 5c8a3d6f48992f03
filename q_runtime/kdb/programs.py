"""Programs over a connection to a kdb+: how one is loaded and called, and what its answers mean.

A Program goes over as its statements, split as a script is, and is evaluated by one message; its function stays on the
other side and is called with values by one message each. The rules (which function is called, what counts as too
much) are those of the embedded engine's worker, so that verdicts compare.

What this deliberately does not do: start or end anything (`process`, `server_engine`), or judge values.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from q_runtime.engine import (
    NO_FUNCTION,
    NOT_RUN,
    ExecutionResult,
    ExecutionStatus,
    ProgramResult,
    QJob,
    Wire,
)
from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.ipc.client import Connection
from q_runtime.ipc.faults import NoAnswer
from q_runtime.lang import nodes as nd
from q_runtime.lang.parser import parse
from q_runtime.lang.tokenizer import statements
from q_runtime.limits import Limits
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import GList, Value, string
from q_runtime.values.wire import from_wire, to_wire

NAME = re.compile(r"\.?[A-Za-z][A-Za-z0-9_.]*")
GRACE_S = 0.25
"""Added to the time limit before an answer is given up: the way there and back."""
WIRE_BYTES_PER_JSON_BYTE = 4
"""No value is so much longer in kdb+'s binary form than as JSON: a longer one is over the limit without being sent."""
OUR_GAP = "unsupported: "
"""How our own server words a gap of the embedded engine; a kdb+ has no such error."""

# Arguments: statements; the entry point or ""; the name that the last statement assigns, or "".
# Result: (0b;size;value;is there a function) or (1b;error;index of the statement).
_LOAD = """{[t;e;a]
 o:ENTER; p:{(type[x] within 100 112h)&not x~(::)};
 b:$[count e;p @[value;e;0];1b];
 s:@[{[t;z] r:(::);i:0; while[i<count t; s:@[{(0b;value x)};t i;{(1b;x)}];
   if[s 0; :(1b;s 1;i)]; r:s 1; i+:1]; (0b;r;0)}[t];::;{(1b;x;-1)}];
 if[s 0; LEAVE; :s];
 r:s 1; if[(r~(::))&count a; r:@[value;a;::]];
 f:$[b;0;@[value;e;0]]; if[not p f; f:r];
 JOB.f:f; LEAVE;
 n:$[p r;0;-22!r]; (0b;n;$[n>MOST;::;p r;::;r];p f)}"""

# Argument: the list of arguments. Result: (size;value;::), where the last makes it a list whatever the value is.
_CALL = """{[a] o:ENTER; s:@[{(0b;JOB.f . x)};a;{(1b;x)}]; LEAVE;
 if[s 0;'s 1]; n:-22!s 1; (n;$[n>MOST;::;s 1];::)}"""

_PARSE = '{@[{parse x;""};x;{x}]}'


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the other side a Program lives."""

    namespace: str = ""
    """The namespace that it is evaluated in; the root when empty."""
    job: str = ".qstudio"
    """The namespace that holds its function."""

    def text(self, template: str, limits: Limits) -> str:
        """Return a q function of this module for this place, on one line."""
        enter = f'system"d"; system"d {self.namespace}"' if self.namespace else '"."'
        leave = 'system"d ",string o' if self.namespace else "o"
        most = str(WIRE_BYTES_PER_JSON_BYTE * limits.output_bytes + 1024)
        text = " ".join(template.split("\n"))
        for word, meaning in (
            ("ENTER", enter),
            ("LEAVE", leave),
            ("JOB", self.job),
            ("MOST", most),
        ):
            text = text.replace(word, meaning)
        return text


class ProgramRunner:
    """Executes Programs over one connection.

    is_ours: whether the other side is our own server, whose gaps are gaps and no errors.
    stop_means_time: whether the other side has a time limit (-T), for which it signals 'stop.
    take_output: returns what was printed since the last call and whether some of it was lost.
    """

    def __init__(
        self,
        connection: Connection,
        limits: Limits,
        place: Place,
        *,
        is_ours: bool,
        job_time_s: float = 60.0,
        stop_means_time: bool = False,
        take_output: Callable[[], tuple[str, bool]] = lambda: ("", False),
    ) -> None:
        self.connection = connection
        self.limits = limits
        self.is_ours = is_ours
        self.job_time_s = job_time_s
        self.stop_means_time = stop_means_time
        self._take_output = take_output
        self._load_text = place.text(_LOAD, limits)
        self._call_text = place.text(_CALL, limits)
        self.has_overrun = False
        """Whether the job exceeded its time; what is left of it is not run."""

    def run(self, job: QJob) -> ProgramResult:
        """Load the Program; if that works, make the calls until one exceeds the time.

        Raises: ConnectionLost when the other side went away.
        """
        self.has_overrun = False
        until = time.monotonic() + self.job_time_s
        load = self._load(job, until)
        if load.status != "ok":
            return ProgramResult(job.key, load)
        calls: list[ExecutionResult] = []
        for arguments in job.calls:
            if self.has_overrun:
                calls.append(ExecutionResult("time_limit", error="time", detail=NOT_RUN))
            else:
                calls.append(self._call(arguments, until))
        return ProgramResult(job.key, load, tuple(calls))

    def _load(self, job: QJob, until: float) -> ExecutionResult:
        texts = [one_line(text) for _, text in statements(job.program, is_script=False)]
        entry = job.entry_point or ""
        message = GList(
            [
                string(self._load_text),
                GList([string(text) for text in texts]),
                string(entry if NAME.fullmatch(entry) else ""),
                string(assigned_name(texts[-1]) if texts else ""),
            ]
        )
        has_function = True

        def read(answer: Value) -> Value:
            nonlocal has_function
            head, *rest = _items(answer)
            if head is True:
                raise _StatementFailed(_text(rest[0]), _number(rest[1]))
            has_function = rest[2] is True
            self._check_size(_number(rest[0]))
            return rest[1]

        result = self._evaluate(message, read, until, texts)
        if result.status == "ok" and job.calls and not has_function:
            wanted = f"no function {entry!r} and " if entry else ""
            detail = f"{wanted}the last value is not a function"
            return replace(result, status="q_error", value=None, error=NO_FUNCTION, detail=detail)
        return result

    def _call(self, arguments: tuple[Wire, ...], until: float) -> ExecutionResult:
        values = GList([from_wire(item) for item in arguments] or [NIL])

        def read(answer: Value) -> Value:
            size, value, _ = _items(answer)
            self._check_size(_number(size))
            return value

        return self._evaluate(GList([string(self._call_text), values]), read, until)

    def _check_size(self, size: int) -> None:
        if size > WIRE_BYTES_PER_JSON_BYTE * self.limits.output_bytes + 1024:
            raise _TooMuchOutput

    def _evaluate(
        self,
        message: Value,
        read: Callable[[Value], Value],
        until: float,
        texts: list[str] | None = None,
    ) -> ExecutionResult:
        """Send a message; everything that may come of it becomes a status."""
        started = time.monotonic()
        self.connection.timeout = max(min(self.limits.time_s + GRACE_S, until - started), 0.001)
        try:
            value = to_wire(read(self.connection.ask(message)))
            if len(json.dumps(value, allow_nan=False)) > self.limits.output_bytes:
                raise _TooMuchOutput
            made = ExecutionResult("ok", value)
        except _StatementFailed as failure:
            is_syntax = texts is not None and self._fails_to_parse(texts, failure)
            made = self._of_error(failure.error, is_syntax=is_syntax)
        except QError as failure:
            is_syntax = len(failure.code) == 1 and not failure.code.isalnum()
            made = self._of_error(failure.code, is_syntax=is_syntax)
        except UnsupportedFeature as failure:
            made = ExecutionResult("unsupported", error="unsupported", detail=str(failure))
        except _TooMuchOutput:
            detail = f"a result of more than {self.limits.output_bytes} bytes"
            made = ExecutionResult("output_limit", error="output", detail=detail)
        except NoAnswer:
            self.has_overrun = True
            detail = f"more than {self.limits.time_s:g} s, ended from outside"
            made = ExecutionResult("time_limit", error="time", detail=detail)
        stdout, has_overflowed = self._take_output()
        if has_overflowed and made.status == "ok":
            detail = f"more than {self.limits.output_bytes} characters printed"
            made = ExecutionResult("output_limit", error="output", detail=detail)
        duration_s = round(time.monotonic() - started, 6)
        return replace(made, stdout=stdout, duration_s=duration_s)

    def _fails_to_parse(self, texts: list[str], failure: _StatementFailed) -> bool:
        """Say whether a statement that failed cannot even be parsed: kdb+'s errors do not tell by themselves."""
        if not failure.error or not 0 <= failure.index < len(texts):
            return False
        try:
            answer = self.connection.ask(GList([string(_PARSE), string(texts[failure.index])]))
        except (QError, UnsupportedFeature, NoAnswer):
            return False
        return _text(answer) == failure.error

    def _of_error(self, error: str, *, is_syntax: bool) -> ExecutionResult:
        """Return what an error signalled on the other side means."""
        if self.is_ours and error.startswith(OUR_GAP):
            return ExecutionResult(
                "unsupported", error="unsupported", detail=error.removeprefix(OUR_GAP)
            )
        if error == "stop" and self.stop_means_time:
            self.has_overrun = True
            detail = "longer than the server allows"
            return ExecutionResult("time_limit", error="time", detail=detail)
        if error == "wsfull":
            return ExecutionResult("memory_limit", error=error, detail=f"'{error}")
        status: ExecutionStatus = "syntax_error" if is_syntax else "q_error"
        return ExecutionResult(status, error=error, detail=f"'{error}")


class _TooMuchOutput(Exception):
    """The result is longer than allowed."""


class _StatementFailed(Exception):
    """A statement of a Program signalled."""

    def __init__(self, error: str, index: int) -> None:
        super().__init__(error)
        self.error = error
        self.index = index


def one_line(statement: str) -> str:
    """Return a statement of a script on one line, without comments: kdb+ reads lines only from files.

    Strings keep what is in them.
    """
    made: list[str] = []
    i, before = 0, "\n"
    while i < len(statement):
        character = statement[i]
        end = i + 1
        if character == '"':
            while end < len(statement) and statement[end] != '"':
                end += 2 if statement[end] == "\\" else 1
            end += 1
            made.append(statement[i:end])
        elif character == "/" and before in " \t\r\n":
            while end < len(statement) and statement[end] != "\n":
                end += 1
        else:
            made.append(" " if character in "\r\n" else character)
        before = statement[min(end, len(statement)) - 1]
        i = end
    return "".join(made).rstrip()


def assigned_name(text: str) -> str:
    """Return the name that a statement assigns last; kdb+ answers such a statement with nothing."""
    if text.startswith("\\"):
        return ""
    try:
        tree = parse(text)
    except (QError, UnsupportedFeature, RecursionError):
        return ""
    last = tree[-1] if tree else None
    if not isinstance(last, nd.Assign) or last.indexed or last.verb is not None:
        return ""
    return last.name if NAME.fullmatch(last.name) else ""


def _items(answer: Value) -> list[Value]:
    """The items of an answer. Raises: QError when the Program made it something else."""
    if type(answer) is not GList or len(answer.items) not in (3, 4):
        raise QError("type", "the answer is not one")
    return list(answer.items)


def _text(value: Value) -> str:
    wire = to_wire(value)
    return str(wire["v"]) if wire["t"] in (10, -10, -11) else ""


def _number(value: Value) -> int:
    return value if type(value) is int else 0
