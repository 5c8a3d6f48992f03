"""What the console does with a port: a server beside its prompt, on one thread.

Standard input is read as it comes, so that an open and silent one stops nobody. Its end leaves a terminal's program,
and lets one that reads a pipe go on serving.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from q_runtime.ipc.credentials import Credentials
from q_runtime.ipc.server import Server

if TYPE_CHECKING:
    from q_runtime.console import Console
    from q_runtime.session import Session

COLLAPSE = "Q_RUNTIME_COLLAPSE"
"""The environment variable that has uniform lists among arguments made vectors when it is 1."""


def make_server(session: Session, listeners: list[socket], options: dict[str, list[str]]) -> Server:
    """Make the server that the command line asks for; its port is printed where `-p` left that open.

    Raises: OSError when the file of `-u` or `-U` cannot be read.
    """
    file = options.get("-U") or options.get("-u")
    if file in (["0"], ["1"]):  # kdb+ then only restricts files, which q code cannot reach here
        file = None
    server = Server(
        session,
        listeners,
        credentials=Credentials.read(Path(file[0])) if file else None,
        collapses=os.environ.get(COLLAPSE) == "1",
        on_output=_write,
        on_error=_write_error,
    )
    asked = options.get("-p", ["0"])[0].rpartition(":")[2]
    if listeners and str(server.port) != asked.removeprefix("rp,"):
        _write(f"listening on port {server.port}\n")
    return server


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _write_error(text: str) -> None:
    sys.stderr.write(f"'{text}\n")
    sys.stderr.flush()


def serve(server: Server, console: Console, *, prompts: bool, typed: bytes = b"") -> int:
    """Serve clients and run inputs until an input asks to leave; return the exit status.

    typed: what was read of standard input already.
    """
    reader = _StandardInput(server, console, prompts=prompts, typed=typed)
    try:
        reader.start()
        while True:
            try:
                return server.run()
            except KeyboardInterrupt:
                console.interrupt()
                reader.ask()
    finally:
        server.close()


class _StandardInput:
    """Hands the lines of standard input to the console."""

    def __init__(self, server: Server, console: Console, *, prompts: bool, typed: bytes) -> None:
        self.server = server
        self.console = console
        self.prompts = prompts
        self.rest = typed
        try:
            self.descriptor = sys.stdin.fileno()
        except (AttributeError, ValueError, OSError):  # closed before the program began
            self.descriptor = -1

    def start(self) -> None:
        """Begin to read; a plain file is read to its end at once."""
        if self.descriptor < 0:
            return
        self.ask()
        self.run_lines()
        if self.descriptor < 0:
            return
        if not self.server.watch(self.descriptor, self.read):
            while self.descriptor >= 0:
                self.read()

    def ask(self) -> None:
        """Show the prompt on a terminal."""
        if self.prompts:
            _write(self.console.prompt())

    def read(self) -> None:
        """Run the lines that have come."""
        try:
            data = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self.rest += data
        self.run_lines()

    def run_lines(self) -> None:
        """Run the inputs that the whole lines complete."""
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            status = self.console.take(line.decode("utf-8", "surrogateescape") + "\n")
            if status is not None:
                self.descriptor = -1
                self.server.stop(status)
                return
            self.ask()

    def _end(self) -> None:
        """Nothing more will come."""
        if self.rest:
            self.console.take(self.rest.decode("utf-8", "surrogateescape"))
        self.console.finish()
        try:
            self.server.unwatch(self.descriptor)
        except KeyError:  # a plain file was not watched
            pass
        self.descriptor = -1
        if self.prompts:
            _write("\n")
            self.server.stop()
