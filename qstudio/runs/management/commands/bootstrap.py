"""`manage.py bootstrap --preset demo`: a whole bootstrap Run in the foreground, with progress bars, without a worker.

Ctrl-C stops and saves; the same command with `--run-dir` goes on. With `--json` the last and only line on standard
output is the final report. Exit codes: 0 succeeded, 1 failed, 2 bad settings, 3 stopped from elsewhere or paused, 130
Ctrl-C.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction
from django.utils import timezone

from pipeline.config import RunConfig, load_preset, load_toml
from pipeline.errors import ConfigError, PipelineError
from qstudio.core.installation import prepare_database
from qstudio.problems.builtin import BUILTIN_SETS, load_missing
from qstudio.runs import process
from qstudio.runs.adoption import adopt_directory
from qstudio.runs.ingest import ingest
from qstudio.runs.launch import LaunchError, create_run, identity_fields, prepare_resume
from qstudio.runs.models import Run
from qstudio.runs.transitions import transition

State = Run.State
BAD_SETTINGS, STOPPED, INTERRUPTED = 2, 3, 130
DEFAULT_PRESET = "demo"


class Command(BaseCommand):
    help = "Runs the bootstrap loop to its end in this terminal, or resumes it with --run-dir."

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--preset", help=f"settings by name (default: {DEFAULT_PRESET})")
        source.add_argument("--config", type=Path, metavar="FILE", help="settings from a TOML file")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            dest="overrides",
            metavar="A.B=C",
            help="change one setting",
        )
        parser.add_argument("--name", default="", help="name of the Run")
        parser.add_argument(
            "--run-dir", type=Path, metavar="DIR", help="where to work, or what to resume"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the final report as one JSON line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory = options["run_dir"].absolute() if options["run_dir"] else None
        config = self._config(options, directory)
        prepare_database()
        try:
            if directory is not None and (directory / "config.json").exists():
                run = self._existing(directory, config)
            else:
                run = self._new(config or load_preset(DEFAULT_PRESET), directory, options)
        except (PipelineError, LaunchError) as error:
            raise CommandError(str(error)) from error
        interrupted = False
        if run.state != State.SUCCEEDED:
            interrupted = self._work(run)
        self._report(run, as_json=options["json"], interrupted=interrupted)

    # --- Which Run ------------------------------------------------------------------------------------------------
    def _config(self, options: dict[str, Any], directory: Path | None) -> RunConfig | None:
        """The settings asked for; None when only a directory to resume is named."""
        resumes = directory is not None and (directory / "config.json").exists()
        if resumes and not (options["preset"] or options["config"] or options["overrides"]):
            return None
        try:
            if options["config"]:
                return load_toml(options["config"], options["overrides"])
            return load_preset(options["preset"] or DEFAULT_PRESET, options["overrides"])
        except ConfigError as error:
            raise CommandError(str(error), returncode=BAD_SETTINGS) from error

    def _new(self, config: RunConfig, directory: Path | None, options: dict[str, Any]) -> Run:
        wanted = {*config.problems.sets, *config.problems.seed_sets}
        load_missing(tuple(name for name in BUILTIN_SETS if name in wanted))
        preset = "" if options["config"] else options["preset"] or DEFAULT_PRESET
        return create_run(
            config, name=options["name"], preset=preset, directory=directory, is_headless=True
        )

    def _existing(self, directory: Path, config: RunConfig | None) -> Run:
        """The Run of a directory, ready to go on. Raises: CommandError when it was made with other settings."""
        run = adopt_directory(directory)
        kept = RunConfig.model_validate(run.config)
        if config is not None and config != kept:
            raise CommandError(
                f"{directory} holds a run with other settings ({_first_difference(kept, config)}); "
                "resume it without --preset and --set, or choose another directory",
                returncode=BAD_SETTINGS,
            )
        ingest(run)
        run.refresh_from_db()
        if run.state == State.SUCCEEDED:
            self._tell(f"{run.key} has succeeded already; this is its report")
            return run
        if run.state == State.QUEUED:
            return run
        if run.is_active and not _lives(run):
            transition(run, State.LOST, "its process is gone; found when it was resumed")
        if run.is_active:
            raise LaunchError(
                f"{run.key} is at work (process {run.pid} on {run.host}); wait for it, or stop it"
            )
        prepare_resume(run)
        self._tell(f"Resuming {run.key}")
        return run

    # --- Working --------------------------------------------------------------------------------------------------
    def _work(self, run: Run) -> bool:
        """Run its process to the end; whether a Ctrl-C ended it."""
        if not _take(run):
            raise CommandError(f"{run.key} has just been taken by a worker; see manage.py run list")
        self._tell(f"{run.key} works in {run.directory}")
        # The child leads a session of its own: Ctrl-C reaches us alone, and we pass it on in order.
        child = subprocess.Popen(
            [*settings.RUN_COMMAND, "--bars", run.directory],
            cwd=settings.BASE_DIR,
            env=process.clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            start_new_session=True,
        )
        Run.objects.filter(pk=run.pk).update(**identity_fields(process.identify(child.pid)))
        connections.close_all()
        returncode, n_signals = self._wait(child)
        ingest(run)
        run.refresh_from_db()
        if run.is_active:
            state = State.STOPPED if n_signals else State.FAILED
            reason = f"its process ended with code {returncode} and said nothing of it"
            transition(run, state, "ended before it could save" if n_signals else reason)
        return n_signals > 0

    def _wait(self, child: subprocess.Popen[bytes]) -> tuple[int, int]:
        """The child's return code, and how many signals reached us meanwhile."""
        n_signals = 0

        def forward(number: int, frame: Any) -> None:
            nonlocal n_signals
            n_signals += 1
            if n_signals == 1:
                self._tell("\nStopping: the work is saved first. Ctrl-C again ends it at once.")
                child.terminate()
            else:
                os.killpg(child.pid, signal.SIGKILL)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, forward)
        return child.wait(), n_signals

    # --- Telling --------------------------------------------------------------------------------------------------
    def _report(self, run: Run, *, as_json: bool, interrupted: bool) -> None:
        run.refresh_from_db()
        if as_json:
            result = (
                run.report
                if run.report and run.state == State.SUCCEEDED
                else {"reason": run.state_reason}
            )
            line = {**result, "state": run.state, "run": run.key, "run_dir": run.directory}
            self.stdout.write(json.dumps(line))
        if run.state == State.SUCCEEDED:
            if not as_json:
                self.stdout.write(_summary(run))
            return
        resume = f"go on with: manage.py bootstrap --run-dir {run.directory}"
        if interrupted:
            raise CommandError(f"stopped and saved; {resume}", returncode=INTERRUPTED)
        if run.state in (State.STOPPED, State.PAUSED):
            raise CommandError(f"{run.state}: {run.state_reason}; {resume}", returncode=STOPPED)
        raise CommandError(f"{run.state}: {run.state_reason}; when that is mended, {resume}")

    def _tell(self, text: str) -> None:
        """Say something on standard error, which is a person's; standard output is for the result."""
        self.stderr.write(text, style_func=str)
        self.stderr.flush()


