"""How kdb+ cuts a connection into parts: the login with its answer of one byte, then messages with their lengths.

Pure functions and one buffer; no sockets. What is inside a message is values/codec.py's. Source: KX basics/ipc.
"""

from __future__ import annotations

from typing import NamedTuple

ASYNC, SYNC, RESPONSE = 0, 1, 2
"""The kinds of messages, byte 1 of each."""

HEADER = 8
CAPABILITY = 5
"""What both ends here can do: compression, timestamps, guids and messages beyond 2 GB; 6 would mean longer vectors."""

MAX_LOGIN = 4096


class Login(NamedTuple):
    """What a client sends first. `capability` is None when it did not say."""

    user: str
    password: str
    capability: int | None


class BadFrame(Exception):
    """Bytes that no client or server of kdb+ would send."""


def login_bytes(user: str, password: str, capability: int = CAPABILITY) -> bytes:
    """Return what a client sends first."""
    text = f"{user}:{password}".encode("utf-8", "surrogateescape")
    if b"\0" in text:
        raise ValueError("a user or a password cannot hold a zero byte")
    return text + bytes((capability, 0))


def read_login(data: bytes | bytearray) -> tuple[Login, int] | None:
    """Read a login from the start of `data`; None while it is not complete. Returns it and how many bytes it took.

    Raises: BadFrame when no login can come of this.
    """
    end = data.find(b"\0")
    if end < 0:
        if len(data) > MAX_LOGIN:
            raise BadFrame("a login without an end")
        return None
    text, capability = bytes(data[:end]), None
    if text and text[-1] < 32:
        text, capability = text[:-1], text[-1]
    user, _, password = text.decode("utf-8", "surrogateescape").partition(":")
    return Login(user, password, capability), end + 1


def common(capability: int | None) -> int:
    """Return what both sides can do; 4 is reserved, so that it counts as 3."""
    both = min(capability or 0, CAPABILITY)
    return 3 if both == 4 else both


def message_length(head: bytes | bytearray) -> int:
    """Return the length of the message that begins with these eight bytes, header included.

    Byte 3 holds bits 32 to 39 of the length. Raises: BadFrame when this is no header.
    """
    if head[0] > 1 or head[1] > RESPONSE or head[2] > 1:
        raise BadFrame("not a message of kdb+")
    length = int.from_bytes(head[4:8], "little" if head[0] else "big") + (head[3] << 32)
    if length <= HEADER:
        raise BadFrame("a message without content")
    return length


class Inbox:
    """Bytes as they come in, given out as whole messages.

    most_bytes: the longest message that is taken.
    """

    def __init__(self, most_bytes: int) -> None:
        self.data = bytearray()
        self.most_bytes = most_bytes

    def add(self, data: bytes) -> None:
        """Append what was received."""
        self.data += data

    def is_whole(self) -> bool:
        """Say whether a whole message is there.

        Raises: BadFrame for bytes that are no message, or one that is too long.
        """
        if len(self.data) < HEADER:
            return False
        length = message_length(self.data[:HEADER])
        if length > self.most_bytes:
            raise BadFrame(f"a message of {length} bytes is longer than {self.most_bytes}")
        return len(self.data) >= length

    def take(self) -> bytes | None:
        """Remove and return the first message; None while it is not complete."""
        if not self.is_whole():
            return None
        length = message_length(self.data[:HEADER])
        message = bytes(memoryview(self.data)[:length])
        del self.data[:length]
        return message
