"""A process for a run directory that does what `script.json` there says, with the pipeline's own reporting.

Stands in for training where a test is about processes: it starts in a blink, and waits until the test lets it go on.

    finish      write Attempts, a Solution, an Iteration and a report, and succeed
    wait        work until the file `go` appears, then as `finish`; stops and saves when asked
    stubborn    work for ever, whatever is asked
    silent      start, then neither beat nor listen
    fail        end as failed
    vanish      end without a word
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from pipeline import records
from pipeline.errors import StopRequested
from pipeline.reporting import Reporter
from pipeline.rundir import RunDir, append_records, read_json, write_json
from tests.qstudio.record_factories import (
    make_attempt_record,
    make_prompt_record,
)

POLL_S = 0.02


def main(arguments: list[str]) -> int:
    """Follow the script; the exit codes are the pipeline's."""
    rundir = RunDir.open(Path(arguments[-1]))
    script = read_json(rundir.path / "script.json")
    with (rundir.path / "starts.txt").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {int(os.environ.get('DJANGO_SETTINGS_MODULE') is not None)}\n")
    print("stage program begins", flush=True)  # noqa: T201 - the log of the Run
    if script["act"] == "vanish":
        print("the last words", flush=True)  # noqa: T201
        return 1
    if script["act"] == "silent":
        rundir.write_progress(stage="sampling", iteration=1, done=1, total=2, message="silent")
        rundir.event(
            "run_started", "Starting", pid=os.getpid(), host=socket.gethostname(), resumed=False
        )
        signal.pause()
    with Reporter(rundir) as reporter:
        return _work(rundir, reporter, script)


def _work(rundir: RunDir, reporter: Reporter, script: dict[str, str]) -> int:
    resumed = (rundir.path / "meta.json").exists()
    write_json(rundir.path / "meta.json", {})
    reporter.event(
        "run_started", "Starting", pid=os.getpid(), host=socket.gethostname(), resumed=resumed
    )
    reporter.begin("sampling", 1, "sampling", 4)
    nothing = threading.Event()
    try:
        while script["act"] in ("wait", "stubborn") and not (rundir.path / "go").exists():
            if script["act"] == "wait":
                reporter.check_stop()
            nothing.wait(POLL_S)
    except StopRequested:
        reporter.event("run_finished", "Stopped as asked", state="stopped", reason="asked to stop")
        return 3
    if script["act"] == "fail":
        reporter.event("run_finished", "Failed: no luck", state="failed", reason="no luck")
        return 1
    write_results(rundir, reporter)
    return 0


def write_results(rundir: RunDir, reporter: Reporter) -> None:
    """What a small successful Run leaves behind."""
    append_records(rundir.path / "prompts.jsonl", [make_prompt_record()])
    reporter.event("prompts", "1 Prompt", path="prompts.jsonl", n=1)
    attempts = [make_attempt_record(index) for index in range(4)]
    append_records(rundir.path / "iterations/001/attempts.jsonl", attempts)
    reporter.event(
        "attempts",
        "4 Attempts",
        path="iterations/001/attempts.jsonl",
        n=4,
        purpose="sampling",
        iteration=1,
    )
    solution = records.Solution(problem="add-one", program="f:{x+1}", origin="bootstrap")
    append_records(rundir.path / "iterations/001/solutions.jsonl", [solution])
    reporter.event(
        "solutions", "1 Solution", path="iterations/001/solutions.jsonl", n=1, iteration=1
    )
    reporter.event(
        "iteration_finished",
        "Iteration 1",
        index=1,
        attempted=1,
        newly_solved=1,
        solved_total=1,
        problems_total=1,
        train_rows=2,
        adopted=True,
        metadata={},
        dataset_stats={},
    )
    report = {"solved_total": 1, "problems_total": 1, "conclusion": "it worked"}
    (rundir.path / "final_report.json").write_text(json.dumps(report), encoding="utf-8")
    reporter.event("run_finished", "Done", state="succeeded", reason="everything is solved")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
