"""The only place where `Run.state` changes: a table of allowed edges and one conditional UPDATE.

    queued -> starting -> running -> stopping -> stopped
       |         |           |          |
       |         +-----------+----------+-----> succeeded | failed | stopped | paused | lost
       +-> stopped                                failed | stopped | paused | lost -> queued   (resume)

Paused is a Run whose q engine went away: it waits for a person to mend that and to resume it.

Two processes may try the same transition at once: one succeeds, the other is told so. Each change is a RunEvent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from qstudio.runs.models import Run, RunEvent

State = Run.State

_ENDS = frozenset({*Run.SAID, State.LOST})
ALLOWED: dict[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.STARTING, State.STOPPED}),
    State.STARTING: _ENDS | {State.RUNNING, State.STOPPING},
    State.RUNNING: _ENDS | {State.STOPPING},
    State.STOPPING: _ENDS,
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.STOPPED: frozenset({State.QUEUED}),
    State.PAUSED: frozenset({State.QUEUED}),
    # A lost Run may be heard of again: its process was found alive, or its last words were read late.
    State.LOST: frozenset({State.QUEUED, State.RUNNING, *Run.SAID}),
}


def transition(
    run: Run,
    to: str,
    reason: str = "",
    *,
    only_from: str | None = None,
    by: str = "",
    at: datetime | None = None,
    **fields: Any,
) -> bool:
    """Move a Run to a state if its present state in the database allows it; says whether it moved.

    `reason` is one sentence for a person, `by` who asked for it, `at` when it happened (now), `fields` further
    columns that change in the same UPDATE. `run` is brought up to date when it moved, else left as it was.
    """
    at = at or timezone.now()
    with transaction.atomic():
        state = Run.objects.values_list("state", flat=True).get(pk=run.pk)
        if to not in ALLOWED[state] or only_from not in (None, state):
            return False
        changes = {"state": to, "state_reason": reason, "updated_at": timezone.now(), **fields}
        if to == State.STARTING:
            changes |= {"finished_at": None}
            if run.started_at is None:
                changes["started_at"] = at
        elif to == State.QUEUED:
            changes |= {"finished_at": None, "resumes_itself": False}
        elif to in _ENDS:
            changes["finished_at"] = at
        # The state may have changed between the two statements where transactions overlap (PostgreSQL).
        if Run.objects.filter(pk=run.pk, state=state).update(**changes) != 1:
            return False
        RunEvent.objects.create(
            run=run,
            time=at,
            kind="state",
            message=reason or f"{state} to {to}",
            data={"from": state, "to": to, "by": by},
        )
    for name, value in changes.items():
        setattr(run, name, value)
    return True
