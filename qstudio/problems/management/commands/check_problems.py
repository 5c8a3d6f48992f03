"""`manage.py check_problems`: whether the tests of Problems bite, before a Run finds out.

For each Problem fresh inputs are drawn and mutants of the reference run, as a Run does when a Program has passed. What
would keep every Program from being accepted is told with its reason, and with `--json` the fate of every mutant.
Exit code 1 when there is such a Problem. Nothing is stored.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from pipeline.config import AcceptanceConfig, ExecutionConfig
from pipeline.mutation.measure import measure_kill_rates
from pipeline.mutation.report import KillReport
from pipeline.records import TestCase
from pipeline.references import drawn_tests, largest_answer_share
from pipeline.strictness import bluntness, weakness
from q_runtime import PythonPool
from qstudio.core.installation import require_database
from qstudio.problems.models import Problem
from qstudio.problems.services import chunks, problem_record

FIRST_INDEX = 1000
PROBLEMS_READ = 128
N_WORKERS = ExecutionConfig().workers


class Command(BaseCommand):
    help = "Says for which Problems nothing could be accepted, because their tests are too weak."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--set", dest="set_name", metavar="NAME", help="only this problem set")
        parser.add_argument("--problem", metavar="SLUG", help="only this Problem")
        parser.add_argument("--seed", type=int, default=0, help="of the inputs that are drawn")
        parser.add_argument(
            "--json", action="store_true", help="one JSON line per Problem, then a summary line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        self.as_json: bool = options["json"]
        rows = Problem.objects.order_by("slug")
        if options["set_name"] is not None:
            rows = rows.filter(problem_set=options["set_name"])
        if options["problem"] is not None:
            rows = rows.filter(slug=options["problem"])
        slugs = list(rows.values_list("slug", flat=True))
        if not slugs:
            raise CommandError("there is no such Problem; see the Problems page")
        counts: Counter[str] = Counter()
        with tqdm(total=len(slugs), desc="Problems", file=sys.stderr, disable=None) as bar:
            for chunk in chunks(slugs, PROBLEMS_READ):
                self._check(chunk, options["seed"], counts)
                bar.update(len(chunk))
        n_good = counts.pop("", 0)
        if self.as_json:
            summary = {"problems": len(slugs), "good": n_good, "reasons": dict(counts)}
            self.stdout.write(json.dumps({"summary": summary}))
        else:
            self.stdout.write(f"The tests of {n_good} of {len(slugs)} Problems are good enough")
        if counts:
            told = ", ".join(f"{n} for {reason}" for reason, n in counts.most_common())
            n = counts.total()
            raise CommandError(f"for {n} Problem{'s'[: n != 1]} nothing can be accepted: {told}")

    def _check(self, slugs: list[str], seed: int, counts: Counter[str]) -> None:
        """Check some Problems and tell; `counts` gets the names of the reasons."""
        policy = AcceptanceConfig()
        rows = Problem.objects.filter(slug__in=slugs).order_by("slug").prefetch_related("tests")
        problems = [problem_record(row) for row in rows]
        with PythonPool() as pool:
            fresh = dict(drawn_tests(problems, pool, policy.fresh_inputs, seed, FIRST_INDEX))
        measured = measure_kill_rates(problems, fresh, policy.max_mutants, seed, N_WORKERS)
        reports = {report.problem: report for found in measured for report in found}
        for problem in problems:
            drawn = fresh.get(problem.slug, ())
            report = reports[problem.slug]
            reason = weakness(problem, drawn, policy) or bluntness(report, policy)
            counts[reason.partition(":")[0]] += 1
            self._tell(report, reason, [*problem.tests, *drawn])

    def _tell(self, report: KillReport, reason: str, tests: list[TestCase]) -> None:
        rate = None if report.rate is None else round(report.rate, 4)
        if self.as_json:
            line = {
                "problem": report.problem,
                "good": not reason,
                "reason": reason,
                "kill_rate": rate,
                "inputs": len(tests),
                "largest_answer_share": round(largest_answer_share(tests), 4),
                "mutants": [mutant.model_dump(mode="json") for mutant in report.mutants],
            }
            self.stdout.write(json.dumps(line))
        elif reason:
            self.stdout.write(f"{report.problem}  {reason}")
            for mutant in report.mutants:
                if mutant.fate == "survived":
                    place = f"line {mutant.line}: " if mutant.line else ""
                    self.stdout.write(f"    {place}{mutant.change}  ({mutant.cause})")
