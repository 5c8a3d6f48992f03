"""One q process of our own: found, started on a loopback port behind a password, listened to, and ended.

The process gets `-u`: a password nobody else knows, no system commands and no files outside its directory for what
comes over the port.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from q_runtime.errors import EngineUnavailable, QError, UnsupportedFeature
from q_runtime.ipc.client import Connection, connect
from q_runtime.ipc.faults import AccessRefused, ConnectionFault, Unreachable
from q_runtime.kdb.licence import find_licence_trouble
from q_runtime.kdb.own_process import POLL_S, OwnProcess

START_S = 60.0
"""How long a q may take until it answers; a kdb+ takes hundredths of a second."""
MAX_PORTS = 3
_IN_USE = "in use"


def find_q(path: str = "", environment: Mapping[str, str] = os.environ) -> str:
    """Return the q binary: the one named, else `q` on the PATH, else the one in QHOME.

    Raises: EngineUnavailable.
    """
    if path:
        found = shutil.which(os.path.expanduser(path))
        if found is None:
            raise EngineUnavailable(f"there is no program {path}; name the q binary of kdb+")
        return os.path.abspath(found)
    home = environment.get("QHOME", "")
    inside = [str(file) for file in sorted(Path(home).glob("[lmv]*/q"))] if home else []
    for candidate in ("q", *inside):
        if found := shutil.which(candidate, path=environment.get("PATH")):
            return os.path.abspath(found)
    raise EngineUnavailable(
        "no q was found; install kdb+ and put q on the PATH, or name it in QSTUDIO_Q_BINARY"
    )


class QProcess(OwnProcess):
    """A q of kdb+ that listens on a port of this machine."""

    def __init__(self, binary: str, output_chars: int = 65536) -> None:
        self._password = secrets.token_hex(12)  # 32 characters would be taken for a digest
        self._n_ports = 0
        self._port = 0
        super().__init__(binary, output_chars)

    def _start(self) -> None:
        self._n_ports += 1
        self._port = _free_port()
        users = Path(self.directory, "users")
        users.write_text(f"qstudio:{self._password}\n", encoding="ascii")
        self._spawn([self.name, "-q", "-p", f"127.0.0.1:{self._port}", "-u", str(users)], {})

    def connect(self) -> Connection:
        """Return the connection, made and logged in when first asked for.

        Raises: EngineUnavailable with a sentence on what is wrong.
        """
        until = time.monotonic() + START_S
        while self.connection is None:
            self._see_that_it_lives()
            try:
                self.connection = connect(
                    "127.0.0.1", self._port, "qstudio", self._password, timeout=START_S
                )
            except Unreachable:
                if time.monotonic() > until:
                    raise EngineUnavailable(
                        f"{self.name} does not listen after {START_S:g} s: {self._last_words()}"
                    ) from None
                time.sleep(POLL_S)
            except AccessRefused:  # another process took the port, or q ended just now
                time.sleep(POLL_S)
                if self._exit_status() is None:
                    self._start_again("the port was taken by another process")
            except ConnectionFault as fault:
                raise EngineUnavailable(f"{self.name} does not answer: {fault}") from fault
        return self.connection

    def _see_that_it_lives(self) -> None:
        """Raise EngineUnavailable when q has ended; one that found its port taken is started again."""
        status = self._exit_status()
        if status is None:
            return
        words = self._last_words()
        if trouble := find_licence_trouble(words):
            raise EngineUnavailable(f"{self.name} has no valid licence: {trouble}")
        reason = words or f"status {status}"
        if _IN_USE in words.lower():
            self._start_again(reason)
            return
        raise EngineUnavailable(f"{self.name} ended at once: {reason}; try it in a terminal")

    def _start_again(self, reason: str) -> None:
        if self._n_ports >= MAX_PORTS:
            raise EngineUnavailable(f"{self.name} finds no port: {reason}")
        self._end()
        self._start()


def identify(connection: Connection) -> tuple[str, bool]:
    """Return the version of the q on the other side, and whether it is our own server.

    Raises: EngineUnavailable when it does not do as kdb+ does.
    """
    from q_runtime import __version__

    try:
        release, day = connection.sync("(string .z.K;string .z.k)")
    except (QError, UnsupportedFeature, ValueError, TypeError) as error:
        raise EngineUnavailable(
            f"{connection.where} does not answer as a kdb+ does: {error}"
        ) from error
    try:
        connection.sync("type .z.ph")  # kdb+ always serves HTTP, our server never does
    except QError as error:
        if error.code.startswith("unsupported: "):
            return f"embedded {__version__}", True
    except UnsupportedFeature:
        pass
    return f"{release} {day}", False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
