"""What a person may do with a Run: create, stop, kill, resume. Views and commands call the same functions.

Nothing here waits for training: a Run is a row and a directory, and a rung bell (`ring`) for a worker to start it.
"""

from __future__ import annotations

import secrets
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django_q.tasks import async_task

from pipeline.config import RunConfig
from pipeline.errors import PipelineError
from pipeline.rundir import RunDir, write_records
from qstudio.runs import process
from qstudio.runs.ingest import ingest
from qstudio.runs.models import Run, RunEvent
from qstudio.runs.snapshot import Snapshot, SnapshotError, take_snapshot
from qstudio.runs.transitions import transition

State = Run.State

ENDING_S = 5.0
"""Seconds that a process may take between its last event and its end."""
RING_AGAIN_S = 15
"""A bell that nobody answered is rung again after so many seconds."""


class LaunchError(Exception):
    """The Run cannot do that now; `str(error)` is one sentence that says why and what to do."""


def create_run(
    config: RunConfig,
    *,
    owner: AbstractBaseUser | None = None,
    name: str = "",
    preset: str = "",
    request_id: str | None = None,
    directory: Path | None = None,
    is_headless: bool = False,
) -> Run:
    """Make a Run with its directory; the same `request_id` again gives the same Run. Raises: LaunchError.

    The Run is queued and its bell is not rung yet, see `ring`. `directory` is where a headless Run wants to live.
    """
    if request_id and (existing := Run.objects.filter(request_id=request_id).first()):
        return existing
    try:
        snapshot = take_snapshot(config)
        key = _key(name or config.name)
        run_dir = _write_directory(directory or Path(settings.OUTPUTS_DIR) / key, config, snapshot)
    except (SnapshotError, PipelineError) as error:
        raise LaunchError(str(error)) from error
    try:
        with transaction.atomic():
            run = Run.objects.create(
                key=key,
                request_id=request_id or None,
                name=name or config.name,
                preset=preset,
                config=config.model_dump(mode="json"),
                directory=str(run_dir.path),
                owner_id=owner.pk if owner else None,
                is_headless=is_headless,
                n_problems=snapshot.n_train,
                n_seeds=snapshot.n_seeds,
                n_solved=snapshot.n_seeds,
            )
            record_act(
                run,
                "created",
                f"Run created with preset {preset}" if preset else "Run created",
                owner,
            )
    except IntegrityError:
        # The other half of a double click was faster.
        shutil.rmtree(run_dir.path, ignore_errors=True)
        return Run.objects.get(request_id=request_id)
    return run


def ring(run: Run) -> None:
    """Tell the workers, once the present transaction is in, that there is a Run to start. Ringing twice is harmless."""
    cache.set(_ring_key(run), 1, RING_AGAIN_S)
    device = run.config.get("compute", {}).get("device")
    options = {"task_name": f"start {run.key}"[:100], "group": "runs"}
    if settings.GPU_QUEUE and device == "cuda":
        options["cluster"] = settings.GPU_QUEUE
    transaction.on_commit(
        partial(async_task, "qstudio.runs.tasks.start_run", run.pk, q_options=options)
    )


def ring_again(run: Run) -> bool:
    """Ring for a queued Run whose bell may have been lost; at most every `RING_AGAIN_S` over all processes."""
    if not cache.add(_ring_key(run), 1, RING_AGAIN_S):
        return False
    ring(run)
    return True


def stop_run(run: Run, by: Any = None, reason: str = "", *, resumes_itself: bool = False) -> bool:
    """Ask a Run to stop and save; False when it has ended or is being stopped. Raises: LaunchError."""
    fields: dict[str, Any] = {"by": _who(by), "resumes_itself": resumes_itself}
    if transition(
        run, State.STOPPED, reason or "stopped before it began", only_from=State.QUEUED, **fields
    ):
        return True
    sentence = reason or "asked to stop; it saves its work first"
    try:
        RunDir.open(Path(run.directory)).request("stop")
    except PipelineError as error:
        raise LaunchError(str(error)) from error
    moved = transition(run, State.STOPPING, sentence, **fields)
    run.refresh_from_db()
    identity = identity_of(run)
    if run.state == State.STOPPING and identity is not None:
        # The request in the directory is enough; a signal only makes it prompt, and reaches this machine alone.
        process.request_stop(identity)
    return moved


