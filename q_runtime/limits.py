"""Resource limits of a session and the budget that enforces them while q runs.

The budget is polled: compiled loops and calls take from a supply that looks at the clock now and then; primitives
that build large results ask for the memory first. It cannot interrupt one long NumPy call; the worker
process adds operating-system limits for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from q_runtime.errors import LimitExceeded, QError, RuntimeFault, Starved

_MIN_POLL = 16
_MAX_POLL = 1024
_POLL_TARGET_S = 0.005


@dataclass(frozen=True)
class Limits:
    """What one evaluation may use."""

    time_s: float = 5.0
    """Wall-clock seconds per call of eval, call or console; with patience, seconds of processor time."""
    memory_mb: int = 512
    """Largest single allocation, in mebibytes; the worker's own limit bounds the sum."""
    output_bytes: int = 65536
    """Longest console text, in bytes."""
    depth: int = 2000
    """Deepest nesting of q function calls before 'stack."""
    instructions: int | None = None
    """Most calls and loop passes per evaluation; None for no bound."""
    patience: float = 1.0
    """Above 1: an evaluation that other work keeps from the processor has up to so many times `time_s` by the clock."""


class Budget:
    """The running account of one evaluation. `n` and `depth` are written by compiled code."""

    __slots__ = (
        "_begun", "_last", "_refills", "_spent", "_step", "_used", "deadline", "depth", "limits", "max_depth", "n",
        "passes",
    )  # fmt: skip

    passes: Iterator[None]
    """An endless supply: compiled code takes one item for each call and each pass of a loop, which costs it less than
    to count. Now and then an item comes only after a look at the clock.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._refills = _Refills(self)
        self.max_depth = limits.depth
        self.start()

    def start(self) -> None:
        """Begin a new evaluation: reset the clock, the counter and the depth."""
        self._last = self._begun = time.monotonic()
        self._used = time.process_time() if self.limits.patience > 1 else 0.0
        self.deadline = self._begun + self.limits.time_s
        self._step = self.n = 0 if self.limits.instructions is not None else _MIN_POLL
        self._spent = 0
        self.depth = 0
        self.supply()

    def supply(self) -> None:
        """Put new `passes` in place of those in use, if any."""
        self.passes = chain.from_iterable(self._refills)

    def tick(self) -> int:
        """Look at the clock; called when a counter has run out. Returns how many passes may go by until the next look.

        Compiled functions draw from `passes`, iterators count down `n`. Raises: LimitExceeded('time'), Starved.
        """
        now = time.monotonic()
        if now > self.deadline:
            self.expire(now)
        bound = self.limits.instructions
        if bound is not None:
            if self._spent > bound:
                raise LimitExceeded("time", f"more than {bound} instructions")
            self._step = self.n = 0
            self._spent += 1
            return 0
        if now - self._last > _POLL_TARGET_S:
            self._step = max(_MIN_POLL // 16, self._step // 2)
        else:
            self._step = min(_MAX_POLL, self._step * 2)
        self._last = now
        self.n = self._step
        return self._step

    def expire(self, now: float) -> None:
        """The deadline has passed: put it off if the processor was not ours, as far as patience goes, or end.

        Raises: LimitExceeded('time'), Starved.
        """
        time_s, last = self.limits.time_s, self._begun + self.limits.patience * self.limits.time_s
        left_s = time_s - (time.process_time() - self._used) if self.limits.patience > 1 else 0.0
        if left_s <= 0:
            raise LimitExceeded("time", f"more than {time_s:g} s")
        if now >= last:
            raise Starved(
                f"the machine is too busy: {time_s - left_s:.1f} s of processor time in {now - self._begun:.1f} s"
            )
        self.deadline = min(now + left_s, last)

    def too_deep(self) -> None:
        """Signal that q calls are nested deeper than allowed.

        Raises: QError('stack').
        """
        raise QError("stack", f"calls nested deeper than {self.max_depth}")


class _Refills:
    """Batches of passes, without end; each comes after a look at the clock."""

    __slots__ = ("budget",)

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def __iter__(self) -> Iterator[Iterator[None]]:
        return self

    def __next__(self) -> Iterator[None]:
        """Raises: LimitExceeded('time'), Starved."""
        try:
            return repeat(None, 1 + self.budget.tick())
        except RuntimeFault:
            # What chains the batches holds an error for the end of them all.
            self.budget.supply()
            raise


_active = threading.local()
_DEFAULT_BYTES = Limits().memory_mb << 20


def activate(budget: Budget | None) -> None:
    """Make `budget` the one that `reserve` asks on this thread."""
    _active.budget = budget


def reserve(n_items: int, item_bytes: int = 8) -> None:
    """Ask for memory before it is allocated.

    Raises: QError('wsfull') when the request alone passes the memory limit.
    """
    if n_items < 65536:
        return
    budget: Budget | None = getattr(_active, "budget", None)
    bound = budget.limits.memory_mb << 20 if budget is not None else _DEFAULT_BYTES
    if n_items * item_bytes > bound:
        raise QError("wsfull", f"{n_items} items asked for")
    if budget is not None and (now := time.monotonic()) > budget.deadline:
        budget.expire(now)
