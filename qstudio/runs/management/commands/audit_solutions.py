"""`manage.py audit_solutions`: new inputs under a new seed for every accepted Solution; quarantine for what fails.

Each quarantine says what failed, on which input, and what has used the Program: training sets, Checkpoints, Iterations,
Evaluations. It is placed while the audit goes on, so that one that is interrupted keeps what it found; the same seed
finds the same again. `--release KEY --reason TEXT` takes one back. Exit code 1 when something failed.
"""

from __future__ import annotations

import json
import secrets
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from pipeline import records
from pipeline.errors import PipelineError
from q_runtime import ENGINE_NAMES
from qstudio.core.installation import require_database
from qstudio.problems.audit import AuditPlan, Finding, audit
from qstudio.problems.models import Problem, Quarantine, Solution
from qstudio.problems.quarantine import place, release
from qstudio.problems.services import chunks, problem_record
from qstudio.runs.models import Run
from qstudio.runs.uses import Use, find_uses

DEFAULT_INPUTS = 40
PROBLEMS_READ = 200


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 1000:
        raise ArgumentTypeError(f"{text!r} is not a number of inputs from 1 to 1000")
    return number


class Command(BaseCommand):
    help = "Judges accepted Solutions on new inputs, and quarantines those that fail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--set", dest="set_name", metavar="NAME", help="only this problem set")
        parser.add_argument("--run", metavar="KEY", help="only what this Run accepted")
        parser.add_argument("--seed", type=int, help="of the new inputs (default: a new one)")
        parser.add_argument(
            "--inputs",
            type=_positive,
            default=DEFAULT_INPUTS,
            metavar="N",
            help="inputs drawn for each Problem (default: %(default)s)",
        )
        names = ", ".join(ENGINE_NAMES)
        parser.add_argument(
            "--engine", default="embedded", help=f"which q: {names} (default: %(default)s)"
        )
        parser.add_argument("--dry-run", action="store_true", help="audit, and change nothing")
        parser.add_argument(
            "--json", action="store_true", help="one JSON line per finding, then a summary line"
        )
        parser.add_argument(
            "--release", metavar="KEY", help="release this Solution from quarantine"
        )
        parser.add_argument("--reason", default="", help="why it is released; kept with it")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        self.as_json: bool = options["json"]
        if options["release"]:
            self._release(options["release"], options["reason"].strip())
            return
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(2**31)
        plan = AuditPlan(seed, options["inputs"], options["engine"])
        solutions = _selected(options["set_name"], options["run"])
        slugs = sorted(set(solutions.values_list("problem__slug", flat=True)))
        counts: Counter[str] = Counter()
        unread: set[str] = set()
        bar = tqdm(total=len(slugs), desc="Problems", file=sys.stderr, disable=None)
        try:
            for chunk in chunks(slugs, PROBLEMS_READ):
                programs = _programs(solutions, chunk)
                for findings in audit(programs, _problems(chunk), plan):
                    unread |= self._conclude(findings, counts, options["dry_run"])
                    bar.update(len({finding.problem for finding in findings}))
        except PipelineError as error:
            raise CommandError(str(error)) from error
        finally:
            bar.close()
        self._summarize(plan, counts, sorted(unread), options["dry_run"])

    def _conclude(
        self, findings: Sequence[Finding], counts: Counter[str], is_dry: bool
    ) -> set[str]:
        """Act on some findings; the Runs whose training sets could not be read."""
        counts.update(finding.outcome for finding in findings)
        keys = [_key(item) for item in findings if item.outcome == "failed"]
        uses, unread = find_uses(keys) if keys else ({}, [])
        for finding in findings:
            if finding.outcome == "failed":
                self._quarantine(finding, uses[_key(finding)], is_dry)
            elif finding.outcome == "not_judged" or self.as_json:
                self._tell(finding, [])
        return set(unread)

    def _quarantine(self, finding: Finding, uses: Sequence[Use], is_dry: bool) -> None:
        if not is_dry:
            problem = Problem.objects.get(slug=finding.problem)
            place(problem, _key(finding), finding.reason, finding.evidence, uses)
        self._tell(finding, uses)

    def _tell(self, finding: Finding, uses: Sequence[Use]) -> None:
        key = _key(finding)
        if self.as_json:
            line = {
                "problem": finding.problem,
                "solution": key,
                "program": finding.program,
                "outcome": finding.outcome,
                "reason": finding.reason,
                "evidence": finding.evidence,
                "uses": list(uses),
            }
            self.stdout.write(json.dumps(line))
            return
        word = "FAILED" if finding.outcome == "failed" else "not judged"
        self.stdout.write(f"{finding.problem}  {key[:12]}  {word}  {finding.reason}")
        if finding.outcome == "failed":
            for text in finding.program.splitlines():
                self.stdout.write(f"    | {text}")
            for use in uses:
                self.stdout.write(f"    used by {_sentence(use)}")
            if not uses:
                self.stdout.write("    no training set has used it")

    def _summarize(
        self, plan: AuditPlan, counts: Counter[str], unread: Sequence[str], is_dry: bool
    ) -> None:
        if self.as_json:
            summary = {
                "solutions": counts.total(),
                "passed": counts["passed"],
                "failed": counts["failed"],
                "not_judged": counts["not_judged"],
                "not_drawn": counts["not_drawn"],
                "seed": plan.seed,
                "inputs": plan.n_inputs,
                "dry_run": is_dry,
                "runs_not_read": list(unread),
            }
            self.stdout.write(json.dumps({"summary": summary}))
        else:
            self.stdout.write(
                f"{counts.total()} Solutions on {plan.n_inputs} new inputs each (seed {plan.seed}): "
                f"{counts['passed']} passed, {counts['failed']} failed, {counts['not_judged']} could not be judged, "
                f"{counts['not_drawn']} have no new inputs"
            )
            if unread:
                told = ", ".join(unread)
                self.stdout.write(f"The training sets of these Runs could not be read: {told}")
        if counts["failed"]:
            n = counts["failed"]
            done = "would be" if is_dry else "is now" if n == 1 else "are now"
            raise CommandError(f"{n} Solution{'s'[: n != 1]} {done} in quarantine")

    def _release(self, key: str, reason: str) -> None:
        if not reason:
            raise CommandError("say why it is released: --reason TEXT")
        found = Quarantine.objects.filter(released_at=None, key__startswith=key)
        keys = sorted(set(found.values_list("key", flat=True)))
        if not keys:
            raise CommandError(f"no Solution in quarantine has a key that begins with {key!r}")
        if len(keys) > 1:
            raise CommandError(f"{len(keys)} keys begin with {key!r}; write more of it")
        released = release(keys[0], reason)
        slug = released.problem.slug if released else ""
        if self.as_json:
            self.stdout.write(json.dumps({"released": keys[0], "problem": slug, "reason": reason}))
        else:
            self.stdout.write(f"{slug}  {keys[0][:12]}  is used again: {reason}")


