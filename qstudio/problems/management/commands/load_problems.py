"""`manage.py load_problems [--set starter|demo]`: store the built-in problem sets; repeating it changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.errors import PipelineError
from qstudio.core.installation import require_database
from qstudio.problems.builtin import BUILTIN_SETS, load_builtin


class Command(BaseCommand):
    help = "Loads the built-in problem sets into the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--set", choices=BUILTIN_SETS, action="append", dest="names", help="only this set"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        for name in options["names"] or BUILTIN_SETS:
            try:
                counts = load_builtin(name)
            except PipelineError as error:
                raise CommandError(f"{name}: {error}") from error
            told = ", ".join(
                f"{counts[outcome]} {outcome}" for outcome in ("created", "updated", "unchanged")
            )
            self.stdout.write(f"{name}: {counts.total()} Problems ({told})")
