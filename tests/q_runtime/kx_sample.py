"""Runs the sessions of KX's documentation sample and reports how many steps print the same.

`python -m tests.q_runtime.kx_sample [--failures] [--area AREA] [--page TEXT] [--id TEXT]`. The sample is not part
of this repository; it is read from `../shared/conformance` beside it, and the runner says so and stops where
that is absent. Every step that differs is shown under its rule (`kx_rules`); those that the documentation itself has
wrong stand in no share, and a second share counts them as failures.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from q_runtime import Limits, QError, RuntimeFault, Session
from tests.q_runtime.kx_rules import lines_by_rule, rule_of_known_wrong

write = sys.stdout.write
SAMPLE = Path(__file__).resolve().parents[2].parent / "shared" / "conformance"
N_PROCESSES = 2
STEP_LIMITS = Limits(time_s=2.0)
KINDS = ("value steps", "error steps")
ORDER = ("ref", "basics", "kb", "learn", "white-papers", "release-notes", "other", *KINDS, "all")
"""The rows of the report."""


class Outcome(NamedTuple):
    """What one scored step printed against what the documentation shows."""

    session: str
    page: str
    area: str
    step: dict[str, Any]
    verdict: str
    printed: str
    error: str | None
    known_wrong: str
    """The rule by which the documentation's own answer is wrong; empty for a step that counts."""

    @property
    def passed(self) -> bool:
        """Whether it printed exactly the same, or signalled the same error."""
        return self.verdict == "pass"

    @property
    def kind(self) -> str:
        """Whether a value or an error is expected."""
        return KINDS[self.step["check"] == "error"]

    def text(self) -> str:
        """Show the step, what was wanted and what came."""
        got = self.printed if self.error is None else f"'{self.error}"
        want = self.step["output"] if self.kind == "value steps" else f"'{self.step['error']}"
        why = f"known wrong: {self.known_wrong}\n" if self.known_wrong else ""
        head = f"--- {self.session} step {self.step['n']} {self.verdict}\n"
        return f"{head}{why}q){self.step['input']}\nwant {want}\ngot  {got}\n"


@cache
def load_verdict() -> Callable[..., str]:
    """Load the reference comparator that comes with the sample."""
    spec = importlib.util.spec_from_file_location("kx_compare", SAMPLE / "compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verdict


def sessions(area: str = "", page: str = "", name: str = "") -> Iterator[dict[str, Any]]:
    """Yield the recorded sessions of an area, and of the pages and ids that contain a text."""
    with (SAMPLE / "kx-docs-sample.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            recorded = json.loads(line)
            if (
                area in ("", recorded["area"])
                and page in recorded["page"]
                and name in recorded["id"]
            ):
                yield recorded


def run_step(session: Session, text: str) -> tuple[str, str | None]:
    """Run one input; returns what was printed and the error name (a leading `?` marks a gap)."""
    try:
        printed = session.print_or_raise(text)
    except QError as error:
        return "", error.code
    except RuntimeFault as fault:
        trace = fault.__cause__.__traceback__ if fault.__cause__ else None
        place = ""
        while trace is not None:
            place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
            trace = trace.tb_next
        return "", f"?{type(fault).__name__}: {fault}{place}"
    return printed, None


def run_session(recorded: dict[str, Any]) -> list[Outcome]:
    """Run one recorded session in a fresh Session; returns its scored steps."""
    verdict = load_verdict()
    session = Session(STEP_LIMITS)
    out = []
    for step in recorded["steps"]:
        if not step["usable"]:
            if step.get("substitute"):
                run_step(session, step["substitute"]["input"])
            continue
        printed, error = run_step(session, step["input"])
        if step["check"] in ("none", "output-suspect"):
            continue
        result = verdict(step, printed, error)
        where = (recorded["id"], recorded["page"], recorded["area"])
        wrong = rule_of_known_wrong().get((recorded["id"], step["n"]), "")
        out.append(Outcome(*where, step, result, printed, error, wrong))
    return out


def outcomes(area: str = "", page: str = "", name: str = "") -> list[Outcome]:
    """Run the chosen sessions over a few processes; returns every scored step in the sample's order."""
    chosen = list(sessions(area, page, name))
    if len(chosen) < 20:
        return [outcome for recorded in chosen for outcome in run_session(recorded)]
    with ProcessPoolExecutor(N_PROCESSES, mp_context=get_context("spawn")) as pool:
        return [o for found in pool.map(run_session, chosen, chunksize=8) for o in found]


def shares(results: Iterable[Outcome], *, with_wrong: bool = False) -> dict[str, tuple[int, int]]:
    """Count (passed, scored) by area, by kind and over all, with or without the known-wrong steps."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for outcome in results:
        if with_wrong or not outcome.known_wrong:
            for key in (outcome.area, outcome.kind, "all"):
                total[key] += 1
                passed[key] += outcome.passed
    return {key: (passed[key], total[key]) for key in total}


def report(results: list[Outcome], *, failures: bool) -> None:
    """Print what differs by rule, in full if `failures`, and then the shares without and with the known wrong."""
    if failures:
        for outcome in (o for o in results if not o.passed):
            write(outcome.text())
    differing = {(o.session, o.step["n"]): o for o in results if not o.passed}
    lines = lines_by_rule(differing, lambda step: "e" * (differing[step].kind == KINDS[1]))
    write("\n".join(lines) + "\n(a step marked e is one that should have signalled an error)\n\n")
    without, everything = shares(results), shares(results, with_wrong=True)
    write(f"{'printed the same':17}{'without the known wrong':>26}{'with them':>26}\n")
    for key in sorted(everything, key=ORDER.index):
        write(f"{key:17}{_share(without.get(key, (0, 0)))}{_share(everything[key])}\n")


def _share(counted: tuple[int, int]) -> str:
    passed, total = counted
    return f"{passed:8} of {total:5}  {passed / max(total, 1):7.1%}"


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failures", action="store_true", help="print every step that differs")
    parser.add_argument("--area", default="", help="only this area: ref, basics, kb, learn ...")
    parser.add_argument("--page", default="", help="only pages whose path contains this")
    parser.add_argument("--id", default="", help="only sessions whose id contains this")
    options = parser.parse_args()
    if not SAMPLE.is_dir():
        write(f"the sample is not here: {SAMPLE} does not exist; nothing was run\n")
        return 0
    report(outcomes(options.area, options.page, options.id), failures=options.failures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
