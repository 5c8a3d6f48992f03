"""Start a program that outlives its starter: `python -I detach.py NICENESS LOG -- PROGRAM ARGUMENT...`.

Runs as a process of its own between a worker and a Run, and ends at once after printing the new process id. The
program thus has init as its parent: it leaves no zombie in the worker, no pipe to it, and no signal reaches it from
there. Standard library only, since it is executed without the project on its path.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main(arguments: list[str]) -> int:
    """Start the program in a session of its own, output appended to LOG. Prints its process id."""
    niceness, log, _, *command = arguments
    # A worker of django-q2 ignores SIGINT, and children inherit what is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.nice(int(niceness))
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
    sys.stdout.write(f"{process.pid}\n")
    sys.stdout.flush()
    # No interpreter shutdown: it would complain about the child that is meant to go on.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
