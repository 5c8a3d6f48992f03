"""Members of `.h` that are written in Python; the others are q text in prelude/h.q. Source: KX ref/doth."""

from __future__ import annotations

import re

from q_runtime.errors import QError
from q_runtime.prims.dotq import bytes_of
from q_runtime.prims.registry import primitive
from q_runtime.values.vectors import Value, bytes_string

_SAFE = frozenset(b"$-.+!*'(),abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")


@primitive(".h.hu")
def percent_encode(x: Value) -> Value:
    """Text for a URI: what is not safe in one becomes a percent sign and two digits."""
    data = bytes_of(x)
    return bytes_string(b"".join(bytes((b,)) if b in _SAFE else b"%%%02x" % b for b in data))


@primitive(".h.uh")
def percent_decode(x: Value) -> Value:
    """Text of a URI: percent signs with two digits become the characters that they stand for."""
    return bytes_string(_PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), bytes_of(x)))


@primitive(".h.http")
def link_addresses(x: Value) -> Value:
    """Text in which every web address has become a link."""
    data = bytes_of(x)
    return bytes_string(re.sub(rb"https?://[^ ]+", rb'<a href="\g<0>">\g<0></a>', data))


@primitive(".h.code")
def mark_code(x: Value) -> Value:
    r"""Text in which every second part between tabs is marked as code.

    Raises: QError('type') for anything but a string.
    """
    parts = bytes_of(x).split(b"\t")
    if not parts:
        raise QError("type")
    return bytes_string(
        b" ".join(
            b"<code><nobr>" + part + b"</nobr></code>" if i % 2 else part
            for i, part in enumerate(parts)
        )
    )