def _take(run: Run) -> bool:
    """Claim the Run for this terminal, so that no worker starts it as well."""
    with transaction.atomic():
        run.refresh_from_db()
        if run.state != State.QUEUED and not transition(
            run, State.QUEUED, "resumed in a terminal", is_headless=True
        ):
            return False
        return transition(
            run,
            State.STARTING,
            "started in a terminal",
            only_from=State.QUEUED,
            is_headless=True,
            host=process.this_host(),
            boot_id=process.this_boot(),
            pid=None,
            process_started_at=None,
            heartbeat_at=timezone.now(),
            n_processes=run.n_processes + 1,
            message="",
        )


def _lives(run: Run) -> bool:
    if run.pid is None:
        return process.find_working_in(Path(run.directory)) is not None
    identity = process.ProcessIdentity(
        run.host, run.pid, run.process_started_at or 0.0, run.boot_id
    )
    return not process.is_local(identity) or process.find(identity) is not None


def _first_difference(kept: RunConfig, asked: RunConfig) -> str:
    """`a.b is 1 there and 2 here` for the first setting that differs."""

    def flat(value: Any, prefix: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            return {prefix: value}
        found: dict[str, Any] = {}
        for name, item in value.items():
            found |= flat(item, f"{prefix}.{name}".strip("."))
        return found

    there, here = flat(kept.model_dump()), flat(asked.model_dump())
    name = next(name for name in there if there[name] != here.get(name))
    return f"{name} is {there[name]!r} there and {here.get(name)!r} here"


def _summary(run: Run) -> str:
    report = run.report or {}
    lines = [
        f"{run.key}: {report.get('solved_total')} of {report.get('problems_total')} training Problems solved"
    ]
    if report.get("conclusion"):
        lines.append(str(report["conclusion"]))
    lines.append(f"Report: {Path(run.directory) / 'final_report.json'}")
    return "\n".join(lines)
