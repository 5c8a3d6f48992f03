"""What q code does with connections: `hopen`, `h x`, `neg[h] x` and `hclose`, over the sockets of a server.

It runs inside an evaluation, while the server's loop stands still: an answer is waited for here, and other messages
of that connection, which may be calls back, are evaluated meanwhile. Source: KX ref/hopen, basics/ipc.
"""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING, NamedTuple

from q_runtime.errors import LimitExceeded, QError, UnsupportedFeature
from q_runtime.ipc.client import open_socket
from q_runtime.ipc.faults import AccessRefused, ConnectionFault, NoAnswer
from q_runtime.ipc.framing import ASYNC, RESPONSE, SYNC, BadFrame
from q_runtime.ipc.listening import listen, read_place
from q_runtime.prims.messages import read_message
from q_runtime.values.codec import encode
from q_runtime.values.functions import Nil
from q_runtime.values.vectors import GList, Value, raw_of, text_of, type_number

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter
    from q_runtime.ipc.server import Client, Server

_POLL_S = 0.2
_CHUNK = 1 << 20


class Target(NamedTuple):
    """Where `hopen` connects to."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    timeout_s: float | None = None
    is_unix: bool = False


def read_target(x: Value) -> Target:
    """Read the argument of `hopen`: a port, `:host:port:user:password`, `:unix://port`, or with milliseconds.

    Raises: QError('type'), QError('hop'); UnsupportedFeature for TLS and for files, which are opened nowhere here.
    """
    if type(x) is GList and len(x.items) == 2 and type_number(x.items[1]) in (-5, -6, -7):
        wait_ms = raw_of(x.items[1])
        return read_target(x.items[0])._replace(timeout_s=wait_ms / 1000 if wait_ms > 0 else None)
    if type_number(x) in (-5, -6, -7):
        return Target("localhost", raw_of(x))
    if type_number(x) not in (-11, 10):
        raise QError("type")
    text = text_of(x).removeprefix(":")
    scheme, found, rest = text.rpartition("://")
    if found and scheme == "unix":
        port, _, login = rest.partition(":")
        host = "localhost"
    elif found and scheme != "tcp":
        raise UnsupportedFeature(f"hopen of {scheme}:// is not supported")
    else:
        host, colon, rest = rest.partition(":")
        if not colon:
            raise UnsupportedFeature("hopen of a file is not supported")
        port, _, login = rest.partition(":")
    if not port.isdigit():
        raise QError("hop", f"{port!r} is no port")
    user, _, password = login.partition(":")
    return Target(host or "localhost", int(port), user, password, None, scheme == "unix")


class Handles:
    """The connections of one session, by handle."""

    def __init__(self, server: Server, host: Interpreter) -> None:
        self.server = server
        self.host = host

    def open(self, target: Value) -> int:
        """Connect and log in; return the handle.

        Raises: QError('access') for a refused user, QError('timeout'), QError('hop...') for all else that fails.
        """
        to = read_target(target)
        left = max(self.host.budget.deadline - time.monotonic(), 0.001)
        wait = left if to.timeout_s is None else min(left, to.timeout_s)
        try:
            sock, capability = open_socket(
                to.host, to.port, to.user, to.password, wait, unix=to.is_unix
            )
        except AccessRefused:
            raise QError("access") from None
        except NoAnswer:
            raise QError("timeout") from None
        except ConnectionFault as fault:
            cause = fault.__cause__
            reason = cause.strerror if isinstance(cause, OSError) else ""
            raise QError(f"hop. OS reports: {reason}" if reason else "hop", str(fault)) from None
        return self.server.adopt(sock, capability).handle

    def close(self, handle: int) -> None:
        """Close a connection, after what was sent has gone out.

        Raises: QError when there is none.
        """
        client = self._client(handle)
        self._flush(client)
        self.server.forget(client)

    def tell(self, handle: int, message: Value) -> None:
        """Send an asynchronous message; `::` and `[]` wait until all that was sent has gone out."""
        client = self._client(handle)
        if type(message) is Nil:
            self._flush(client)
            return
        self.server.queue(client, encode(message, ASYNC))

    def ask(self, handle: int, message: Value) -> Value:
        """Send a synchronous message; return the answer, or signal the error that it is.

        For `[]` send nothing, and return the next asynchronous message, which is not evaluated.
        Raises: QError('close') when the other side goes away.
        """
        client = self._client(handle)
        if type(message) is Nil:
            return read_message(self.host, self._next(client, ASYNC))
        self.server.queue(client, encode(message, SYNC))
        return read_message(self.host, self._next(client, RESPONSE))

    def listen(self, place: str) -> int:
        """Listen at a place as `-p` says, and nowhere else; 0 for nowhere. Returns the port.

        Raises: QError whose text says why that cannot be.
        """
        if place == str(self.server.port):
            return self.server.port
        try:
            self.server.listen_on(listen(read_place(place)) if place != "0" else [])
        except (ValueError, OSError) as error:
            raise QError(str(error)) from None
        return self.server.port

    def _client(self, handle: int) -> Client:
        client = self.server.clients.get(handle)
        if client is None:
            raise QError(f"Cannot write to handle {handle}. OS reports: Bad file descriptor")
        return client

    def _next(self, client: Client, kind: int) -> bytes:
        """Wait for a message of a kind; what else is asked meanwhile is evaluated."""
        try:
            while True:
                message = client.inbox.take()
                if message is None:
                    self._receive(client)
                elif message[1] == kind:
                    return message
                elif message[1] != RESPONSE:  # one that nobody waits for is dropped
                    self._answer_meanwhile(client, message)
        except BadFrame:
            raise QError("badmsg") from None
        finally:
            self.server.look_again(client)

    def _answer_meanwhile(self, client: Client, message: bytes) -> None:
        """Evaluate what the other side asks before it answers: a call back."""
        response, _ = self.server.responder.answer(message, client.caller, self.host)
        if response is not None:
            self.server.queue(client, response)

    def _receive(self, client: Client) -> None:
        """Wait until a connection has sent something."""
        self._wait(client)
        try:
            data = client.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            raise QError("close")
        client.inbox.add(data)

    def _flush(self, client: Client) -> None:
        while client.outbox:
            self._wait(client, only_write=True)
            self.server.queue(client, b"")

    def _wait(self, client: Client, *, only_write: bool = False) -> None:
        """Wait until a connection can be read or, with something to send, written.

        Raises: LimitExceeded('time') at the end of the evaluation's time.
        """
        while True:
            if time.monotonic() > self.host.budget.deadline:
                raise LimitExceeded("time", "waited too long for another process")
            waits = selectors.EVENT_WRITE if client.outbox else 0
            waits |= 0 if only_write else selectors.EVENT_READ
            with selectors.DefaultSelector() as selector:
                selector.register(client.sock, waits)
                ready = selector.select(_POLL_S)
            events = ready[0][1] if ready else 0
            if events & selectors.EVENT_WRITE and not only_write:
                self.server.queue(client, b"")
            if events & (selectors.EVENT_WRITE if only_write else selectors.EVENT_READ):
                return
