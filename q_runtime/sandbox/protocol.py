"""The private channel between the pool and a worker: JSON frames, each preceded by its length.

A frame is four bytes of length (big-endian) and that many bytes of UTF-8 JSON. There is no pickle anywhere, so a frame
can never run code, and a reader refuses a frame longer than it is willing to hold. The channel uses plain `read` and
`write` on a descriptor, because the system calls of sockets are closed to the worker. What this deliberately does not
do: give frames a meaning.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Longest frame that is read unless the reader asks for less."""
HEADER = struct.Struct(">I")
READ_BYTES = 65536


class ChannelError(Exception):
    """The channel cannot go on; the subclass says why."""


class ChannelClosed(ChannelError):
    """The other end is gone."""


class DeadlinePassed(ChannelError):
    """The deadline passed before a whole frame was received or sent."""


class MalformedFrame(ChannelError):
    """The other end sent something that is not a JSON object of an acceptable length."""


_ENCODE = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_DECODE = json.JSONDecoder().decode


def encode_frame(message: dict[str, Any]) -> bytes:
    """Return the bytes of one frame; raise ValueError for what JSON cannot carry (nan, infinities)."""
    body = _ENCODE(message).encode("ascii")
    return HEADER.pack(len(body)) + body


class Channel:
    """One end of a connection that carries frames in both directions.

    The descriptor stays the caller's to close; it is made non-blocking. Deadlines are values of `time.monotonic`; None
    waits without limit. Not for use by two threads at once.
    """

    def __init__(self, descriptor: int, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._descriptor = descriptor
        self._max_frame_bytes = max_frame_bytes
        self._received = bytearray()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        os.set_blocking(descriptor, False)

    def send(self, message: dict[str, Any], deadline: float | None = None) -> None:
        """Send one frame."""
        self.send_bytes(encode_frame(message), deadline)

    def send_bytes(self, frames: bytes, deadline: float | None = None) -> None:
        """Send frames that are already encoded; several may be joined to save system calls."""
        rest = memoryview(frames)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except OSError as error:
                raise ChannelClosed(f"the other end is gone: {error}") from error

    def receive(self, deadline: float | None = None) -> dict[str, Any]:
        """Return the next frame's message.

        Raises:
            ChannelClosed, DeadlinePassed, MalformedFrame.
        """
        while (message := self._take_frame()) is None:
            self._wait(select.POLLIN, deadline)
            try:
                received = os.read(self._descriptor, READ_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelClosed(f"the other end is gone: {error}") from error
            if not received:
                raise ChannelClosed("the other end closed the channel")
            self._received += received
        return message

    def _wait(self, events: int, deadline: float | None) -> None:
        self._poll.modify(self._descriptor, events)
        if deadline is None:
            self._poll.poll()
            return
        remaining_ms = (deadline - time.monotonic()) * 1000
        if not self._poll.poll(max(remaining_ms, 0)):
            raise DeadlinePassed("the deadline passed")

    def _take_frame(self) -> dict[str, Any] | None:
        """The first whole frame of what was received, or None."""
        if len(self._received) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._received)
        if length > self._max_frame_bytes:
            raise MalformedFrame(f"a frame of {length} bytes; at most {self._max_frame_bytes}")
        end = HEADER.size + length
        if len(self._received) < end:
            return None
        body = self._received[HEADER.size : end]
        del self._received[:end]
        try:
            message = _DECODE(body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise MalformedFrame("a frame is not JSON") from error
        if not isinstance(message, dict):
            raise MalformedFrame("a frame is not a JSON object")
        return message
