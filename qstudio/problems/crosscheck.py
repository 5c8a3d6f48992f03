"""Two engines on the same Programs: where their Verdicts differ, and how. What differs is a fault of one engine."""

from __future__ import annotations

from pipeline.records import Execution, Verdict


def disagreement(first: Verdict, second: Verdict) -> str:
    """How two Verdicts on one Program differ, as a sentence; empty when they agree.

    Compared are the kinds, the name of the error and, test by test, the outcome, the error and the value; what was
    printed and how long it took are not.
    """
    if first.kind != second.kind:
        return f"{first.kind.value} against {second.kind.value}"
    if first.error != second.error:
        return f"{first.kind.value} with '{first.error} against '{second.error}"
    for one, other in zip(first.executions, second.executions, strict=False):
        seen = (_seen(one), _seen(other))
        if seen[0] != seen[1]:
            return f"test {one.test_index}: {seen[0]} against {seen[1]}"
    if len(first.executions) != len(second.executions):
        return f"{len(first.executions)} against {len(second.executions)} tests were run"
    return ""


def _seen(execution: Execution) -> str:
    """What a test showed, in short."""
    shown = execution.actual or (f"'{execution.error}" if execution.error else "")
    return f"{execution.outcome} {shown}".rstrip()
