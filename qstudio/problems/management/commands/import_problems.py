"""`manage.py import_problems FILE --format FORMAT`: problem files of others become Problems, row by row.

Rows that cannot become a Problem are reported with their line and the reason, and the rest is imported. Importing the
same file again changes nothing. A q Program that a row brings along is stored only if it passes the row's tests.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.errors import PipelineError
from pipeline.importers import FORMATS, IMPORT_LIMITS, ImportedRow, import_file, summarize
from pipeline.judging import Candidate
from pipeline.records import Solution
from q_runtime import PythonPool
from qstudio.core.installation import require_database
from qstudio.problems.judging import judge_programs
from qstudio.problems.services import store_problem, store_solutions


class Command(BaseCommand):
    help = "Imports Problems from a file; every Python reference is run in the sandbox."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, choices=FORMATS)
        parser.add_argument(
            "--dry-run", action="store_true", help="read and check everything, store nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="one JSON line per row, then one summary line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        path: Path = options["file"]
        self.as_json, self.is_dry = options["json"], options["dry_run"]
        outcomes: Counter[str] = Counter()
        try:
            path.open("rb").close()  # a wrong name is told before any sandbox is started
            with PythonPool(limits=IMPORT_LIMITS) as pool:
                rows = list(self._store(import_file(path, options["format"], pool), outcomes))
            solutions = self._store_solutions(rows)
        except OSError as error:
            raise CommandError(f"cannot read {path}: {error.strerror}") from error
        except PipelineError as error:
            raise CommandError(str(error)) from error
        report = summarize(rows)
        if self.as_json:
            summary = {**report.as_json(), "outcomes": dict(outcomes), "solutions": dict(solutions)}
            self.stdout.write(json.dumps({"summary": summary}))
            self._fail_if_bad(path, rows)
            return
        for line in report.lines():
            self.stdout.write(line)
        told = ", ".join(f"{n} {name}" for name, n in outcomes.items()) or "nothing"
        self.stdout.write(
            f"Problems: {told}" + (" (dry run: nothing was stored)" if self.is_dry else "")
        )
        if solutions:
            self.stdout.write(
                "Solutions: " + ", ".join(f"{n} {name}" for name, n in solutions.items())
            )
        self._fail_if_bad(path, rows)

    @staticmethod
    def _fail_if_bad(path: Path, rows: list[ImportedRow]) -> None:
        """Refused Problems are in order; unreadable lines, or no Problem at all, are not. Raises: CommandError."""
        malformed = [str(row.row_number) for row in rows if row.is_malformed]
        if malformed:
            shown = ", ".join(malformed[:10]) + (", ..." if len(malformed) > 10 else "")
            raise CommandError(
                f"{len(malformed)} of {len(rows)} lines of {path} could not be read (line {shown}): mend them and "
                "import again, which leaves what is in already unchanged"
            )
        if not any(row.problem for row in rows):
            raise CommandError(
                f"no row of {path} was accepted; see the reasons above, and whether --format is the right one"
            )

    def _store(self, rows: Iterable[ImportedRow], outcomes: Counter[str]) -> Iterator[ImportedRow]:
        """Store each accepted row as it comes, so that an interrupted import keeps what it has done."""
        for row in rows:
            outcome = "refused"
            if row.problem is not None:
                outcome = "accepted" if self.is_dry else store_problem(row.problem)
            outcomes[outcome] += 1
            self._tell(row, outcome)
            yield row

    def _tell(self, row: ImportedRow, outcome: str) -> None:
        if self.as_json:
            line = {
                "row": row.row_number,
                "id": row.source_id,
                "problem": row.problem.slug if row.problem else None,
                "outcome": outcome,
                "reasons": list(row.reasons),
            }
            self.stdout.write(json.dumps(line))
        elif row.problem is None:
            self.stdout.write(
                f"line {row.row_number} ({row.source_id}) refused: {'; '.join(row.reasons)}"
            )

    def _store_solutions(self, rows: list[ImportedRow]) -> Counter[str]:
        """Judge and store the q Programs that rows bring along; how many were stored, or failed."""
        problems = {row.problem.slug: row.problem for row in rows if row.problem and row.solution}
        offered = [
            Candidate(row.problem.slug, row.solution)
            for row in rows
            if row.problem and row.solution
        ]
        counts: Counter[str] = Counter()
        if not offered or self.is_dry:
            return counts
        passed: list[Solution] = []
        for candidate, verdict in judge_programs(offered, problems):
            if verdict.kind != "passed" or candidate.program is None:
                counts["not passed"] += 1
                continue
            problem = problems[candidate.problem]
            provenance = {
                "source": problem.source,
                "licence": problem.licence,
                "grader": verdict.grader,
                "engine": verdict.engine,
                "engine_version": verdict.engine_version,
            }
            passed.append(
                Solution(
                    problem=problem.slug,
                    program=candidate.program,
                    origin="reference",
                    provenance=provenance,
                )
            )
        return counts + store_solutions(passed)
