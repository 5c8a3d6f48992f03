"""The interactive console and the script runner behind `python -m q_runtime`.

Prompts with `q)`, reads input that spans lines while a bracket is open, prints what kdb+ prints, shows an
error with its name and the place in the text. Piped input is run without prompts. It does not listen on
a port.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from q_runtime.errors import QError, RuntimeFault
from q_runtime.lang.tokenizer import open_depth
from q_runtime.limits import Limits
from q_runtime.session import Session

PROMPT = "q)"
OPTIONS = {"-q": 0, "-c": 2, "-P": 1, "-S": 1, "-T": 1}
"""The options of the command line and how many numbers follow each."""
USAGE = """usage: python -m q_runtime [FILE.q] [-q] [-c ROWS COLUMNS] [-P DIGITS] [-S SEED] [-T SECONDS]
  -q  no banner              -c  console size
  -P  digits shown (0: all)  -S  random seed
  -T  most seconds an input may take
"""
CONSOLE_LIMITS = Limits(time_s=3600.0, memory_mb=4096, output_bytes=1 << 24)


def error_text(error: QError, source: str, path: Path | None = None) -> str:
    """Return an error as the console shows it: its name, where it is and a caret below the place.

    path: the script that `source` was read from; its name and the line number stand before the line.
    """
    lines = [f"'{error.code}"]
    if error.span is not None and source:
        rows = source.split("\n")
        if error.span.line <= len(rows):
            place = f"{path}:{error.span.line}: " if path else ""
            head = f"  [0]  {place}"
            lines.append(head + rows[error.span.line - 1])
            lines.append(" " * (len(head) + error.span.column - 1) + "^")
    return "\n".join(lines)


def respond(session: Session, text: str, out: TextIO) -> bool:
    """Run one input and write what it prints; say whether it ended without an error."""
    try:
        printed = session.print_or_raise(text)
    except QError as error:
        before = session.take_output()
        out.write(f"{before}{error_text(error, text)}\n")
        return False
    except KeyboardInterrupt:
        out.write(f"{session.take_output()}'stop\n")
        return False
    except RuntimeFault as fault:
        out.write(f"{session.take_output()}{type(fault).__name__}: {fault}\n")
        return False
    if printed:
        out.write(printed + "\n")
    return True


def run_file(session: Session, path: Path, out: TextIO) -> bool:
    """Run a script file; print what it shows, and the error that stops it."""
    text = path.read_text(encoding="utf-8")
    try:
        session.eval_script(text)
    except QError as error:
        out.write(session.take_output() + error_text(error, text, path) + "\n")
        return False
    except RuntimeFault as fault:
        out.write(f"{session.take_output()}{type(fault).__name__}: {fault}\n")
        return False
    out.write(session.take_output())
    return True


def read_input(stream: TextIO, out: TextIO, *, prompts: bool, prompt: str = PROMPT) -> str | None:
    """Read one input, over several lines while brackets are open; None at the end of the stream."""
    held = ""
    while True:
        line = _read_line(stream, out, (" " * len(prompt) if held else prompt) if prompts else "")
        if line is None:
            return held or None
        held += line
        if not line.endswith("\n") or open_depth(held) <= 0:
            return held.rstrip("\n")


def _read_line(stream: TextIO, out: TextIO, prompt: str) -> str | None:
    if prompt and stream is sys.stdin and stream.isatty():
        try:
            return input(prompt) + "\n"
        except EOFError:
            out.write("\n")
            return None
    out.write(prompt)
    out.flush()
    return stream.readline() or None


def repl(session: Session, stream: TextIO, out: TextIO, *, prompts: bool) -> int:
    r"""Read and run inputs until the stream ends or `\\\\` or `exit n` is entered; return the exit status."""
    while True:
        try:
            prompt = f"q{session.namespace})"
            text = read_input(stream, out, prompts=prompts, prompt=prompt)
            if text is None or text.strip() == "\\\\":
                return 0
            words = text.split()
            if len(words) == 2 and words[0] == "exit" and words[1].isdigit():
                return int(words[1]) & 255
            if text.strip():
                respond(session, text, out)
                out.flush()
        except KeyboardInterrupt:
            out.write("\n")


def read_options(arguments: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Split the command line into files and options with their values.

    Raises: ValueError whose text is the argument that is not understood.
    """
    files: list[str] = []
    options: dict[str, list[str]] = {}
    left = list(arguments)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            files.append(word)
            continue
        count = OPTIONS.get(word)
        values = left[:count]
        if count is None or len(values) < count or not all(v.isdigit() for v in values):
            raise ValueError(word)
        options[word] = values
        del left[:count]
    if len(files) > 1:
        raise ValueError(files[1])
    return files, options


def _read_history() -> None:
    """Give the prompt line editing and the history kept in ~/.q_history, where the platform can."""
    try:
        import readline
    except ImportError:
        return
    import atexit

    history = Path.home() / ".q_history"
    try:
        readline.read_history_file(history)
    except OSError:
        pass

    def keep() -> None:
        try:
            readline.write_history_file(history)
        except OSError:
            pass

    atexit.register(keep)


def main(arguments: list[str]) -> int:
    """Run the console; USAGE says with what. Returns the exit status."""
    if "-?" in arguments or "--help" in arguments:
        sys.stdout.write(USAGE)
        return 0
    try:
        files, options = read_options(arguments)
    except ValueError as unknown:
        sys.stderr.write(f"{unknown}: not understood here\n{USAGE}")
        return 2
    seconds = float(options.get("-T", ["0"])[0]) or CONSOLE_LIMITS.time_s
    session = Session(replace(CONSOLE_LIMITS, time_s=seconds))
    for option in ("-c", "-P", "-S"):
        if option in options:
            session.console(f"\\{option[1:]} {' '.join(options[option])}")
    if files:
        path = Path(files[0])
        if not path.is_file():
            sys.stderr.write(f"{path}: no such file; give the path of a q script\n")
            return 2
        if not run_file(session, path, sys.stdout):
            return 1
    interactive = sys.stdin.isatty()
    if interactive:
        _read_history()
        if "-q" not in options:
            sys.stdout.write("QStudio q, an embedded engine. \\\\ leaves.\n")
    return repl(session, sys.stdin, sys.stdout, prompts=interactive)
