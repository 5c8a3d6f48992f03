"""`python -m tests.q_runtime.hostile [q|python] [CASE ..]`: tries hostile code against the sandbox and prints a table.

One line per case: what it attempts and what came of each of its sources. The last line of each language sums up. Exit
code 1 when anything escaped, passed wrongly, was excused, or kept fair code from passing.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable

from tests.q_runtime.hostile.surroundings import Surroundings
from tests.q_runtime.hostile.trial import Outcome, try_python, try_q

TRIALS = {"q": try_q, "python": try_python}


def main(arguments: list[str]) -> int:
    """Run the chosen trials. Returns the exit code."""
    languages = [name for name in TRIALS if name in arguments] or list(TRIALS)
    ids = {name for name in arguments if name not in TRIALS}
    is_good = True
    for language in languages:
        with Surroundings() as surroundings:
            trial = TRIALS[language](surroundings, chosen=lambda case: not ids or case.id in ids)
            outcomes = []
            for outcome in trial:
                outcomes.append(outcome)
                print(described(outcome), flush=True)
            leftovers = surroundings.leftovers()
        print(summary(language, outcomes, len(leftovers)), flush=True)
        is_good = is_good and not leftovers and all(outcome.is_good for outcome in outcomes)
    return 0 if is_good else 1


def described(outcome: Outcome) -> str:
    """One line for a case, and one more for everything that went wrong."""
    counts = Counter(verdict.partition(":")[0][:40] for verdict in outcome.verdicts)
    told = ", ".join(f"{n} {name}" if n > 1 else name for name, n in counts.items())
    mark = "ok  " if outcome.is_good else "BAD "
    lines = [f"{mark} {outcome.case.group:<14} {outcome.case.id:<22} {told}"]
    for kind in ("escapes", "wrong_passes", "excuses", "unfair"):
        lines += [
            f"     {kind}: {' | '.join(text.splitlines())[:300]}" for text in getattr(outcome, kind)
        ]
    return "\n".join(lines)


def summary(language: str, outcomes: Iterable[Outcome], n_left: int = 0) -> str:
    """The line that counts."""
    found = list(outcomes)
    n_sources = sum(len(outcome.case.sources) for outcome in found)
    counted = {
        "escapes": sum(bool(outcome.escapes) for outcome in found),
        "wrong passes": sum(bool(outcome.wrong_passes) for outcome in found),
        "excused": sum(bool(outcome.excuses) for outcome in found),
        "fair ones failed": sum(len(outcome.unfair) for outcome in found),
        "processes left": n_left,
    }
    told = ", ".join(f"{n} {name}" for name, n in counted.items())
    return f"{language}: {len(found)} tried ({n_sources} sources), {told}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
