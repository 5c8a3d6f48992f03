"""`manage.py verify FILE.jsonl`: rows `{"problem", "program"}` against those Problems' tests, one Verdict per row.

Exit code 1 when a Program did not pass or a row could not be read; the summary says how many of which. With
`--cross-check OTHER` a second engine judges the same rows, every disagreement is listed, and the exit code is 1 when
there is one or a row could not be read. `--grader` chooses the rules by which values are compared (docs/grading.md).
With `--output OTHER.jsonl` every Verdict is also written there, and a call that was interrupted goes on where it was.
"""

from __future__ import annotations

import contextlib
import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.errors import PipelineError
from pipeline.graders import DEFAULT_GRADER, GRADERS
from pipeline.judging import Candidate
from pipeline.printable import printable
from pipeline.records import Problem as ProblemRecord
from pipeline.records import Verdict
from q_runtime import ENGINE_NAMES
from qstudio.core.installation import require_database
from qstudio.problems.crosscheck import disagreement
from qstudio.problems.judging import judge_programs
from qstudio.problems.models import Problem
from qstudio.problems.services import problem_record
from qstudio.problems.verdict_file import LINES_TOGETHER, VerdictFile

DIFFERENT = "disagreement"
"""Counted beside the Verdicts while two engines are compared."""


@dataclass(frozen=True)
class Row:
    """One line of the file: a Program to judge, or why there is none."""

    number: int
    candidate: Candidate | None
    trouble: str = ""