def _selected(set_name: str | None, run: str | None) -> Any:
    """The usable Solutions that are asked for. Raises: CommandError when a name is not there."""
    found = Solution.objects.usable().select_related("problem")
    if set_name is not None:
        if not Problem.objects.filter(problem_set=set_name).exists():
            raise CommandError(f"there is no problem set {set_name!r}; see the Problems page")
        found = found.filter(problem__problem_set=set_name)
    if run is not None:
        if not Run.objects.filter(key=run).exists():
            raise CommandError(f"there is no Run {run!r}; see manage.py run list")
        found = found.filter(run_key=run)
    return found


def _programs(solutions: Any, slugs: Iterable[str]) -> dict[str, list[str]]:
    """The different Programs of each Problem, in the order of acceptance."""
    programs: dict[str, dict[str, None]] = {}
    rows = solutions.filter(problem__slug__in=list(slugs)).order_by("problem__slug", "created_at")
    for slug, program in rows.values_list("problem__slug", "program"):
        programs.setdefault(slug, {})[program] = None
    return {slug: list(found) for slug, found in programs.items()}


def _problems(slugs: Iterable[str]) -> Iterator[records.Problem]:
    rows = Problem.objects.filter(slug__in=list(slugs)).prefetch_related("tests")
    return (problem_record(row) for row in rows.order_by("slug"))


def _key(finding: Finding) -> str:
    return records.Solution(
        problem=finding.problem, program=finding.program, origin="reference"
    ).key


def _sentence(use: Mapping[str, Any]) -> str:
    """One use in words."""
    told = [f"{use['run']}: {use['dataset']}, rows: {use['rows']}"]
    if use["augmented_rows"]:
        told.append(f"rows made from it: {use['augmented_rows']}")
    if use["checkpoints"]:
        told.append(f"Checkpoints: {', '.join(use['checkpoints'])}")
    if use["later_checkpoints"]:
        told.append(f"and after them: {', '.join(use['later_checkpoints'])}")
    if use["evaluations"]:
        told.append(f"Evaluations of these: {len(use['evaluations'])}")
    return "; ".join(told)
