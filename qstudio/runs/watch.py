"""Looking after the Runs of this machine: rows follow directories, ends are noticed, lost Runs are named lost.

One round (`tend`) may be made by any number of processes at once: every change is conditional. `manage.py watch`
makes a round every second or so; a schedule of the task queue makes one a minute where no watcher runs.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from pipeline.errors import PipelineError
from pipeline.rundir import EVENTS, RunDir
from qstudio.runs import process
from qstudio.runs.ingest import ingest
from qstudio.runs.launch import identity_fields, identity_of, ring_again
from qstudio.runs.models import Run
from qstudio.runs.tailing import read_on
from qstudio.runs.transitions import transition

State = Run.State
logger = logging.getLogger(__name__)

INGEST_BUDGET_S = 10.0
"""Seconds for one Run in one round, so that a long backlog does not hide the others."""
FOUND_AGAIN_S = 3600
"""A lost Run is looked for so long: it may have been silent only."""


def tend() -> int:
    """Make one round over the Runs of this machine; how many there were."""
    mine = Q(host=process.this_host())
    recently_lost = Q(
        state=State.LOST, finished_at__gt=timezone.now() - timedelta(seconds=FOUND_AGAIN_S)
    )
    runs = list(Run.objects.filter(mine & (Q(state__in=Run.ACTIVE[1:]) | recently_lost)))
    for run in runs:
        _look_after(run)
    for run in Run.objects.filter(state=State.QUEUED, is_headless=False):
        if ring_again(run):
            logger.info("rang again for %s", run.key)
    return len(runs)


def _look_after(run: Run) -> None:
    # Alive or not is asked before reading: what a dead process wrote is then all there when we read.
    identity = identity_of(run)
    living = process.find(identity) if identity else None
    try:
        ingest(run, budget_s=INGEST_BUDGET_S)
        progress = RunDir(Path(run.directory)).read_progress()
    except PipelineError as error:
        logger.warning("%s: %s", run.key, error)
        progress = {}
    run.refresh_from_db()
    if not run.is_active and run.state != State.LOST:
        return
    _mirror(run, progress)
    if living is not None:
        _note_living(run)
    elif run.state != State.LOST and identity == identity_of(run):
        _note_missing(run)


def _mirror(run: Run, progress: dict[str, Any]) -> None:
    """Copy the state of the moment into the row when it has changed."""
    heartbeat = float(progress.get("heartbeat") or 0.0)
    if not heartbeat or (run.process_started_at and heartbeat < run.process_started_at - 1):
        return  # written by an earlier process of the same Run
    fields = {
        "stage": str(progress.get("stage") or "")[:20],
        "iteration": int(progress.get("iteration") or 0),
        "done": int(progress.get("done") or 0),
        "total": int(progress.get("total") or 0),
        "message": str(progress.get("message") or "")[:300],
        "heartbeat_at": datetime.fromtimestamp(heartbeat, UTC),
    }
    if all(getattr(run, name) == value for name, value in fields.items()):
        return
    Run.objects.filter(pk=run.pk).update(**fields, updated_at=timezone.now())
    for name, value in fields.items():
        setattr(run, name, value)


def _note_living(run: Run) -> None:
    if run.state == State.LOST:
        transition(run, State.RUNNING, "its process was found alive again")
        return
    if run.state == State.STOPPING:
        # A process that was just beginning when it was asked may not have heard; it reads the request later.
        directory = RunDir(Path(run.directory))
        if directory.requested() is None:
            directory.request("stop")
        return
    silent_s = _silent_s(run)
    if run.state == State.RUNNING and silent_s > settings.LOST_AFTER_S:
        # Alive and silent is not lost: say so, without the seconds, so that the sentence changes once.
        reason = "its process is alive but has not been heard of for a while; it may be stuck: stop or kill it"
    elif run.state_reason.startswith("its process is alive but"):
        reason = "heard of again"
    else:
        return
    if run.state_reason != reason:
        Run.objects.filter(pk=run.pk, state=run.state).update(
            state_reason=reason, updated_at=timezone.now()
        )


def _note_missing(run: Run) -> None:
    """The process recorded for an active Run is gone, or none was ever recorded."""
    if read_on(Path(run.directory) / EVENTS, run.event_offset, 1).lines:
        return  # its last words are still being read
    if run.pid is None:
        if _silent_s(run) <= settings.LOST_AFTER_S:
            return  # being started at this moment
        found = process.find_working_in(Path(run.directory))
        if found is not None:
            identity = process.identify(found.pid)
            Run.objects.filter(pk=run.pk, pid=None).update(**identity_fields(identity))
            return
    if run.state == State.STOPPING:
        reason = "it ended when asked to stop, but did not say that it saved its last piece of work"
        transition(run, State.STOPPED, f"{reason}; resume it to go on", only_from=State.STOPPING)
        return
    reason = (
        "its process is gone without a word: killed, out of memory, or the machine was restarted"
    )
    last = _last_words(Path(run.directory))
    words = f". Last line of its log: {last}" if last else ""
    transition(
        run,
        State.LOST,
        f"{reason}; resume it to go on from what was saved last{words}",
        only_from=run.state,
    )


def _silent_s(run: Run) -> float:
    return (timezone.now() - run.heartbeat_at).total_seconds() if run.heartbeat_at else float("inf")


def _last_words(directory: Path) -> str:
    """The last line of the newest log, shortened; empty when there is none."""
    logs = list((directory / "logs").glob("attempt_*.log"))
    if not logs:
        return ""
    with max(logs, key=lambda path: path.stat().st_mtime).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2000))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
