"""The final report of a run: every number from records on disk, with the comparison that is fair.

The base line is the same policy trained on the seeds alone for as many steps. "Final" is the policy that the dev split
chose; the test split chose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.metrics import paired_difference
from pipeline.records import Evaluation, Interval
from pipeline.rundir import utc_now, write_json
from pipeline.stages.bootstrap import LoopResult, Policy, n_solved, seed_solutions
from pipeline.stages.context import RunContext

FINAL_REPORT = "final_report.json"


def write_report(context: RunContext, result: LoopResult) -> dict[str, Any]:
    """Make and store `final_report.json`; the keys named in docs/run-directory.md are stable."""
    state = result.state
    final = state.policy
    paired = _paired(context, result.base.test, final.test)
    seeds = seed_solutions(context)
    report = {
        "schema_version": 1,
        "name": context.config.name,
        "seed": context.config.seed,
        "seeds": n_solved(context, seeds),
        "seeds_lent": len(seeds) - n_solved(context, seeds),
        "iterations": [
            {**item.entry, "trained": _measured(item.policy)} for item in state.iterations
        ],
        "initial": _measured(result.initial),
        "base_equal_steps": _measured(result.base),
        "final": _measured(final),
        "paired": {"diff": _value(paired), "ci": _ci(paired)},
        "solved_total": n_solved(context, state.solutions),
        "problems_total": len(context.train),
        "stopped_because": result.stopped_because,
        "split": "test",
        "n_test_problems": final.test.n_problems if final.test else 0,
        "samples_per_problem": context.config.evaluation.samples,
        "temperature": context.config.evaluation.temperature,
        "grader": final.test.grader if final.test else None,
        "engine": context.judge.engine,
        "engine_version": context.judge.engine_version,
        "finished_at": utc_now(),
    }
    report["conclusion"] = _conclusion(report, [result.base.test, final.test])
    write_json(context.path / FINAL_REPORT, report)
    return report


def _measured(policy: Policy) -> dict[str, Any]:
    """One policy's line: pass@k on test with intervals, its dev pass@1, steps and verdict counts."""
    test, dev = policy.test, policy.dev
    line: dict[str, Any] = {
        "policy": policy.checkpoint.id,
        "steps": policy.checkpoint.steps,
        "train_rows": policy.checkpoint.train_rows,
        "final_loss": policy.checkpoint.final_loss,
        "pass@1": None,
        "ci": None,
    }
    if test is not None:
        for k, interval in test.pass_at.items():
            line[f"pass@{k}"] = interval.value
        line["ci"] = _ci(test.pass_at.get("1"))
        line["pass@1_all_in"] = _value(test.pass_at_all_in.get("1"))
        line["verdicts"] = test.verdicts
    line["dev_pass@1"] = _value(dev.pass_at.get("1")) if dev is not None else None
    return line


def _paired(
    context: RunContext, base: Evaluation | None, final: Evaluation | None
) -> Interval | None:
    if base is None or final is None or base.grader != final.grader:
        return None
    settings = context.config.evaluation
    return paired_difference(
        base.per_problem, final.per_problem, 1, settings.resamples, settings.seed
    )


def _conclusion(report: dict[str, Any], compared: Sequence[Evaluation | None]) -> str:
    """The finding in one or two plain sentences."""
    solved = (
        f"The loop solved {report['solved_total']} of {report['problems_total']} training Problems, "
        f"{report['seeds']} of them known before."
    )
    diff, ci = report["paired"]["diff"], report["paired"]["ci"]
    graders = sorted({evaluation.grader for evaluation in compared if evaluation})
    if len(graders) > 1:
        names = " and ".join(graders)
        return f"{solved} The policies were judged by different graders ({names}): scores do not compare."
    if diff is None:
        return f"{solved} There is no test split to compare policies on."
    where = f"{diff * 100:+.1f} points [{ci[0] * 100:+.1f}, {ci[1] * 100:+.1f}]"
    if (
        report["final"]["steps"]
        == report["base_equal_steps"]["steps"]
        == report["initial"]["steps"]
    ):
        return f"{solved} Nothing was trained, so there is nothing to compare."
    if ci[0] > 0:
        return f"{solved} On test the final policy is better than the base line of equal steps: {where}."
    if ci[1] < 0:
        return f"{solved} On test the final policy is worse than the base line of equal steps: {where}."
    return f"{solved} On test the final policy cannot be told from the base line of equal steps: {where}."


def _value(interval: Interval | None) -> float | None:
    return None if interval is None else interval.value


def _ci(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
