"""The interactive console and the script runner behind `python -m q_runtime`.

Prompts with `q)`, reads input that spans lines while a bracket is open, prints what kdb+ prints, shows an error with
its name and the place in the text. Piped input is run without prompts. With a port it serves clients (ipc/) between
inputs; then the end of piped input does not end it, and a terminal has no line editing.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from q_runtime.commandline import CommandLine
from q_runtime.errors import Frame, QError, RuntimeFault
from q_runtime.frames import frame_lines
from q_runtime.lang.tokenizer import open_depth
from q_runtime.limits import Limits
from q_runtime.session import Session
from q_runtime.values.vectors import GList, Value, string, symbol

if TYPE_CHECKING:
    from socket import socket

    from q_runtime.evaluate.interpreter import Interpreter
    from q_runtime.ipc.server import Server
    from q_runtime.prims.registry import Connections

CONSOLE_LIMITS = Limits(time_s=3600.0, memory_mb=4096, output_bytes=1 << 24)


def error_text(error: QError, source: str, path: Path | None = None) -> str:
    """Return an error as the console shows it: its name, the innermost call and a caret below the place in it.

    path: the script that `source` was read from; its name and the line number stand before the line.
    """
    if not error.frames:
        return f"'{error.code}"
    frame = error.frames[-1]
    place = ""
    if path is not None and error.at is not None:
        frame = Frame(source, error.at)
        place = f"{path}:{1 + source.count(chr(10), 0, error.at)}: "
    return "\n".join((f"'{error.code}", *frame_lines(frame, error.depth, place)))


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


class LateConnections:
    """Connections of a console without a port: what they need is loaded when q code first uses one.

    Until it listens, messages that come by themselves are not served, since nothing waits for them between inputs.
    """

    def __init__(self, session: Session, options: dict[str, list[str]]) -> None:
        self.session = session
        self.options = options
        self.server: Server | None = None

    @property
    def listening(self) -> Server | None:
        """The server, once it has a port."""
        return self.server if self.server is not None and self.server.port else None

    def _made(self) -> Connections:
        from q_runtime.ipc.serving import make_server

        try:
            self.server = make_server(self.session, [], self.options)  # it replaces this object
        except OSError as error:
            raise QError(f"{error.filename}: {error.strerror}") from None
        return self.session.within(lambda host: cast("Connections", host.connections))

    def open(self, target: Value) -> int:
        """Connect as `hopen` says."""
        return self._made().open(target)

    def close(self, handle: int) -> None:
        """Close a connection."""
        self._made().close(handle)

    def ask(self, handle: int, message: Value) -> Value:
        """Send a message and return the answer."""
        return self._made().ask(handle, message)

    def tell(self, handle: int, message: Value) -> None:
        """Send a message to which no answer comes."""
        self._made().tell(handle, message)

    def listen(self, place: str) -> int:
        """Listen at a place."""
        return self._made().listen(place)


class Lines:
    """Lines of standard input, read without a buffer that would keep what comes later from a server."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.rest = b""
        """What was read after the last line."""

    def next(self, prompt: str, out: TextIO) -> str | None:
        """Return the next line, None at the end; `prompt` is for a terminal."""
        if prompt:
            try:
                return input(prompt) + "\n"
            except EOFError:
                out.write("\n")
                return None
        out.flush()
        while b"\n" not in self.rest:
            data = os.read(self.descriptor, 65536)
            if not data:
                last, self.rest = self.rest, b""
                return last.decode("utf-8", "surrogateescape") or None
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode("utf-8", "surrogateescape") + "\n"


