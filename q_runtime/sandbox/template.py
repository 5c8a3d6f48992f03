"""The pool's handle on its template process: start it, ask it for workers, have it reap them.

All of it may be used from any thread. The program itself is never forked: the template is started with `subprocess`,
with an environment of its own making, and hears of the end of this process through the closed connection. What this
deliberately does not do: know what workers compute.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from q_runtime.errors import WorkerCrashed
from q_runtime.limits import Limits
from q_runtime.sandbox.protocol import Channel
from q_runtime.sandbox.scratch import remove_scratch

START_TIMEOUT_S = 60.0
"""Longest wait for a template's answer; the first one includes its imports."""
CLOSE_TIMEOUT_S = 2.0
MAX_REPLY_BYTES = 4096
FRAME_OVERHEAD_BYTES = 1 << 16
FRAME_EXPANSION = 16
"""A frame holds a value and printed text, each limited, and JSON needs up to six bytes for a character."""
PROJECT_DIRECTORY = Path(__file__).resolve().parents[2]
START = (
    "import sys; sys.path[:0] = sys.argv[3:]; "
    "from q_runtime.sandbox.template_main import main; main(sys.argv[1], int(sys.argv[2]))"
)
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # the order of sets must not differ from worker to worker
    "PYTHONUTF8": "1",
    "OPENBLAS_NUM_THREADS": "1",  # a template with threads could not be forked safely
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""The whole environment of a template; workers empty even this."""


@dataclass(frozen=True, slots=True)
class WorkerKind:
    """Which workers a template makes."""

    module: str
    """Dotted name of a module with `warm_up()` and `serve(channel, limits)`."""
    packages: tuple[str, ...] = ()
    """Third-party packages that the module imports; workers may read them."""
    reads_engine: bool = False
    """Whether workers may read this package, for what it loads when it is first used."""
    cpu_s: int | None = None
    """Processor time over a worker's whole life, in seconds; None if the module limits itself."""


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """How a worker ended."""

    exit_code: int
    """Exit status, or the negative number of the signal that ended it."""
    was_killed: bool
    """Whether it had to be killed on this request."""
    processor_s: float
    """Processor time of its whole life, in seconds."""


class WorkerHandle:
    """A worker process: its channel, its template, and its number there."""

    def __init__(
        self, template: Template, pid: int, connection: socket.socket, max_frame_bytes: int
    ) -> None:
        self.channel = Channel(connection.fileno(), max_frame_bytes)
        self._template = template
        self._pid = pid
        self._connection = connection

    def interrupt(self) -> None:
        """Make whoever waits on the channel see it closed; for use from another thread."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def retire(self, wait_s: float = 0.0) -> WorkerExit:
        """End the worker and say how it ended; one still running after `wait_s` seconds is killed.

        Raises:
            WorkerCrashed: the template is gone, and with it the worker.
        """
        self._connection.close()
        return self._template.reap(self._pid, wait_s)


class Template:
    """A running template process."""

    def __init__(self, kind: WorkerKind, limits: Limits, n_workers: int) -> None:
        """Start the process; returns at once, while it is still importing.

        At most `n_workers` of its workers may live at a time.

        Raises:
            WorkerCrashed: it cannot be started at all.
        """
        self._lock = threading.Lock()
        self._max_frame_bytes = FRAME_OVERHEAD_BYTES + FRAME_EXPANSION * limits.output_bytes
        self._scratch = tempfile.mkdtemp(prefix="q_sandbox_")
        self._errors = tempfile.TemporaryFile()
        self._control, child = socket.socketpair()
        self._control.settimeout(START_TIMEOUT_S)
        packages = _find_packages(kind.packages)
        engine = [str(PROJECT_DIRECTORY / "q_runtime")] if kind.reads_engine else []
        plan = {
            "worker_module": kind.module,
            "limits": asdict(limits),
            "readable": [*engine, *map(str, packages)],
            "cpu_s": kind.cpu_s,
            "scratch": self._scratch,
            "n_workers": n_workers,
            "parent_pid": os.getpid(),
        }
        command = [sys.executable, "-P", "-s", "-S", "-c", START]
        with child:
            try:
                self._process = subprocess.Popen(
                    [
                        *command,
                        json.dumps(plan),
                        str(child.fileno()),
                        str(PROJECT_DIRECTORY),
                        *dict.fromkeys(str(package.parent) for package in packages),
                    ],
                    env=ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    pass_fds=(child.fileno(),),
                    start_new_session=True,  # Ctrl-C in a terminal is for the pool's owner to handle
                )
            except OSError as error:
                self._control.close()
                os.rmdir(self._scratch)
                raise WorkerCrashed(f"cannot start {sys.executable}: {error}") from error

    @property
    def pid(self) -> int:
        """Process id of the outer template process."""
        return self._process.pid

    def spawn(self) -> WorkerHandle:
        """Fork a worker; it announces itself with a frame `{"ready": layers}`.

        Raises:
            WorkerCrashed: the template is gone.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                reply = self._ask({"op": "spawn"}, [theirs.fileno()])
        except WorkerCrashed:
            ours.close()
            raise
        return WorkerHandle(self, int(reply["pid"]), ours, self._max_frame_bytes)

    def reap(self, pid: int, wait_s: float) -> WorkerExit:
        """End the worker with this number; see `WorkerHandle.retire`."""
        reply = self._ask({"op": "retire", "pid": pid, "wait_s": wait_s}, [])
        exit_code = os.waitstatus_to_exitcode(int(reply["wait_status"]))
        return WorkerExit(exit_code, bool(reply["was_killed"]), reply["processor_s"])

    def close(self) -> None:
        """End the template and all its workers, and wait until they are gone."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # also wakes a thread that waits for an answer
        self._control.close()
        try:
            self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._errors.close()
        remove_scratch(self._scratch)  # in case the outer process was killed

    def _ask(self, request: dict[str, object], descriptors: list[int]) -> dict[str, float]:
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode("ascii")], descriptors)
                reply = self._control.recv(MAX_REPLY_BYTES)
            except OSError as error:
                raise WorkerCrashed(f"the template is gone: {error}{self._said()}") from error
        if not reply:
            raise WorkerCrashed(f"the template is gone{self._said()}")
        answer: dict[str, float] = json.loads(reply)
        return answer

    def _said(self) -> str:
        """The end of what the template wrote on its error stream, for a message."""
        try:
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - 2000))
            text = self._errors.read().decode("utf-8", "replace").strip()
        except ValueError:
            return ""
        return f"; it said: {text}" if text else ""


def _find_packages(names: Sequence[str]) -> list[Path]:
    """The folders of the packages, and those beside them that hold the shared objects of their wheels.

    Raises:
        WorkerCrashed: one is not installed.
    """
    folders: list[Path] = []
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise WorkerCrashed(f"{name} is not installed; run `make setup`")
        folder = Path(spec.origin).resolve().parent
        folders += [folder, *(path for path in [folder.with_name(f"{name}.libs")] if path.is_dir())]
    return folders
