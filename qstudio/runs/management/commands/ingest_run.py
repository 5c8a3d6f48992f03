"""`manage.py ingest_run DIR`: bring the database up to a run directory; `--rebuild` reads it from the beginning."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.errors import PipelineError
from qstudio.core.installation import require_database
from qstudio.runs.adoption import adopt_directory
from qstudio.runs.ingest import ingest, rebuild


class Command(BaseCommand):
    help = "Reads a run directory into the database; may be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument(
            "--rebuild", action="store_true", help="drop the Run's rows and read everything again"
        )
        parser.add_argument(
            "--json", action="store_true", help="one JSON line instead of a sentence"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        started = time.monotonic()
        try:
            run = adopt_directory(options["directory"])
            n_lines = (
                rebuild(run) if options["rebuild"] else ingest(run, applies_states=run.is_active)
            )
        except PipelineError as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - started
        counts = {
            "attempts": run.attempts.count(),
            "events": run.events.count(),
            "evaluations": run.evaluations.count(),
        }
        if options["json"]:
            line = {"run": run.key, "lines": n_lines, "seconds": round(seconds, 3), **counts}
            self.stdout.write(json.dumps(line))
        else:
            self.stdout.write(
                f"{run.key}: {n_lines} new lines in {seconds:.1f} s; "
                + ", ".join(f"{n} {name}" for name, n in counts.items())
            )