class Command(BaseCommand):
    help = "Judges Programs in a JSON lines file against the tests of their Problems."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        names = ", ".join(ENGINE_NAMES)
        parser.add_argument(
            "--engine", default="embedded", help=f"which q: {names} (default: %(default)s)"
        )
        parser.add_argument(
            "--grader", default=DEFAULT_GRADER, choices=tuple(GRADERS),
            help="rules by which values are compared (default: %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--cross-check", metavar="OTHER", help="judge with this engine too; list what differs"
        )
        parser.add_argument(
            "--output", type=Path, metavar="OTHER.jsonl",
            help="write Verdicts there; rows that have one there already are not judged again",
        )  # fmt: skip
        parser.add_argument(
            "--json", action="store_true", help="one JSON line per row, then one summary line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        rows = _read(options["file"])
        slugs = {row.candidate.problem for row in rows if row.candidate}
        stored = Problem.objects.filter(slug__in=slugs).prefetch_related("tests")
        problems = {row.slug: problem_record(row) for row in stored}
        rows = [_known(row, problems.keys()) for row in rows]
        engines = [name for name in (options["engine"], options["cross_check"]) if name]
        try:
            if options["output"]:
                counts = self._keep(rows, problems, options)
            else:
                counts = self._judge(rows, problems, engines, options)
        except PipelineError as error:
            raise CommandError(str(error)) from error
        if len(engines) > 1:
            self._conclude(counts, engines, options["json"])
        else:
            self._summarize(counts, options["json"])

    def _judge(
        self,
        rows: list[Row],
        problems: Mapping[str, ProblemRecord],
        engines: list[str],
        options: dict[str, Any],
    ) -> Counter[str]:
        """Judge every row with every engine and tell what came of it; the counts of Verdicts and disagreements."""
        counts: Counter[str] = Counter()
        candidates = [row.candidate for row in rows if row.candidate]
        verdicts, *others = [
            judge_programs(candidates, problems, name, options["grader"]) for name in engines
        ]
        with contextlib.ExitStack() as stack:
            for judging in (verdicts, *others):
                stack.callback(judging.close)
            for row in rows:
                if row.candidate is None:
                    self._tell_trouble(row, counts, options["json"])
                    continue
                _, verdict = next(verdicts)
                self._tell(_line(row.number, row.candidate, verdict), counts, options["json"])
                for other in others:
                    is_different = self._compare(row, verdict, next(other)[1], options["json"])
                    counts[DIFFERENT] += is_different
        return counts

    def _keep(
        self, rows: list[Row], problems: Mapping[str, ProblemRecord], options: dict[str, Any]
    ) -> Counter[str]:
        """Judge the rows that have no Verdict in the output file yet, and write theirs there."""
        if options["cross_check"]:
            raise CommandError("--output keeps the Verdicts of one engine: leave out --cross-check")
        counts: Counter[str] = Counter()
        with VerdictFile(options["output"], options["engine"], options["grader"]) as file:
            known = {
                row.number: file.find(row.number, row.candidate, problems[row.candidate.problem])
                for row in rows
                if row.candidate
            }
            owed = [row.candidate for row in rows if row.candidate and not known[row.number]]
            judging = judge_programs(
                owed, problems, options["engine"], options["grader"], LINES_TOGETHER
            )
            with contextlib.closing(judging):
                for row in rows:
                    if row.candidate is None:
                        self._tell_trouble(row, counts, options["json"])
                        continue
                    line = known[row.number]
                    if line is None:
                        line = _line(row.number, row.candidate, next(judging)[1])
                        file.add(line, row.candidate, problems[row.candidate.problem])
                    self._tell(line, counts, options["json"])
        return counts

    def _compare(self, row: Row, first: Verdict, second: Verdict, as_json: bool) -> bool:
        """Tell a disagreement with the Program and both Verdicts; whether there is one."""
        assert row.candidate is not None
        difference = disagreement(first, second)
        if not difference:
            return False
        sides = {
            verdict.engine: {
                "engine_version": verdict.engine_version,
                "verdict": verdict.kind.value,
                "error": verdict.error,
                "reason": verdict.reason,
                "n_passed": verdict.n_passed,
            }
            for verdict in (first, second)
        }
        if as_json:
            line = {
                "row": row.number,
                "problem": row.candidate.problem,
                "program": row.candidate.program,
                "disagreement": difference,
                "verdicts": sides,
            }
            self.stdout.write(json.dumps(line))
            return True
        self.stdout.write(f"line {row.number}  {row.candidate.problem}  DISAGREE  {difference}")
        for name, side in sides.items():
            told = f"    {name} {side['engine_version']}: {side['verdict']}  {side['reason']}"
            self.stdout.write(printable(told).rstrip())
        for text in (row.candidate.program or "").splitlines():
            self.stdout.write(f"    | {printable(text)}")
        return True

    def _conclude(self, counts: Counter[str], engines: list[str], as_json: bool) -> None:
        n_different = counts.pop(DIFFERENT, 0)
        total, first, second = counts.total(), *engines
        n_compared = total - counts["not_read"]
        if as_json:
            summary = {
                "rows": total,
                "passed": counts["passed"],
                "verdicts": dict(counts),
                "engines": engines,
                "compared": n_compared,
                "disagreements": n_different,
            }
            self.stdout.write(json.dumps({"summary": summary}))
        else:
            self.stdout.write(
                f"{first} and {second} agree on {n_compared - n_different} of {n_compared} Programs"
            )
        if n_different:
            raise CommandError(f"{first} and {second} disagree on {n_different} of {n_compared}")
        if counts["not_read"]:
            raise CommandError(f"{counts['not_read']} of {total} rows could not be read")

    def _tell(self, line: dict[str, Any], counts: Counter[str], as_json: bool) -> None:
        counts[line["verdict"]] += 1
        if as_json:
            self.stdout.write(json.dumps({k: v for k, v in line.items() if k != "key"}))
        else:
            passed = f"{line['n_passed']}/{line['n_tests']}"
            told = f"line {line['row']}  {line['problem']}  {line['verdict']}  {passed}  {line['reason']}"
            self.stdout.write(printable(told).rstrip())

    def _tell_trouble(self, row: Row, counts: Counter[str], as_json: bool) -> None:
        counts["not_read"] += 1
        line = {"row": row.number, "verdict": None, "reason": row.trouble}
        self.stdout.write(
            json.dumps(line) if as_json else f"line {row.number}  not read: {row.trouble}"
        )

    def _summarize(self, counts: Counter[str], as_json: bool) -> None:
        total = counts.total()
        if as_json:
            summary = {"rows": total, "passed": counts["passed"], "verdicts": dict(counts)}
            self.stdout.write(json.dumps({"summary": summary}))
        else:
            told = ", ".join(f"{n} {name}" for name, n in counts.most_common())
            self.stdout.write(
                f"{counts['passed']} of {total} passed ({told or 'the file is empty'})"
            )
        if counts["passed"] < total:
            raise CommandError(f"{total - counts['passed']} of {total} rows did not pass")


def _line(number: int, candidate: Candidate, verdict: Verdict) -> dict[str, Any]:
    """What is told of a row that was judged."""
    return {
        "row": number,
        "problem": candidate.problem,
        "verdict": verdict.kind.value,
        "error": verdict.error,
        "reason": verdict.reason,
        "n_passed": verdict.n_passed,
        "n_tests": verdict.n_tests,
        "grader": verdict.grader,
        "engine": verdict.engine,
        "engine_version": verdict.engine_version,
    }


def _read(path: Path) -> list[Row]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"cannot read {path}: {reason}") from error
    return [_parse(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _parse(number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        return Row(number, None, "the line is not JSON")
    problem = row.get("problem") if isinstance(row, dict) else None
    program = row.get("program") if isinstance(row, dict) else None
    if not isinstance(problem, str) or not isinstance(program, str):
        return Row(number, None, 'the line is not of the form {"problem": "...", "program": "..."}')
    return Row(number, Candidate(problem, program if program.strip() else None))


def _known(row: Row, slugs: Any) -> Row:
    if row.candidate is None or row.candidate.problem in slugs:
        return row
    return Row(row.number, None, f"there is no Problem {row.candidate.problem!r}; import it first")
