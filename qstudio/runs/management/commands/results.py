"""`manage.py results export RUN`, `results import FILE`: Evaluations as results files of KX's q evaluation harness."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.errors import PipelineError
from pipeline.graders import GRADERS
from pipeline.rundir import write_json
from q_runtime import ENGINE_NAMES
from qstudio.core.installation import require_database
from qstudio.runs.models import Evaluation, Run
from qstudio.runs.results import export_kx_results, import_kx_results

FORMATS = ("kx",)


class Command(BaseCommand):
    help = "Writes an Evaluation as a results file of KX's harness, or reads such a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        export = acts.add_parser("export", help="write an Evaluation of a Run")
        export.add_argument("run", help="the Run's key, or its unique beginning")
        export.add_argument(
            "--evaluation", help="which one, by its key (default: the newest on test)"
        )
        export.add_argument("--grader", default="", choices=("", *GRADERS), metavar="GRADER",
                            help=f"whose Verdicts ({', '.join(GRADERS)}); others are judged again")  # fmt: skip
        export.add_argument("--engine", default="embedded", choices=ENGINE_NAMES,
                            help="which q judges again (default: %(default)s)")  # fmt: skip
        export.add_argument("--output", type=Path, help="the file (default: standard output)")
        read = acts.add_parser("import", help="read a results file")
        read.add_argument("file", type=Path)
        read.add_argument(
            "--policy", default="", help="whose results these are (default: as the file says)"
        )
        read.add_argument("--json", action="store_true", help="one JSON line instead of a sentence")
        for act in (export, read):
            act.add_argument(
                "--format", choices=FORMATS, default="kx", help="(default: %(default)s)"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        try:
            getattr(self, f"_{options['act']}")(options)
        except PipelineError as error:
            raise CommandError(str(error)) from error

    def _export(self, options: dict[str, Any]) -> None:
        evaluation = _find(options["run"], options["evaluation"])
        found = export_kx_results(evaluation, options["grader"], options["engine"])
        if not found.results:
            raise CommandError(
                f"{evaluation.key} has no Attempts in the database; read its Run with ingest_run"
            )
        grader = options["grader"] or evaluation.grader
        if not grader.startswith("kx-"):
            self.stderr.write(
                f"These Verdicts are by {grader}, which the format cannot say; do not set them beside scores of KX. "
                "With --grader kx-1 the Programs are judged again by the rules of KX.",
                style_func=str,
            )
        if options["output"] is None:
            self.stdout.write(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
            return
        write_json(options["output"], found.as_json())
        self.stdout.write(
            f"{options['output']}: {found.passed_solutions} of {found.total_solutions} passed, by {grader}"
        )

    def _import(self, options: dict[str, Any]) -> None:
        run, is_new = import_kx_results(options["file"], options["policy"])
        evaluation = run.evaluations.get()
        score = (evaluation.record["pass_at"].get("1") or {}).get("value")
        if options["json"]:
            line = {
                "run": run.key,
                "evaluation": evaluation.key,
                "grader": evaluation.grader,
                "new": is_new,
                "pass@1": score,
            }
            self.stdout.write(json.dumps(line))
            return
        shown = "no score" if score is None else f"pass@1 {score:.1%}"
        known = "" if is_new else ", which was read before"
        self.stdout.write(f"{run.key}{known}: {evaluation.policy}, {shown} by {evaluation.grader}")


def _find(key: str, evaluation_key: str | None) -> Evaluation:
    runs = list(Run.objects.filter(key=key)) or list(Run.objects.filter(key__startswith=key)[:2])
    if len(runs) != 1:
        problem = "more than one Run begins with" if runs else "there is no Run"
        raise CommandError(f"{problem} {key!r}; see manage.py run list")
    found = runs[0].evaluations.select_related("run").order_by("-created_at", "-pk")
    found = found.filter(key=evaluation_key) if evaluation_key else found.filter(split="test")
    evaluation = found.first()
    if evaluation is None:
        which = f"no Evaluation {evaluation_key!r}" if evaluation_key else "no Evaluation on test"
        raise CommandError(f"{runs[0].key} has {which}; its page lists those that it has")
    return evaluation
