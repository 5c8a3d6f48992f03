"""A server for clients of kdb+: one session, any number of connections, one evaluation at a time, as kdb+ has it.

A loop over `selectors` waits for connections, messages and, where a console is given, its input. Every client is served
one message per turn. Evaluation happens in the loop: who asks meanwhile waits. HTTP and web sockets are not served.
"""

from __future__ import annotations

import ipaddress
import selectors
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from q_runtime.evaluate.dotz import Caller
from q_runtime.ipc.credentials import Credentials
from q_runtime.ipc.framing import SYNC, BadFrame, Inbox, common, read_login
from q_runtime.ipc.listening import port_of
from q_runtime.ipc.responder import Responder, outgoing
from q_runtime.values.dicts import Dict
from q_runtime.values.vectors import Value, longs, vector

if TYPE_CHECKING:
    from q_runtime.session import Session

_CHUNK = 1 << 20
_NO_HTTP = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Client:
    """A connection that came in."""

    def __init__(self, sock: socket.socket, most_bytes: int) -> None:
        self.sock = sock
        self.handle = sock.fileno()
        self.inbox = Inbox(most_bytes)
        self.outbox = bytearray()
        self.is_open = False
        """Whether the login is done."""
        self.is_ending = False
        """Whether the connection is closed once the outbox is empty."""
        self.capability = 0
        address, self.is_local = _address_of(sock)
        self.caller = Caller(self.handle, "", address)


