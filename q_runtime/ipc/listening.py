"""Where a server listens: the argument of `-p`, and the sockets for it, TCP and Unix.

Loads no NumPy, so that a console listens before its engine is ready. As with kdb+ on Linux, the Unix socket is in the
abstract namespace under /tmp/kx.PORT; QUDSPATH names another folder or, when it is empty, turns the Unix socket off.
Unlike kdb+ a port without a host is bound to 127.0.0.1 only.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import NamedTuple

LOOPBACK = "127.0.0.1"
_BACKLOG = 128


class Place(NamedTuple):
    """A host and the ports that may be tried in turn; port 0 is any free one."""

    host: str
    ports: range
    shares_port: bool = False


def read_place(text: str) -> Place:
    """Read `[rp,][HOST:]PORT`; PORT is a number, `A/B` for the first free one from A to B, a service, or 0 or 0W.

    Raises: ValueError whose text says what is wrong.
    """
    text, shares = (text[3:], True) if text.startswith("rp,") else (text, False)
    host, _, port = text.rpartition(":")
    if port in ("0W", "0"):
        return Place(host or LOOPBACK, range(0, 1), shares)
    first, _, last = port.partition("/")
    if port.startswith("-"):
        raise ValueError(
            "a negative port asks for several threads, which there are not; give a positive one"
        )
    if not first.isdigit():
        try:
            return Place(host or LOOPBACK, _one(socket.getservbyname(port, "tcp")), shares)
        except OSError:
            raise ValueError(f"{port!r} is neither a port nor a known service") from None
    ports = range(int(first), int(last) + 1) if last.isdigit() else _one(int(first))
    if not ports or ports[-1] > 65535 or (last and not last.isdigit()):
        raise ValueError(f"{port!r} is no port from 1 to 65535")
    return Place(host or LOOPBACK, ports, shares)


def _one(port: int) -> range:
    return range(port, port + 1)


def listen(place: Place) -> list[socket.socket]:
    """Open the sockets of a place; the first is TCP, a Unix socket may follow.

    Raises: OSError whose text names the address when nothing there is free.
    """
    tcp = _listen_tcp(place)
    unix = _listen_unix(tcp.getsockname()[1])
    return [tcp] if unix is None else [tcp, unix]


def _listen_tcp(place: Place) -> socket.socket:
    failure: OSError | None = None
    try:
        family, *_, address = socket.getaddrinfo(place.host, None, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OSError(f"{place.host}: {error.strerror}") from error
    for port in place.ports:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if place.shares_port and hasattr(socket, "SO_REUSEPORT"):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind((address[0], port))
            made.listen(_BACKLOG)
        except OSError as error:
            made.close()
            failure = error
            continue
        made.setblocking(False)
        return made
    assert failure is not None
    ports = f"{place.ports[0]}" if len(place.ports) == 1 else f"{place.ports[0]}/{place.ports[-1]}"
    raise OSError(f"{place.host}:{ports}: {failure.strerror}") from failure


def unix_address(port: int) -> str | None:
    """Return the address of the Unix socket that goes with a port; None when there is none."""
    folder = os.environ.get("QUDSPATH", "/tmp")
    if not folder or not hasattr(socket, "AF_UNIX"):
        return None
    path = f"{folder}/kx.{port}"
    return f"\0{path}" if sys.platform == "linux" else path


def _listen_unix(port: int) -> socket.socket | None:
    """Open the Unix socket; a server without one serves all the same."""
    address = unix_address(port)
    if address is None:
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        return None
    made.setblocking(False)
    return made


def port_of(listeners: list[socket.socket]) -> int:
    """Return the TCP port of what `listen` opened."""
    return int(listeners[0].getsockname()[1])
