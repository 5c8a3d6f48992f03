"""Stands where PyKX is expected, with our own q inside: as much of it as `pykx_host` uses.

`PYKX_STANDIN_LICENCE` says what it finds: `good`, `none`, or the text with which q refuses to start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

_LICENCE = os.environ.get("PYKX_STANDIN_LICENCE", "good")
_MODE = os.environ["QARGS"]
__version__ = "4.2.0"
config = SimpleNamespace(license_located=_LICENCE != "none")


class PyKXException(Exception):
    """What PyKX raises when it cannot start q."""


if _MODE == "--licensed" and _LICENCE != "good":
    raise PyKXException(f"Failed to initialize embedded q.Captured output:\n    {_LICENCE}")


class _Bytes:
    """A byte or char vector."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def np(self) -> Any:
        """As an array of bytes."""
        import numpy as np

        return np.frombuffer(self._data, dtype=np.uint8)

    def py(self) -> bytes:
        """As bytes."""
        return self._data


def q(text: str) -> Callable[[Any], tuple[bool, _Bytes]]:
    """Make a function of q text that takes bytes and gives a flag with bytes or text."""
    sys.path.insert(0, os.environ["PYKX_STANDIN_REPOSITORY"])
    from q_runtime import Limits, Session, UnsupportedFeature

    session = Session(Limits(time_s=60.0))

    def apply(data: Any) -> tuple[bool, _Bytes]:
        try:
            answer = session.apply_wire(text, [{"t": 4, "v": data.tolist()}])
        except UnsupportedFeature as gap:
            return True, _Bytes(f"unsupported: {gap}".encode())
        finally:
            sys.stdout.write(session.take_output())
            sys.stdout.flush()
        is_error, value = (item["v"] for item in answer["v"])
        return is_error, _Bytes(value.encode() if is_error else bytes(value))

    return apply
