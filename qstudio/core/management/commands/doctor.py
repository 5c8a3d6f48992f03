"""`manage.py doctor`: one line per thing that the system needs; exit code 1 when one has to be mended."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from qstudio.core.doctor import examine


class Command(BaseCommand):
    help = "Looks at everything that the system needs and says what to do about what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON line per finding")
        parser.add_argument(
            "--port", type=int, default=8000, help="port that the dashboard is to use"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine(options["port"])
        for finding in findings:
            if options["json"]:
                self.stdout.write(json.dumps(asdict(finding)))
                continue
            action = f" -> {finding.action}" if finding.action and finding.level != "ok" else ""
            self.stdout.write(f"{finding.level:5} {finding.name:11} {finding.detail}{action}")
        n_failed = sum(finding.level == "fail" for finding in findings)
        if n_failed:
            raise CommandError(f"{n_failed} of {len(findings)} things have to be mended")
