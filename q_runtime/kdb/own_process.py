"""A process of our own that has a q in it: its directory, its output, its limits and its end.

What the process is and how one talks to it is for those who derive from it: `process` (the q of kdb+ on a port),
`pykx_engine` (the q inside PyKX on a socket pair). Whatever it is, it gets an empty directory to live in and a clean
environment, and it ends with the thread that started it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from q_runtime.errors import EngineUnavailable
from q_runtime.ipc.client import Connection
from q_runtime.sandbox.capture import BoundedText

POLL_S = 0.01
LAUNCHER = Path(__file__).with_name("launch.py")
PASSED_ON = (
    "PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "QHOME", "QLIC", "Q_RUNTIME_PYTHON", "VIRTUAL_ENV",
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip
"""What of our environment the process sees; a licence on demand asks a server of KX, perhaps through a proxy."""


class OwnProcess(ABC):
    """A process with a q and the one connection to it. Start it early, `connect` when needed, `close` it after."""

    def __init__(self, name: str, output_chars: int = 65536) -> None:
        self.name = name
        """How it is called in sentences."""
        self.directory = tempfile.mkdtemp(prefix="qstudio-q-")
        self._output = _Output(output_chars)
        self._process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        try:
            self._start()
        except OSError as error:
            self.close()
            raise EngineUnavailable(f"{name} cannot be started: {error.strerror}") from error

    @abstractmethod
    def _start(self) -> None:
        """Start the process by `_spawn`."""

    @abstractmethod
    def connect(self) -> Connection:
        """Return the connection, made when first asked for.

        Raises: EngineUnavailable with a sentence on what is wrong.
        """

    def _spawn(
        self, command: Sequence[str], extra: dict[str, str], pass_fds: Sequence[int] = ()
    ) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with self._lock:
            if self._is_closed:
                raise EngineUnavailable("the engine is closed")
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), *command],
                cwd=self.directory,
                env=environment | extra,
                stdin=subprocess.PIPE,  # held open: a q whose input ends may end
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        assert self._process.stdout is not None
        self._output.follow(self._process.stdout.fileno())

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
        shutil.rmtree(self.directory, ignore_errors=True)

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
