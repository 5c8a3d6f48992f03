"""One q process of our own: found, started on a loopback port behind a password, listened to, and ended.

The process gets an empty directory to live in, a clean environment, and `-u`: a password nobody else knows, no system
commands and no files outside its directory for what comes over the port. It ends with the thread that started it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from q_runtime.errors import EngineUnavailable, QError, UnsupportedFeature
from q_runtime.ipc.client import Connection, connect
from q_runtime.ipc.faults import AccessRefused, ConnectionFault, Unreachable
from q_runtime.kdb.licence import find_licence_trouble
from q_runtime.sandbox.capture import BoundedText

START_S = 60.0
"""How long a q may take until it answers; a kdb+ takes hundredths of a second."""
POLL_S = 0.01
MAX_PORTS = 3
_LAUNCHER = Path(__file__).with_name("launch.py")
_PASSED_ON = (
    "PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "QHOME", "QLIC", "Q_RUNTIME_PYTHON", "VIRTUAL_ENV",
)  # fmt: skip
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


class QProcess:
    """A q process and the one connection to it. Start it early, `connect` when it is needed, `close` it after."""

    def __init__(self, binary: str, output_chars: int = 65536) -> None:
        self.binary = binary
        self._password = secrets.token_hex(12)  # 32 characters would be taken for a digest
        self._directory = tempfile.mkdtemp(prefix="qstudio-q-")
        self._output = _Output(output_chars)
        self._process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._n_ports = 0
        self._port = 0
        try:
            self._start()
        except OSError as error:
            self.close()
            raise EngineUnavailable(f"{binary} cannot be started: {error.strerror}") from error

    def _start(self) -> None:
        self._n_ports += 1
        self._port = _free_port()
        users = Path(self._directory, "users")
        users.write_text(f"qstudio:{self._password}\n", encoding="ascii")
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        with self._lock:
            if self._is_closed:
                raise EngineUnavailable("the engine is closed")
            self._process = subprocess.Popen(
                [*launcher, self.binary, "-q", "-p", f"127.0.0.1:{self._port}", "-u", str(users)],
                cwd=self._directory,
                env=environment,
                stdin=subprocess.PIPE,  # held open: a q whose input ends may end
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self._output.follow(self._process.stdout.fileno())

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
                        f"{self.binary} does not listen after {START_S:g} s: {self._last_words()}"
                    ) from None
                time.sleep(POLL_S)
            except AccessRefused:  # another process took the port, or q ended just now
                time.sleep(POLL_S)
                if self._exit_status() is None:
                    self._start_again("the port was taken by another process")
            except ConnectionFault as fault:
                raise EngineUnavailable(f"{self.binary} does not answer: {fault}") from fault
        return self.connection

    def _see_that_it_lives(self) -> None:
        """Raise EngineUnavailable when q has ended; one that found its port taken is started again."""
        status = self._exit_status()
        if status is None:
            return
        words = self._last_words()
        if trouble := find_licence_trouble(words):
            raise EngineUnavailable(f"{self.binary} has no valid licence: {trouble}")
        reason = words or f"status {status}"
        if _IN_USE in words.lower():
            self._start_again(reason)
            return
        raise EngineUnavailable(f"{self.binary} ended at once: {reason}; try it in a terminal")

    def _start_again(self, reason: str) -> None:
        if self._n_ports >= MAX_PORTS:
            raise EngineUnavailable(f"{self.binary} finds no port: {reason}")
        self._end()
        self._start()

    def _exit_status(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def _last_words(self) -> str:
        """What the process printed, as one short line."""
        time.sleep(POLL_S)  # what it wrote before it ended may still be on its way
        return " ".join(self._output.take()[0].split())[-200:]

    def limit(self, memory_bytes: int, cpu_s: int) -> None:
        """Limit the memory and the processor time that the process may use from now on, where the kernel can."""
        if self._process is None or not hasattr(resource, "prlimit"):
            return
        pid = self._process.pid
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{pid}/statm", encoding="ascii") as stream:
                present = int(stream.read().split()[0]) * resource.getpagesize()
            most = present + memory_bytes
            resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
                ticks = stream.read().rpartition(")")[2].split()[11:13]
            used_s = sum(map(int, ticks)) // os.sysconf("SC_CLK_TCK")
            resource.prlimit(pid, resource.RLIMIT_CPU, (used_s + cpu_s, used_s + cpu_s + 1))

    def take_output(self) -> tuple[str, bool]:
        """Return what was printed since the last call and whether some of it was lost."""
        return self._output.take()

    def ended_how(self) -> tuple[int | None, str]:
        """Wait a moment for the process to end; return its status (negative: a signal) and its last words."""
        status = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(1.0)
        return status, self._last_words()

    def close(self) -> None:
        """Kill the process and remove its directory. May be called more than once, and from another thread."""
        with self._lock:
            self._is_closed = True
        if self.connection is not None:
            self.connection.close()
        self._end()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        process.wait()
        self._output.stop()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class _Output:
    """Reads what a process prints, so that it never waits for us; keeps the beginning."""

    def __init__(self, max_chars: int) -> None:
        self._kept = BoundedText(max_chars)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._descriptor = -1

    def follow(self, descriptor: int) -> None:
        """Read from a descriptor until its other end is closed."""
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._read, args=(descriptor,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read what is left after the process has ended."""
        if self._thread is not None:
            with self._lock:
                self._drain(self._descriptor)
                self._descriptor = -1
            self._thread.join()
            self._thread = None

    def take(self) -> tuple[str, bool]:
        """Return what was printed since the last call and whether some of it was lost."""
        with self._lock:
            self._drain(self._descriptor)
            return self._kept.take()

    def _read(self, descriptor: int) -> None:
        while True:
            select.select([descriptor], [], [], 1.0)
            with self._lock:
                if descriptor != self._descriptor or not self._drain(descriptor):
                    return

    def _drain(self, descriptor: int) -> bool:
        """Keep all that can be read now; say whether more may come."""
        while descriptor >= 0:
            try:
                data = os.read(descriptor, 65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._kept.write(data.decode("utf-8", "surrogateescape"))
        return False


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
