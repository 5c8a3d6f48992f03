"""Runs in a Python that has PyKX, and in no other: answers the messages of kdb+ with the q inside PyKX.

    python pykx_host.py look             print as JSON which PyKX this is, and whether it finds a licence
    python pykx_host.py serve NUMBER     answer what comes on the socket with that descriptor, until it is closed

`look` does not start q: without a licence that must not even be tried. Imports nothing of ours, so that PyKX may live
in an environment of its own. What this deliberately does not do: limit anything. Who started it does, and kills it.
"""

import json
import os
import socket
import struct
import sys
from typing import Any

del sys.path[0]  # the folder of this file: its modules are not meant for PyKX

SYNC, RESPONSE, ERROR = 1, 2, 0x80
_ANSWER = "{@[{(0b;-8!value -9!x)};x;{(1b;x)}]}"


def look() -> None:
    """Print what there is; an import that fails is an answer too."""
    os.environ["QARGS"] = "--unlicensed"
    try:
        import pykx
    except ImportError as error:
        found: dict[str, Any] = {"trouble": str(error)}
    else:
        has_licence = bool(pykx.config.license_located)
        found = {"version": pykx.__version__, "has_licence": has_licence}
    sys.stdout.write(json.dumps(found) + "\n")


def serve(channel: socket.socket) -> None:
    """Answer every message; those that want no answer are evaluated all the same."""
    os.environ["QARGS"] = "--licensed"
    import numpy as np
    import pykx

    answer = pykx.q(_ANSWER)
    while message := _read_message(channel):
        result = answer(np.frombuffer(bytearray(message), dtype=np.uint8))
        if message[1] == SYNC:
            channel.sendall(_failure(result[1]) if bool(result[0]) else _response(result[1]))


def _read_message(channel: socket.socket) -> bytes:
    """A whole message; nothing when the other side has closed."""
    header = _read(channel, 8)
    if len(header) < 8:
        return b""
    length = struct.unpack("<I", header[4:])[0] | header[3] << 32
    return header + _read(channel, length - 8)


def _read(channel: socket.socket, n: int) -> bytes:
    data = bytearray()
    while len(data) < n and (more := channel.recv(min(n - len(data), 1 << 20))):
        data += more
    return bytes(data)


def _response(value: Any) -> bytes:
    message = bytearray(value.np().tobytes())
    message[1] = RESPONSE
    return bytes(message)


def _failure(text: Any) -> bytes:
    error = bytes(text.py())
    return struct.pack("<BBBBIB", 1, RESPONSE, 0, 0, 10 + len(error), ERROR) + error + b"\0"


def main(arguments: list[str]) -> None:
    """Do what the command line asks for."""
    if arguments[0] == "look":
        look()
        return
    try:
        serve(socket.socket(fileno=int(arguments[1])))
    except Exception as error:  # noqa: BLE001  the top of the process: its last words are what the other side reads
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
