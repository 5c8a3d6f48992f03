"""What django-q2 workers do: answer a bell. Each task takes well under a second and may be repeated harmlessly.

No training runs inside a worker: it starts a process that has nothing more to do with it (`detach`), so neither a
worker's time limit, nor a repeated task, nor a restart of the cluster touches a Run.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pipeline.errors import PipelineError
from pipeline.rundir import RunDir
from qstudio.runs import process
from qstudio.runs.launch import identity_fields
from qstudio.runs.models import Run
from qstudio.runs.transitions import transition

State = Run.State
OF_A_LICENCE = ("kdb_process", "pykx")
"""Engines that use the licence of this machine, as many q processes per Run as it has workers."""
OF_A_SERVER = ("kdb_ipc",)
"""Engines that connect to a kdb+ that all machines share."""
logger = logging.getLogger(__name__)


def start_run(run_pk: int) -> str:
    """Claim a queued Run and start its process; what was done, in a few words, for the list of tasks."""
    run = Run.objects.filter(pk=run_pk).first()
    if run is None:
        return "no such Run"
    refusal = claim(run)
    if refusal:
        return f"{run.key}: {refusal}"
    try:
        log = RunDir.open(Path(run.directory)).next_log()
        identity = process.spawn(
            [*settings.RUN_COMMAND, run.directory],
            log=log,
            cwd=settings.BASE_DIR,
            niceness=settings.RUN_NICENESS,
        )
    except (OSError, PipelineError) as error:
        transition(run, State.FAILED, f"could not be started: {error}")
        return f"{run.key}: could not be started: {error}"
    Run.objects.filter(pk=run.pk).update(**identity_fields(identity))
    logger.info("%s started as process %s", run.key, identity.pid)
    return f"{run.key}: started as process {identity.pid}"


def claim(run: Run) -> str:
    """Take a queued Run for this machine, if it has a free place; an empty text, or why not."""
    with transaction.atomic():
        waiting = _what_for(run)
        if waiting:
            Run.objects.filter(pk=run.pk, state=State.QUEUED).update(message=waiting)
            return waiting
        claimed = transition(
            run,
            State.STARTING,
            "taken by a worker",
            only_from=State.QUEUED,
            heartbeat_at=timezone.now(),
            host=process.this_host(),
            pid=None,
            process_started_at=None,
            boot_id=process.this_boot(),
            n_processes=run.n_processes + 1,
            message="",
        )
    return "" if claimed else "nothing to claim"


def _what_for(run: Run) -> str:
    """What a queued Run has to wait for; nothing when there is a place on this machine, and of a kdb+."""
    working = Run.objects.filter(state__in=(State.STARTING, State.RUNNING, State.STOPPING))
    working = working.exclude(pk=run.pk).order_by("created_at")
    here = working.filter(host=process.this_host())
    if here.count() >= settings.MAX_RUNS:
        return f"waits for {here[0].key} to end"
    engine = run.config.get("execution", {}).get("engine", "embedded")
    for engines, runs, what in (
        (OF_A_LICENCE, here, "the licence of kdb+ on this machine"),
        (OF_A_SERVER, working, "the kdb+ that runs"),
    ):
        rivals = runs.filter(config__execution__engine__in=engines)
        if engine in engines and rivals.count() >= settings.MAX_KDB_RUNS:
            return f"waits for {rivals[0].key} to end, which uses {what}"
    return ""


def tend_runs() -> str:
    """One round of `watch.tend`, for installations without a watcher; scheduled every minute."""
    # Imported here because the watcher rings bells for this module.
    from qstudio.runs.watch import tend

    return f"{tend()} Runs looked after"