class Console:
    """The prompt and the inputs that come line by line."""

    def __init__(self, session: Session, out: TextIO) -> None:
        self.session = session
        self.out = out
        self.held = ""
        """The lines of an input that is not complete."""

    def prompt(self) -> str:
        """Return what stands before the next line."""
        prompt = f"q{self.session.namespace})"
        return " " * len(prompt) if self.held else prompt

    def take(self, line: str) -> int | None:
        r"""Take a line; run the input that it completes. Returns the exit status of `\\\\` and `exit n`, else None."""
        self.held += line
        if line.endswith("\n") and open_depth(self.held) > 0:
            return None
        text, self.held = self.held.rstrip("\n"), ""
        words = text.split()
        if words == ["\\\\"]:
            return 0
        if len(words) == 2 and words[0] == "exit" and words[1].isdigit():
            return int(words[1]) & 255
        if words:
            respond(self.session, text, self.out)
            self.out.flush()
        return None

    def finish(self) -> int:
        """Run what is held at the end of the stream; return the exit status."""
        return (self.take("") if self.held else 0) or 0

    def interrupt(self) -> None:
        """Forget what was typed."""
        self.held = ""
        self.out.write("\n")


def repl(console: Console, late: LateConnections, *, prompts: bool) -> int:
    r"""Read and run inputs until they end or `\\\\` or `exit n` is entered; return the exit status.

    From the moment at which q code listens at a port, clients are served beside.
    """
    lines = Lines(sys.stdin.fileno() if sys.stdin is not None else os.open(os.devnull, os.O_RDONLY))
    while True:
        try:
            line = lines.next(console.prompt() if prompts else "", console.out)
            status = console.finish() if line is None else console.take(line)
            if status is not None:
                return status
        except KeyboardInterrupt:
            console.interrupt()
        if late.listening is not None:
            from q_runtime.ipc.serving import serve

            return serve(late.listening, console, prompts=prompts, typed=lines.rest)


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


def run(line: CommandLine, listeners: list[socket] | None = None) -> int:
    """Run the console as the command line says; return the exit status.

    listeners: sockets on which clients of kdb+ are served.
    """
    options = line.options
    seconds = float(options.get("-T", ["0"])[0]) or CONSOLE_LIMITS.time_s
    session = Session(replace(CONSOLE_LIMITS, time_s=seconds))
    tell_command_line(session, line)
    for option in ("-c", "-C", "-P", "-S", "-e", "-g", "-W"):
        if option in options:
            session.console(f"\\{option[1:]} {' '.join(options[option])}")
    server = None
    if listeners is not None:
        from q_runtime.ipc.serving import make_server

        try:
            server = make_server(session, listeners, options)
        except OSError as error:
            sys.stderr.write(f"{error.filename}: {error.strerror}\n")
            return 1
    late = LateConnections(session, options)
    if server is None:
        session.within(lambda host: setattr(host, "connections", late))
    if line.script is not None:
        path = Path(line.script)
        if not path.is_file():
            sys.stderr.write(f"{path}: no such file; give the path of a q script\n")
            return 2
        if not run_file(session, path, sys.stdout):
            return 1
        sys.stdout.flush()
    interactive = sys.stdin is not None and sys.stdin.isatty()
    if interactive and "-q" not in options:
        sys.stdout.write("QStudio q, an embedded engine. \\\\ leaves.\n")
    if server is not None:
        from q_runtime.ipc.serving import serve

        return serve(server, Console(session, sys.stdout), prompts=interactive)
    if late.listening is not None:  # the script has begun to listen
        from q_runtime.ipc.serving import serve

        return serve(late.listening, Console(session, sys.stdout), prompts=interactive)
    if interactive:
        _read_history()
    return repl(Console(session, sys.stdout), late, prompts=interactive)


def tell_command_line(session: Session, line: CommandLine) -> None:
    """Let q code see its command line: `.z.f`, `.z.x` and `.z.q`."""

    def tell(host: Interpreter) -> None:
        host.facts["f"] = lambda: symbol(line.script or "")
        host.facts["x"] = lambda: GList([string(word) for word in line.words])
        host.facts["q"] = lambda: "-q" in line.options

    session.within(tell)
