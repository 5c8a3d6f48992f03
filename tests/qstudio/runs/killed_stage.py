"""`killed_stage DIR KIND:ITERATION ..`: the real pipeline, killed again and again with something still unsaid.

For each of its arguments a process works in DIR and ends itself by SIGKILL where it would append the first event of
that kind and Iteration: what the event is about is on disk then, and nobody has heard of it. They are forks of one
process that has loaded the libraries, which takes longer than their work. Prints how each ended, as an exit code.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pipeline.cli import run_directory
from pipeline.records import RunEvent
from pipeline.rundir import RunDir

LIBRARIES = ("pipeline.generators.hf", "pipeline.stages.report", "pipeline.trainers.trl_sft")
_say = RunDir.event


def main(directory: str, *unsaid: str) -> None:
    """Have a process killed at each of the events, in order."""
    for library in LIBRARIES:
        importlib.import_module(library)
    for event in unsaid:
        pid = os.fork()
        if pid == 0:
            _die_at(*event.split(":"))
            os._exit(run_directory(Path(directory)))
        _, status = os.waitpid(pid, 0)
        # Text left in the buffer would be in that of the next fork too, and printed by the processes that it starts.
        print(event, os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - for the test that started this


def _die_at(kind: str, iteration: str) -> None:
    def say_or_die(self: RunDir, said: str, message: str, **data: Any) -> RunEvent:
        place = data.get("iteration", data.get("index", ""))
        if said == kind and str(place) == iteration:
            os.kill(os.getpid(), signal.SIGKILL)
        return _say(self, said, message, **data)

    RunDir.event = say_or_die  # type: ignore[method-assign]


if __name__ == "__main__":
    main(*sys.argv[1:])
