"""Whether anything may be accepted for a Problem at all: rules on its inputs, whatever the Program.

Each rule gives a reason that begins with its name and a colon; docs/acceptance.md lists them. What this deliberately
does not do: judge Programs, draw inputs or run mutants.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config import AcceptanceConfig
from pipeline.mutation.report import KillReport
from pipeline.records import Problem, TestCase
from pipeline.references import largest_answer_share, undrawable


def weakness(problem: Problem, fresh: Sequence[TestCase], policy: AcceptanceConfig) -> str:
    """Why nothing can be accepted for a Problem, whatever the Program; empty when its inputs may discriminate."""
    if policy.require_generator and not problem.generator:
        return "no generator: the Problem has no input generator, so nothing but its own tests can be asked"
    if policy.fresh_inputs and problem.generator and not fresh:
        if cause := undrawable(problem):
            return f"no fresh input: {cause}"
        return (
            "no fresh input: the generator gives none that has an answer and is not among the tests"
        )
    tests = [*problem.tests, *fresh]
    share, limit = largest_answer_share(tests), policy.max_same_answer
    if share > limit:
        return f"weak tests: {share:.0%} of the {len(tests)} inputs have the same answer, the limit is {limit:.0%}"
    return ""


def bluntness(report: KillReport, policy: AcceptanceConfig) -> str:
    """Why nothing can be accepted for a Problem by its kill rate; empty when the rate is enough."""
    if report.rate is None:
        return f"no kill rate: {report.unmeasured or 'no mutant of the reference could be judged'}"
    if report.rate >= policy.min_kill_rate:
        return ""
    killed, survived = report.count("killed"), report.count("survived")
    example = next(mutant for mutant in report.mutants if mutant.fate == "survived")
    return (
        f"blunt tests: {killed} of {killed + survived} mutants of the reference are told from it "
        f"({report.rate:.0%}), at least {policy.min_kill_rate:.0%} are needed; "
        f"not line {example.line}: {example.change}"
    )
