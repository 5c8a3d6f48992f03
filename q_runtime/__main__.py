"""`python -m q_runtime [FILE.q] [-q] [-p PORT]`: a q console, or a script run. See console.py.

With -p it listens before it loads the engine: a client that comes early waits for its answer, and is not refused.
"""

from __future__ import annotations

import sys

from q_runtime.commandline import USAGE, read_command_line


def main(arguments: list[str]) -> int:
    """Run the console; USAGE says with what. Returns the exit status."""
    if "-?" in arguments or "--help" in arguments:
        sys.stdout.write(USAGE)
        return 0
    try:
        line = read_command_line(arguments)
    except ValueError as unknown:
        sys.stderr.write(f"{unknown}: not understood here\n{USAGE}")
        return 2
    listeners = None
    if "-p" in line.options:
        from q_runtime.ipc.listening import listen, read_place

        try:
            listeners = listen(read_place(line.options["-p"][0]))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"-p {line.options['-p'][0]}: {error}\n")
            return 1
    from q_runtime.console import run

    return run(line, listeners)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
