"""Runs the sessions of KX's documentation sample and reports how many steps print the same.

`python -m tests.q_runtime.kx_sample [--failures] [--area AREA]`. The sample is not part of this repository; it
is read from `../shared/conformance` beside it, and the runner says so and stops where that is absent.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from q_runtime import Limits, QError, RuntimeFault, Session

write = sys.stdout.write
SAMPLE = Path(__file__).resolve().parents[2].parent / "shared" / "conformance"
CORE_AREAS = ("ref", "basics", "kb", "learn")


def load_verdict() -> Callable[..., str]:
    """Load the reference comparator that comes with the sample."""
    spec = importlib.util.spec_from_file_location("kx_compare", SAMPLE / "compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verdict


def sessions() -> Iterator[dict[str, Any]]:
    """Yield the recorded sessions."""
    with (SAMPLE / "kx-docs-sample.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


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


def outcomes(
    limits: Limits,
) -> Iterator[tuple[dict[str, Any], dict[str, Any], str, str, str | None]]:
    """Yield (session, step, verdict, printed, error) for every scored step."""
    verdict = load_verdict()
    for recorded in sessions():
        session = Session(limits)
        for step in recorded["steps"]:
            substitute = step.get("substitute")
            if not step["usable"]:
                if substitute:
                    run_step(session, substitute["input"])
                continue
            printed, error = run_step(session, step["input"])
            if step["check"] in ("none", "output-suspect"):
                continue
            yield recorded, step, verdict(step, printed, error), printed, error


def report(area: str | None, failures: bool) -> int:
    """Print the pass rate by area; with `failures`, every step that differs."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for recorded, step, result, printed, error in outcomes(Limits(time_s=2.0)):
        if area and recorded["area"] != area:
            continue
        keys = [
            recorded["area"],
            "error steps" if step["check"] == "error" else "value steps",
            "all",
        ]
        for key in keys:
            total[key] += 1
            passed[key] += result == "pass"
        if failures and result != "pass":
            got = printed if error is None else f"'{error}"
            want = step["output"] if step["check"] != "error" else f"'{step['error']}"
            write(f"--- {recorded['id']} {result}\nq){step['input']}\nwant {want}\ngot  {got}\n")
    for key in sorted(total):
        share = passed[key] / total[key]
        write(f"{key:14} {passed[key]:5} of {total[key]:5}  {share:.1%}\n")
    return 0


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failures", action="store_true", help="print every step that differs")
    parser.add_argument("--area", help="only this area: ref, basics, kb, learn ...")
    options = parser.parse_args()
    if not SAMPLE.is_dir():
        write(f"the sample is not here: {SAMPLE} does not exist; nothing was run\n")
        return 0
    return report(options.area, options.failures)


if __name__ == "__main__":
    sys.exit(main())
