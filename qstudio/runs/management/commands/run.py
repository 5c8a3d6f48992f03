"""`manage.py run list`, `manage.py run stop|resume|kill|logs KEY`: what the Runs page does, on the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from qstudio.core.installation import require_database
from qstudio.runs.launch import LaunchError, kill_run, resume_run, stop_run
from qstudio.runs.models import Run
from qstudio.runs.uses import withdrawn

BY = "command line"


class Command(BaseCommand):
    help = "Lists Runs, or stops, kills, resumes one, or prints its log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="the newest Runs").add_argument("--json", action="store_true")
        for name, text in (
            ("stop", "stop and save"),
            ("kill", "end at once"),
            ("resume", "go on from what was saved last; a worker starts it"),
            ("logs", "print the newest log"),
        ):
            act = acts.add_parser(name, help=text)
            act.add_argument("key", help="the Run's key, or its unique beginning")
            if name == "logs":
                act.add_argument("--lines", type=int, default=200, help="only so many last lines")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        if options["act"] == "list":
            self._list(options["json"])
            return
        run = _find(options["key"])
        try:
            getattr(self, f"_{options['act']}")(run, options)
        except LaunchError as error:
            raise CommandError(str(error)) from error

    def _list(self, as_json: bool) -> None:
        runs = list(Run.objects.all()[:50])
        lost = withdrawn(runs)
        for run in runs:
            n_solved = run.n_solved - lost.get(run.key, 0)
            row = {
                "key": run.key,
                "state": run.state,
                "stage": run.stage,
                "iteration": run.iteration,
                "n_solved": n_solved,
                "n_problems": run.n_problems,
                "reason": run.state_reason,
            }
            solved = f"{n_solved}/{run.n_problems}"
            self.stdout.write(
                json.dumps(row)
                if as_json
                else f"{run.key:50} {run.state:10} {solved:>10}  {run.state_reason}"
            )

    def _stop(self, run: Run, options: dict[str, Any]) -> None:
        if not stop_run(run, by=BY):
            raise CommandError(f"{run.key} is {run.state}: there is nothing to stop")
        self.stdout.write(f"{run.key}: {run.state_reason}")

    def _kill(self, run: Run, options: dict[str, Any]) -> None:
        if not kill_run(run, by=BY):
            raise CommandError(f"{run.key} is {run.state}: there is nothing to kill")
        self.stdout.write(f"{run.key}: {run.state_reason}")

    def _resume(self, run: Run, options: dict[str, Any]) -> None:
        if not resume_run(run, by=BY):
            raise CommandError(f"{run.key} was resumed by somebody else just now")
        self.stdout.write(f"{run.key}: queued; a worker takes it up")

    def _logs(self, run: Run, options: dict[str, Any]) -> None:
        logs = sorted(
            (Path(run.directory) / "logs").glob("attempt_*.log"),
            key=lambda path: path.stat().st_mtime,
        )
        if not logs:
            raise CommandError(f"{run.key} has no log yet")
        for line in (
            logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()[-options["lines"] :]
        ):
            self.stdout.write(line)


def _find(key: str) -> Run:
    found = list(Run.objects.filter(key=key)) or list(Run.objects.filter(key__startswith=key)[:2])
    if not found:
        raise CommandError(f"there is no Run {key!r}; see manage.py run list")
    if len(found) > 1:
        raise CommandError(f"more than one Run begins with {key!r}; write its whole key")
    return found[0]