def kill_run(run: Run, by: Any = None) -> bool:
    """End a Run's processes at once: ask, wait a bounded time, force, see that they are gone.

    False when it had ended already. Raises: LaunchError when it runs on another machine or does not die.
    """
    if transition(
        run, State.STOPPED, "stopped before it began", only_from=State.QUEUED, by=_who(by)
    ):
        return True
    run.refresh_from_db()
    if not run.is_active:
        return False
    if run.host and run.host != process.this_host():
        raise LaunchError(
            f"{run.key} works on {run.host}; kill it there with: manage.py run kill {run.key}"
        )
    identity = identity_of(run) or _stray(run)
    record_act(run, "kill", "asked to end at once", by)
    if identity is not None and not process.kill(identity, settings.KILL_GRACE_S):
        raise LaunchError(
            f"{run.key}: process {identity.pid} does not end even when forced; look for a stuck disk or GPU"
        )
    ingest(run)
    transition(run, State.STOPPED, "killed; a resume goes on from what was saved last", by=_who(by))
    run.refresh_from_db()
    return True


def prepare_resume(run: Run) -> None:
    """Make sure that a Run can be taken up again, and withdraw old requests. Raises: LaunchError."""
    run.refresh_from_db()
    if not run.is_resumable:
        raise LaunchError(
            f"{run.key} is {run.state}; only a failed, stopped, paused or lost Run can be resumed"
        )
    identity = identity_of(run)
    living = (identity and process.find(identity)) or process.find_working_in(Path(run.directory))
    # A process that has said its last word needs a moment to end.
    if living and not process.wait_gone(living, ENDING_S):
        raise LaunchError(f"{run.key}: its process still lives; wait for it to end, or kill it")
    try:
        directory = RunDir.open(Path(run.directory))
        ingest(run)
        directory.request(None)
    except PipelineError as error:
        raise LaunchError(str(error)) from error


def resume_run(run: Run, by: Any = None, reason: str = "") -> bool:
    """Queue an ended Run again, from what it saved last. False when another was faster. Raises: LaunchError."""
    prepare_resume(run)
    moved = transition(
        run,
        State.QUEUED,
        reason or "resumed from what was saved last",
        by=_who(by),
        is_headless=False,
    )
    if moved:
        ring(run)
    return moved


def identity_of(run: Run) -> process.ProcessIdentity | None:
    """The process recorded for a Run, which may have ended."""
    if run.pid is None:
        return None
    return process.ProcessIdentity(run.host, run.pid, run.process_started_at or 0.0, run.boot_id)


def identity_fields(identity: process.ProcessIdentity) -> dict[str, Any]:
    """The columns of a Run that hold a process."""
    return {
        "host": identity.host,
        "pid": identity.pid,
        "process_started_at": identity.started_at,
        "boot_id": identity.boot_id,
    }


def record_act(run: Run, kind: str, message: str, by: Any = None) -> None:
    """Write down what a person did to a Run."""
    RunEvent.objects.create(
        run=run, time=timezone.now(), kind=kind, message=message, data={"by": _who(by)}
    )


def _stray(run: Run) -> process.ProcessIdentity | None:
    """A process that works in the Run's directory although none is recorded."""
    found = process.find_working_in(Path(run.directory))
    return process.identify(found.pid) if found else None


def _write_directory(path: Path, config: RunConfig, snapshot: Snapshot) -> RunDir:
    """The settings come last: a directory that holds them is complete, also when the disk fills up on the way."""
    path = path.absolute()
    if not (path / "config.json").exists():
        write_records(path / "problems.jsonl", snapshot.problems)
        write_records(path / "solutions.jsonl", snapshot.solutions)
    return RunDir.create(path, config)


def _key(name: str) -> str:
    """`<date>-<name>-<8 hex>`."""
    date = timezone.now().strftime("%Y%m%d")
    return f"{date}-{slugify(name)[:50] or 'run'}-{secrets.token_hex(4)}"


def _ring_key(run: Run) -> str:
    return f"ring-{run.pk}"


def _who(by: Any) -> str:
    return by.get_username() if isinstance(by, AbstractBaseUser) else str(by or "")
