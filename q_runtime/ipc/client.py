"""A client for anything that speaks kdb+ IPC: a kdb+, or the server in this package.

    with connect("localhost", 5000) as q:
        q.sync("{x+y}", 1, [2, 3])   # [3, 4]
        q.send("a:5")
        q.sync_wire("`a`b!1 2")      # the value with its types, see values/wire.py

Python values go out as `to_q` of values/convert.py makes them and come back as `to_python` does; wire dicts keep what
Python has no word for.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from q_runtime.errors import QError
from q_runtime.ipc.faults import AccessRefused, ConnectionLost, NoAnswer, Unreachable
from q_runtime.ipc.framing import (
    ASYNC,
    CAPABILITY,
    RESPONSE,
    SYNC,
    BadFrame,
    Inbox,
    login_bytes,
)
from q_runtime.ipc.listening import unix_address
from q_runtime.prims import load
from q_runtime.prims.messages import read_alone
from q_runtime.values.codec import encode
from q_runtime.values.convert import to_python, to_q
from q_runtime.values.vectors import GList, Value
from q_runtime.values.wire import Wire, to_wire

_CHUNK = 1 << 20
MOST_BYTES = 1 << 34
"""The longest message that a client takes."""


def connect(
    host: str = "localhost",
    port: int = 5000,
    user: str = "",
    password: str = "",
    timeout: float | None = None,
    *,
    unix: bool = False,
) -> Connection:
    """Connect to a kdb+ and log in.

    timeout: seconds to wait for the connection and for each answer; without end when None.
    unix: use the Unix socket that belongs to the port on this machine.
    Raises: Unreachable, AccessRefused, NoAnswer, ConnectionLost.
    """
    sock, capability = open_socket(host, port, user, password, timeout, unix=unix)
    return Connection(sock, f"{host}:{port}", timeout, capability)


def open_socket(
    host: str, port: int, user: str, password: str, timeout: float | None, *, unix: bool = False
) -> tuple[socket.socket, int]:
    """Open a socket and log in; return it with the capability that both sides share. Raises: as `connect`."""
    where = f"{host}:{port}"
    sock = _open_unix(port, timeout) if unix else _open_tcp(host, port, timeout)
    try:
        sock.settimeout(timeout)
        sock.sendall(login_bytes(user, password))
        answer = sock.recv(1)
    except TimeoutError:
        sock.close()
        raise NoAnswer(f"{where} does not answer a login within {timeout:g} s") from None
    except OSError:
        answer = b""
    if not answer:
        sock.close()
        raise AccessRefused(f"{where} refuses user {user!r}; check the name and the password")
    if answer[0] > CAPABILITY + 1:
        sock.close()
        raise ConnectionLost(f"{where} does not speak the protocol of kdb+")
    return sock, answer[0]


def _open_tcp(host: str, port: int, timeout: float | None) -> socket.socket:
    try:
        sock = socket.create_connection((host, port), timeout)
    except TimeoutError:
        raise NoAnswer(f"{host}:{port} cannot be reached within {timeout:g} s") from None
    except OSError as error:
        raise Unreachable(
            f"{host}:{port}: {error.strerror}; start q there with -p {port}, or check host and port"
        ) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _open_unix(port: int, timeout: float | None) -> socket.socket:
    address = unix_address(port)
    if address is None:
        raise Unreachable("there are no Unix sockets here, or QUDSPATH turns them off; use TCP")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(address)
    except OSError as error:
        sock.close()
        raise Unreachable(f"no Unix socket for port {port}: {error.strerror}") from error
    return sock


class Connection:
    """A connection that is logged in. Close it, or use it in a `with`."""

    def __init__(
        self, sock: socket.socket, where: str, timeout: float | None, capability: int
    ) -> None:
        load()
        self.where = where
        self.timeout = timeout
        self.capability = capability
        """What both sides can do: see framing.py."""
        self._sock: socket.socket | None = sock
        self._inbox = Inbox(MOST_BYTES)

    # -- calls

    def sync(self, query: Any, *args: Any) -> Any:
        """Send a query, wait for its result and return that as a Python value.

        query: q text, or with arguments the text or name of a function; any other value is sent as it is.
        Raises: QError for what q signals there; ConnectionLost, NoAnswer.
        """
        return to_python(self.ask(message_of(query, args)))

    def sync_wire(self, query: Any, *args: Any) -> Wire:
        """Do as `sync`, and return the result in wire form, with its types."""
        return to_wire(self.ask(message_of(query, args)))

    def send(self, query: Any, *args: Any) -> None:
        """Send a query and do not wait: no answer comes, not even of an error."""
        self._transmit(encode(message_of(query, args), ASYNC))

    def receive(self) -> Any:
        """Wait for a message that the other side sends by itself; return it as a Python value."""
        return to_python(self._value(self._message(lambda kind: kind != RESPONSE)))

    def ask(self, query: Value) -> Value:
        """Send a q value as a query; return the result as a q value."""
        self._transmit(encode(query, SYNC))
        return self._value(self._message(lambda kind: kind == RESPONSE))

    def close(self) -> None:
        """End the connection. May be called more than once."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    @property
    def is_closed(self) -> bool:
        """Whether the connection was ended, by either side."""
        return self._sock is None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- inside

    def _open_socket(self) -> socket.socket:
        if self._sock is None:
            raise ConnectionLost(f"the connection to {self.where} is closed; connect again")
        return self._sock

    def _lost(self, why: str) -> ConnectionLost:
        self.close()
        return ConnectionLost(f"{self.where} {why}")

    def _transmit(self, message: bytes) -> None:
        sock = self._open_socket()
        sock.settimeout(self.timeout)
        try:
            sock.sendall(message)
        except TimeoutError:
            self.close()
            raise NoAnswer(f"{self.where} took no message within {self.timeout:g} s") from None
        except OSError:
            raise self._lost("closed the connection") from None

    def _message(self, is_wanted: Callable[[int], bool]) -> bytes:
        """Wait for a message of a kind that is wanted; others are dropped."""
        sock = self._open_socket()
        until = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            try:
                message = self._inbox.take()
            except BadFrame as bad:
                raise self._lost(f"sent no kdb+ message: {bad}") from None
            if message is None:
                self._read(sock, until)
            elif is_wanted(message[1]):
                return message

    def _read(self, sock: socket.socket, until: float | None) -> None:
        try:
            if until is not None:
                sock.settimeout(max(until - time.monotonic(), 0.001))
            data = sock.recv(_CHUNK)
        except TimeoutError:
            self.close()
            raise NoAnswer(f"{self.where} gave no answer within {self.timeout:g} s") from None
        except OSError:
            data = b""
        if not data:
            raise self._lost("closed the connection")
        self._inbox.add(data)

    def _value(self, message: bytes) -> Value:
        try:
            return read_alone(message)
        except QError as error:
            if error.code == "badmsg" and message[8] != 0x80:
                raise self._lost("sent a message that cannot be read") from None
            raise


def message_of(query: Any, args: tuple[Any, ...]) -> Value:
    """Return the q value of a call: the query itself, or with arguments a list of both."""
    head = to_q(query)
    return GList([head, *map(to_q, args)]) if args else head
