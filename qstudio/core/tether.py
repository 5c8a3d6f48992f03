"""Run a program that ends with its starter: `python -I tether.py PARENT PROGRAM ARGUMENT...`.

Becomes the program, in a session of its own so that a Ctrl-C at the terminal is the starter's alone to handle. On
Linux the kernel ends the program (SIGTERM) when the starter is gone, however that came about. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to PARENT, then become the program."""
    parent, *command = arguments
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        raise SystemExit(1)  # the starter ended before we were tied to it
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