def _address_of(sock: socket.socket) -> tuple[int, bool]:
    """Return the peer's address as `.z.a` shows it, and whether it is on this machine."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return 0, True
    ip = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    packed = ip.packed if ip.version == 4 else bytes(4)
    return int.from_bytes(packed, "big", signed=True), ip.is_loopback


class Server:
    """Serves a session on listening sockets, which it closes at the end.

    credentials: who may log in; everybody when None. `.z.pw` is asked besides.
    collapses: see Responder.
    on_output: gets what q code prints while it serves; on_error: the errors that no client is told of.
    """

    def __init__(
        self,
        session: Session,
        listeners: list[socket.socket],
        *,
        credentials: Credentials | None = None,
        collapses: bool = False,
        on_output: Callable[[str], None] | None = None,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        self.session = session
        self.listeners = listeners
        self.credentials = credentials
        self.responder = Responder(session, collapses=collapses)
        self.on_output = on_output
        self.on_error = on_error
        self.clients: dict[int, Client] = {}
        self._waiting: list[Client] = []
        """Clients with a whole message that has not been evaluated."""
        self._status: int | None = None
        self._selector = selectors.DefaultSelector()
        self._wake_up, self._alarm = socket.socketpair()
        self._alarm.setblocking(False)
        self._selector.register(self._wake_up, selectors.EVENT_READ, lambda: None)
        for listener in listeners:
            self._selector.register(listener, selectors.EVENT_READ, self._accepter(listener))
        session.within(self._introduce)

    def listen_on(self, listeners: list[socket.socket]) -> None:
        """Take other listening sockets in place of those there are, which are closed; connections stay."""
        for listener in self.listeners:
            self._selector.unregister(listener)
            listener.close()
        self.listeners = listeners
        for listener in listeners:
            self._selector.register(listener, selectors.EVENT_READ, self._accepter(listener))

    def adopt(self, sock: socket.socket, capability: int) -> Client:
        """Take up a connection that was opened from here; its messages are served as a client's are."""
        sock.setblocking(False)
        client = Client(sock, self.session.limits.memory_mb << 20)
        client.is_open, client.capability = True, capability
        self.clients[client.handle] = client
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._ready(client))
        return client

    def queue(self, client: Client, message: bytes) -> None:
        """Send a message while q is evaluated: what fails is noticed when the loop looks at the connection again."""
        client.outbox += outgoing(message, is_local=client.is_local, capability=client.capability)
        try:
            del client.outbox[: client.sock.send(client.outbox)]
        except BlockingIOError:
            pass
        except OSError:
            client.outbox.clear()
        self._await(client)

    def look_again(self, client: Client) -> None:
        """See to it that the loop serves what is left in the inbox."""
        if client not in self._waiting and self._is_here(client):
            self._waiting.append(client)

    def forget(self, client: Client) -> None:
        """Close a connection from this side, of which `.z.pc` is not told."""
        client.is_open = False
        self._drop(client)

    @property
    def port(self) -> int:
        """The TCP port; 0 when it does not listen."""
        return port_of(self.listeners) if self.listeners else 0

    def _introduce(self, host: object) -> None:
        """Let q code see the port and the handles."""
        from q_runtime.evaluate.interpreter import Interpreter
        from q_runtime.ipc.handles import Handles

        assert isinstance(host, Interpreter)
        host.settings["p"] = self.port
        host.connections = Handles(self, host)
        host.facts["W"] = self._queues
        host.facts["H"] = lambda: vector(6, self.clients)

    def _queues(self) -> Value:
        return Dict(vector(6, self.clients), longs([len(c.outbox) for c in self.clients.values()]))

    # -- the loop

    def watch(self, descriptor: int, on_ready: Callable[[], None]) -> bool:
        """Call `on_ready` when a file can be read; say whether it can be waited for (a plain file cannot)."""
        try:
            self._selector.register(descriptor, selectors.EVENT_READ, on_ready)
        except (PermissionError, ValueError):
            return False
        return True

    def unwatch(self, descriptor: int) -> None:
        """Stop watching a file."""
        self._selector.unregister(descriptor)

    def run(self) -> int:
        """Serve until `stop` is called; return its status. A KeyboardInterrupt between evaluations is raised."""
        while self._status is None:
            for key, _ in self._selector.select(0 if self._waiting else None):
                key.data()  # what an earlier one of these dropped is told of nothing more
                if self._status is not None:
                    return self._status
            turn, self._waiting = self._waiting, []
            for client in turn:
                self._serve(client)
        return self._status

    def stop(self, status: int = 0) -> None:
        """End `run`; may be called from another thread."""
        self._status = status
        try:
            self._alarm.send(b"\0")
        except OSError:  # full or closed: the loop is awake already
            pass

    def close(self) -> None:
        """Close all connections and sockets."""
        for client in list(self.clients.values()):
            client.sock.close()
        self.clients.clear()
        for listener in self.listeners:
            listener.close()
        self._selector.close()
        self._wake_up.close()
        self._alarm.close()

    # -- connections

    def _accepter(self, listener: socket.socket) -> Callable[[], None]:
        def accept() -> None:
            try:
                sock, _ = listener.accept()
            except OSError:  # the client is gone already, or there are too many open files
                return
            sock.setblocking(False)
            if sock.family != getattr(socket, "AF_UNIX", None):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                client = Client(sock, self.session.limits.memory_mb << 20)
            except OSError:
                sock.close()
                return
            self.clients[client.handle] = client
            self._selector.register(sock, selectors.EVENT_READ, lambda: self._ready(client))

        return accept

    def _ready(self, client: Client) -> None:
        """Move bytes for a client, in whichever direction they can move."""
        if client.outbox and not self._flush(client):
            return
        if client.is_ending:
            return
        try:
            data = client.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            while self._is_here(client) and client in self._waiting:
                self._waiting.remove(client)
                self._serve(client)
            self._drop(client)
            return
        client.inbox.add(data)
        self._look(client)

    def _look(self, client: Client) -> None:
        """See whether what came in is complete."""
        try:
            if not client.is_open and not self._log_in(client):
                return
            if client.inbox.is_whole() and client not in self._waiting:
                self._waiting.append(client)
        except BadFrame as bad:
            self._tell_error(f"{client.handle}: {bad}")
            self._drop(client)

    def _log_in(self, client: Client) -> bool:
        """Read the login; answer with the common capability, or close. Returns whether the client is in."""
        if client.inbox.data.startswith((b"GET ", b"POST")):
            client.is_ending = True
            self._send(client, _NO_HTTP)
            return False
        found = read_login(client.inbox.data)
        if found is None:
            return False
        login, size = found
        del client.inbox.data[:size]
        client.caller = client.caller._replace(user=login.user)
        admitted = self.credentials is None or self.credentials.admits(login.user, login.password)
        if not admitted or not self.responder.admits(login.user, login.password, client.caller):
            self._print()
            self._drop(client)
            return False
        client.is_open = True
        client.capability = common(login.capability)
        self._send(client, bytes((client.capability,)))
        self._tell(".z.po", client)
        return True

    def _is_here(self, client: Client) -> bool:
        return self.clients.get(client.handle) is client

    def _drop(self, client: Client) -> None:
        """Close a connection; `.z.pc` is told if it was open."""
        if not self._is_here(client):
            return
        del self.clients[client.handle]
        self._selector.unregister(client.sock)
        client.sock.close()
        if client in self._waiting:
            self._waiting.remove(client)
        if client.is_open:
            self._tell(".z.pc", client)

    def _tell(self, handler: str, client: Client) -> None:
        error = self.responder.tell(handler, client.caller)
        self._print()
        if error:
            self._tell_error(error)

    # -- messages

    def _serve(self, client: Client) -> None:
        """Evaluate a client's first message and send the response."""
        try:
            message = client.inbox.take() if self._is_here(client) else None
        except BadFrame:
            self._drop(client)
            return
        if message is None:
            return
        if message[1] <= SYNC:  # a response that nobody waits for is dropped
            response, error = self.responder.answer(message, client.caller)
            self._print()
            if response is not None:
                self._send(
                    client,
                    outgoing(response, is_local=client.is_local, capability=client.capability),
                )
            elif error:
                self._tell_error(error)
        if self._is_here(client):
            self._look(client)

    def _send(self, client: Client, data: bytes) -> None:
        """Send as much as the connection takes; the rest goes out when it takes more."""
        client.outbox += data
        self._flush(client)

    def _flush(self, client: Client) -> bool:
        """Send what is left for a client; say whether the connection is still there."""
        try:
            sent = client.sock.send(client.outbox)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return False
        del client.outbox[:sent]
        if client.is_ending and not client.outbox:
            self._drop(client)
            return False
        self._await(client)
        return True

    def _await(self, client: Client) -> None:
        """Wait for a connection to take more, as long as something is left for it."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.outbox else 0)
        if self._selector.get_key(client.sock).events != events:
            self._selector.modify(client.sock, events, lambda: self._ready(client))

    # -- what is printed

    def _print(self) -> None:
        text = self.session.take_output()
        if text and self.on_output is not None:
            self.on_output(text)

    def _tell_error(self, error: str) -> None:
        if self.on_error is not None:
            self.on_error(error)
