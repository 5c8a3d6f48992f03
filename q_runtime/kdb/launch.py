"""Becomes the q process: `python -I -S launch.py PROGRAM ARGUMENT...`.

Before, it asks the kernel to end this process with the thread that started it, and gives up set-user-id programs and
core files. Runs without the package, since it must start in milliseconds. On systems other than Linux it only starts.
"""

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, SIGKILL = 1, 38, 9


def main(command: list[str]) -> None:
    """Prepare this process and replace it by the command."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
