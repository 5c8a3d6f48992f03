"""Compression of messages between q processes, byte for byte as kdb+ does it.

A compressed message is the header with its third byte 1, the full length, and groups of one flag byte and eight items.
An item is a byte as it is, or a pair (hash, n) that repeats the n+2 bytes from where two bytes with that hash, their
exclusive or, were last seen.
"""

from __future__ import annotations

import struct

from q_runtime.errors import QError
from q_runtime.limits import reserve

_START = 12
_POLL = 1 << 16


def compress(message: bytes) -> bytes:
    """Return the compressed form of a plain message, or the message itself where that is not under half its size."""
    size, room = len(message), len(message) // 2
    out = bytearray(room)
    out[0:4] = message[0:4]
    flags_at, at = _START, _START
    seen = [0] * 256
    bit = flags = 0
    held_hash = held_at = 0
    read, poll = 8, 0
    while read < size:
        if bit == 0:
            if at > room - 17:
                return message
            if read > poll:
                poll = read + _POLL
                reserve(_POLL, 1)
            bit = 1
            out[flags_at] = flags
            flags_at, at, flags = at, at + 1, 0
        key = 0
        back = 0
        if read <= size - 3:
            key = message[read] ^ message[read + 1]
            back = seen[key]
        is_plain = not back or message[read] != message[back]
        if held_at:
            seen[held_hash] = held_at
            held_at = 0
        if is_plain:
            held_hash, held_at = key, read
            out[at] = message[read]
            read += 1
            at += 1
        else:
            seen[key] = read
            flags |= bit
            back += 2
            read += 2
            first, end = read, min(read + 255, size)
            while read < end and message[back] == message[read]:
                read += 1
                back += 1
            out[at] = key
            out[at + 1] = read - first
            at += 2
        bit = bit * 2 & 255
    out[flags_at] = flags
    out[2] = 1
    struct.pack_into("<I", out, 4, at)
    struct.pack_into("<I", out, 8, size)
    return bytes(out[:at])


def expand(message: bytes, order: str = "<") -> bytes:
    """Return the plain message of a compressed one.

    Raises: QError('badmsg') when it is damaged; QError('wsfull') when it claims to be larger than memory allows.
    """
    if len(message) < _START:
        raise QError("badmsg")
    (size,) = struct.unpack_from(order + "I", message, 8)
    if not 9 <= size <= (len(message) - _START) * 256 + 8:
        raise QError("badmsg")
    reserve(size, 1)
    out = bytearray(size)
    out[0:4] = message[0:4]
    out[2] = 0
    struct.pack_into(order + "I", out, 4, size)
    seen = [0] * 256
    at, write, hashed, bit, flags = _START, 8, 8, 0, 0
    try:
        while write < size:
            if bit == 0:
                flags = message[at]
                at += 1
                bit = 1
            n = 0
            if flags & bit:
                back = seen[message[at]]
                n = message[at + 1]
                at += 2
                for _ in range(n + 2):
                    out[write] = out[back]
                    write += 1
                    back += 1
                write -= n
            else:
                out[write] = message[at]
                write += 1
                at += 1
            while hashed < write - 1:
                seen[out[hashed] ^ out[hashed + 1]] = hashed
                hashed += 1
            if flags & bit:
                write += n
                hashed = write
            bit = bit * 2 & 255
    except IndexError:
        raise QError("badmsg") from None
    if at != len(message):
        raise QError("badmsg")
    return bytes(out)
