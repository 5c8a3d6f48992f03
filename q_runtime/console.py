"""The interactive console and the script runner behind `python -m q_runtime`.

Prompts with `q)`, reads input that spans lines while a bracket is open, prints what kdb+ prints, shows an
error with its name and the place in the text. Piped input is run without prompts. It does not listen on
a port.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from q_runtime.errors import QError, RuntimeFault
from q_runtime.lang.tokenizer import open_depth
from q_runtime.limits import Limits
from q_runtime.session import Session

PROMPT = "q)"
CONSOLE_LIMITS = Limits(time_s=3600.0, memory_mb=4096, output_bytes=1 << 24)


def error_text(error: QError, source: str) -> str:
    """Return an error as the console shows it: its name, the line it is in and a caret."""
    lines = [f"'{error.code}"]
    if error.span is not None and source:
        rows = source.split("\n")
        if error.span.line <= len(rows):
            lines.append(f"  [{error.span.line}] {rows[error.span.line - 1]}")
            margin = len(f"  [{error.span.line}] ") + error.span.column - 1
            lines.append(" " * margin + "^")
    return "\n".join(lines)


def respond(session: Session, text: str, out: TextIO) -> bool:
    """Run one input and write what it prints; say whether it ended without an error."""
    try:
        printed = session.print_or_raise(text)
    except QError as error:
        before = session.take_output()
        out.write(f"{before}{error_text(error, text)}\n")
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
        out.write(session.take_output() + error_text(error, text) + "\n")
        return False
    except RuntimeFault as fault:
        out.write(f"{session.take_output()}{type(fault).__name__}: {fault}\n")
        return False
    out.write(session.take_output())
    return True


def read_input(stream: TextIO, out: TextIO, *, prompts: bool) -> str | None:
    """Read one input, over several lines while brackets are open; None at the end of the stream."""
    held = ""
    while True:
        line = _read_line(stream, out, (" " * len(PROMPT) if held else PROMPT) if prompts else "")
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
            text = read_input(stream, out, prompts=prompts)
        except KeyboardInterrupt:
            out.write("\n")
            continue
        if text is None or text.strip() == "\\\\":
            return 0
        words = text.split()
        if len(words) == 2 and words[0] == "exit" and words[1].isdigit():
            return int(words[1]) & 255
        if text.strip():
            respond(session, text, out)
            out.flush()


def main(arguments: list[str]) -> int:
    """Run the console: `[FILE.q] [-q]`. Returns the exit status."""
    quiet = "-q" in arguments
    if "-?" in arguments or "--help" in arguments:
        sys.stdout.write("usage: python -m q_runtime [FILE.q] [-q]\n")
        return 0
    files = [a for a in arguments if not a.startswith("-")]
    unknown = [a for a in arguments if a.startswith("-") and a != "-q"]
    if unknown or len(files) > 1:
        what = unknown[0] if unknown else files[1]
        sys.stderr.write(f"{what}: not an option here; use [FILE.q] [-q]\n")
        return 2
    session = Session(CONSOLE_LIMITS)
    if files:
        path = Path(files[0])
        if not path.is_file():
            sys.stderr.write(f"{path}: no such file; give the path of a q script\n")
            return 2
        if not run_file(session, path, sys.stdout):
            return 1
    interactive = sys.stdin.isatty()
    if interactive:
        try:
            import readline  # noqa: F401  line editing and history for input()
        except ImportError:
            pass
        if not quiet:
            sys.stdout.write("QStudio q, an embedded engine. \\\\ leaves.\n")
    return repl(session, sys.stdin, sys.stdout, prompts=interactive)
