"""What a Run is doing, whose fault it was when it ended badly, and what to do next: one line each.

Pure functions of a Run row (and a time), so that the list, the page and the title of the window agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from qstudio.core.templatetags.display import duration
from qstudio.core.words import STAGES, iteration_words
from qstudio.runs.models import Run

State = Run.State

STOPPED_BECAUSE = {
    "target": "the wanted share of Problems is solved",
    "dry": "nothing new was solved",
    "maximum": "the maximum of Iterations is reached",
    "time": "its time budget is used up",
}
"""Why a loop ended, by the word in its report."""


def status_sentence(run: Run, n_withdrawn: int = 0) -> str:
    """One sentence on where a Run stands; `n_withdrawn` of its solved Problems do not count any more (`runs.uses`)."""
    if run.state == State.QUEUED:
        return run.message or "Waits for a worker to take it up."
    if run.state == State.STARTING:
        return "Its process is starting."
    if run.state == State.RUNNING:
        return f"{_doing(run)}."
    if run.state == State.STOPPING:
        return f"Is asked to stop: it finishes what it holds and saves. {_doing(run)}."
    if run.state == State.SUCCEEDED:
        return finished_sentence(run, n_withdrawn)
    word = State(run.state).label
    reason = run.state_reason.strip().rstrip(".") or "no reason was recorded; the log may tell"
    sentence = f"{word} in {_lower(where(run))}: {reason}." if run.stage else f"{word}: {reason}."
    if run.state == State.PAUSED:
        return f"{sentence} No Attempt was used up; mend it and resume the Run."
    return sentence


def where(run: Run) -> str:
    """Stage and Iteration in words, such as `Iteration 2, sampling`."""
    stage = STAGES.get(run.stage, run.stage.replace("_", " ").capitalize())
    if not stage:
        return "Getting ready"
    if run.iteration == 0:
        return stage
    words = iteration_words(run.iteration)
    return f"{words[0].upper()}{words[1:]}, {stage.lower()}"


def milestone(run: Run) -> str:
    """What is worth saying aloud when it changes: the state, the stage, and each tenth of it."""
    if run.state != State.RUNNING:
        return f"{run.name} {run.state}"
    tenth = 10 * (10 * run.done // run.total) if run.total else 0
    return f"{run.name}: {where(run)}, {tenth} %"


def stage_eta_s(run: Run, started_at: datetime | None, now: datetime) -> float | None:
    """Seconds left in the present stage at its pace so far; None before a tenth of it or 5 s are over."""
    if run.state != State.RUNNING or not run.total or started_at is None:
        return None
    elapsed = (now - started_at).total_seconds()
    if elapsed < 5 or run.done * 20 < run.total:
        return None
    return elapsed * (run.total - run.done) / run.done


def finished_sentence(run: Run, n_withdrawn: int = 0) -> str:
    """What a finished Run reached, less what was solved by Programs in quarantine alone."""
    if not run.report and not run.n_problems:
        return f"Finished: {run.state_reason or 'nothing was to be done'}."
    report = run.report or {}
    solved = f"{run.n_solved - n_withdrawn:,} of {run.n_problems:,} training Problems solved"
    seeds = (
        f"{run.n_seeds:,} of the Problems had seeds"
        if n_withdrawn
        else f"{run.n_seeds:,} of them seeds"
    )
    solved += f", {seeds}"
    if n_withdrawn:
        solved += f"; {n_withdrawn:,} more by Programs that are in quarantine now"
    because = str(report.get("stopped_because", ""))
    because = STOPPED_BECAUSE.get(because, because)
    return f"Finished: {solved}." + (f" It ended because: {because}." if because else "")


def paired_sentence(report: dict[str, Any] | None) -> str:
    """The final policy against the equal-steps base line on the test split, and whether it is a difference."""
    paired = (report or {}).get("paired") or {}
    bounds = paired.get("ci") or []
    if paired.get("diff") is None or len(bounds) != 2:
        return ""
    diff, (low, high) = 100 * paired["diff"], (100 * bounds[0], 100 * bounds[1])
    numbers = f"{diff:+.1f} points [{low:+.1f}, {high:+.1f}]"
    compared = "Final policy against the same number of steps on the seeds alone, paired by Problem"
    if low > 0:
        return f"{compared}: {numbers}. The loop made the policy better."
    if high < 0:
        return f"{compared}: {numbers}. The loop made the policy worse."
    return f"{compared}: {numbers}. They cannot be told apart on these Problems."


def is_gain(report: dict[str, Any] | None) -> bool:
    """Whether the loop made the policy better beyond doubt: the paired interval lies above zero."""
    bounds = ((report or {}).get("paired") or {}).get("ci") or []
    return len(bounds) == 2 and bounds[0] > 0


def prices(run: Run, now: datetime) -> dict[str, str]:
    """What each button costs, said before it is pressed."""
    worked = duration((now - run.started_at).total_seconds()) if run.started_at else "nothing"
    return {
        "stop": "Finishes the current batch or checkpoint, saves, and ends; usually within a minute. Nothing is "
        "lost, and it can be resumed.",
        "kill": f"Ends the process at once. What it has not saved since the last batch or checkpoint is lost; "
        f"{worked} of work so far is kept up to there. It can be resumed.",
        "resume": "Starts a new process that goes on from what was saved last; finished steps are not repeated.",
    }


def _doing(run: Run) -> str:
    """What the process says that it does, in which Iteration, and how far it is."""
    counted = f", {run.done:,} of {run.total:,}" if run.total else ""
    if not run.message:
        return f"{where(run)}{counted}"
    if run.iteration == 0:
        return f"{run.message[:1].upper()}{run.message[1:]}{counted}"
    words = iteration_words(run.iteration)
    return f"{words[0].upper()}{words[1:]}: {_lower(run.message)}{counted}"


def _lower(text: str) -> str:
    return text if text.startswith("Iteration") else text[:1].lower() + text[1:]
