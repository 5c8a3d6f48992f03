"""A q session: text in, values or console text out, state kept between calls.

Each call runs on a thread with a deep stack, under the session's Limits, so that deep q recursion ends in
'stack and never in a crash. Sessions are independent of each other; one session serves one caller at a time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from q_runtime import deep_stack
from q_runtime.errors import LimitExceeded, QError, RuntimeFault, UnsupportedFeature
from q_runtime.evaluate.interpreter import Interpreter
from q_runtime.limits import Limits, activate
from q_runtime.prims.parsing import put_day_first
from q_runtime.values.convert import to_python, to_q
from q_runtime.values.enums import activate as activate_domains
from q_runtime.values.functions import Lambda, Nil
from q_runtime.values.vectors import Value
from q_runtime.values.wire import Wire, from_wire, to_wire

T = TypeVar("T")
_FRAMES_PER_CALL = 12


class Session:
    """One q session.

    limits: what each call of eval, call, console and so on may use; Limits() when None.
    clock: what `.z.p` and its like read, a function that returns nanoseconds since 1970; the system's when None.
    """

    def __init__(
        self, limits: Limits | None = None, *, clock: Callable[[], int] | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._interpreter = Interpreter(self.limits, clock or time.time_ns)
        self._last_function: Lambda | None = None

    # -- the public calls

    def eval(self, text: str) -> Any:
        """Evaluate q text; return the value of its last expression as a Python value.

        Raises: QError for what q signals; UnsupportedFeature; LimitExceeded.
        """
        return self._guarded(lambda: to_python(self._interpreter.run(text)))

    def call(self, name: str, *args: Any) -> Any:
        """Apply the q function `name` (a global, or the text of a function) to Python values."""

        def body() -> Any:
            f = self._function(name)
            return to_python(self._interpreter.apply(f, [to_q(a) for a in args] or [to_q(None)]))

        return self._guarded(body)

    def define(self, name: str, text: str) -> None:
        """Evaluate `text` and assign the result to the global `name`."""
        self._guarded(lambda: self._interpreter.set_global(name, self._interpreter.run(text)))

    def console(self, text: str) -> str:
        """Return what kdb+ prints when `text` is entered at the prompt; an error as `'type`."""
        try:
            return self.print_or_raise(text)
        except QError as error:
            return f"{self.take_output()}'{error.code}"

    def print_or_raise(self, text: str) -> str:
        """Return what `text` prints when entered at the prompt; an error is raised, not printed.

        Output written before an error stays for `take_output`.
        """

        def body() -> str:
            interpreter = self._interpreter
            interpreter.output.clear()

            def print_value(value: Value, silent: bool) -> None:
                if not silent and type(value) is not Nil:
                    interpreter.write(interpreter.display(value) + "\n")

            interpreter.run(text, print_value)
            return self.take_output().removesuffix("\n")

        return self._guarded(body)

    def eval_script(self, text: str) -> None:
        """Run the text of a script file; values of its statements are neither printed nor converted."""
        self._guarded(lambda: self._interpreter.run(text, is_script=True))

    def evaluate_wire(self, text: str) -> Wire:
        """Evaluate q text; return the value of its last expression in wire form."""
        return self._guarded(lambda: to_wire(self._interpreter.run(text)))

    def apply_wire(self, function: Wire | str, args: Sequence[Wire]) -> Wire:
        """Apply a function (its name, its text, or its wire form) to wire values."""

        def body() -> Wire:
            text = function if isinstance(function, str) else function["v"]
            f = self._function(text)
            values = [from_wire(a, self._interpreter.run) for a in args]
            return to_wire(self._interpreter.apply(f, values or [to_q(None)]))

        return self._guarded(body)

    def within(self, body: Callable[[Interpreter], T]) -> T:
        """Run `body` with the session's interpreter: under the limits, its errors raised here, as with `eval`.

        For hosts that need more than text and Python values, such as a server.
        """
        return self._guarded(lambda: body(self._interpreter))

    @property
    def denied(self) -> tuple[str, ...]:
        """The words that signalled 'access since the session began: what q code wanted of the outside."""
        return tuple(self._interpreter.denied)

    @property
    def namespace(self) -> str:
        """The current namespace, as the command d set it; empty at the root."""
        return self._interpreter.globals.namespace

    def take_output(self) -> str:
        """Return and clear what q code wrote (with `show` and the like) since the last call."""
        text = "".join(self._interpreter.output)
        self._interpreter.output.clear()
        return text

    # -- inside

    def _function(self, text: str) -> Value:
        """Return the function of that name or text; the one asked for last is remembered by its text."""
        known = self._last_function
        if known is not None and known.source == text and known.namespace == self.namespace:
            return known
        interpreter = self._interpreter
        if not self.namespace and text in interpreter.globals.values:
            return interpreter.globals.values[text]
        made = interpreter.run(text)
        if type(made) is Lambda and made.source == text:
            self._last_function = made
        return made

    def _guarded(self, body: Callable[[], T]) -> T:
        """Run `body` on a deep-stack thread under the limits; its exceptions come out here."""
        if deep_stack.is_inside():
            return self._bounded(body)
        outcome: list[Any] = []
        self._interpreter.budget.start()

        def target() -> None:
            try:
                outcome.append((True, self._bounded(body)))
            except BaseException as error:  # noqa: BLE001  handed to the caller's thread, which raises it
                outcome.append((False, error))

        deep_stack.run(target, self._deadline, self._end_soon)
        done, result = outcome[0] if outcome else (False, deep_stack.TimeUp())
        if not done and isinstance(result, deep_stack.TimeUp):
            raise LimitExceeded("time", f"more than {self.limits.time_s:g} s")
        if not done:
            raise result
        return cast(T, result)

    def _deadline(self) -> float:
        return self._interpreter.budget.deadline

    def _end_soon(self) -> None:
        self._interpreter.budget.deadline = 0.0

    def _bounded(self, body: Callable[[], T]) -> T:
        budget = self._interpreter.budget
        budget.start()
        activate(budget)
        activate_domains(self._interpreter.domains)
        put_day_first(bool(self._interpreter.settings.get("z")))
        wanted = self.limits.depth * _FRAMES_PER_CALL + 1000
        if sys.getrecursionlimit() < wanted:
            sys.setrecursionlimit(wanted)
        try:
            with np.errstate(all="ignore"):
                return body()
        except RecursionError:
            raise QError("stack", "calls nested too deep") from None
        except MemoryError:
            raise QError("wsfull", "out of memory") from None
        except QError as error:
            self._interpreter.name_calls(error)
            raise
        except RuntimeFault:
            raise
        except (
            Exception
        ) as error:  # a fault of this engine is never the q program's: report it as a gap
            raise UnsupportedFeature(f"{type(error).__name__}: {error}") from error
        finally:
            activate(None)
            activate_domains(None)
