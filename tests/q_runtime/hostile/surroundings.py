"""A world around the sandbox in which an escape leaves a trace, and the search for such traces.

There are a file with a secret, an empty folder that everyone may write to, listeners (TCP, UDP, a Unix socket, an
abstract one), an environment variable with the secret, and the processes of the pools of this process. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

REPOSITORY = Path(__file__).resolve().parents[3]
VARIABLE = "QSTUDIO_CANARY"
MOST_GROWTH_MB = 100
"""More memory than this, no answer may cost whoever reads it."""


@dataclass
class Surroundings:
    """Use as a context manager; `traces` tells what happened since it was last asked."""

    secret: str = field(default_factory=lambda: f"secret-{secrets.token_hex(8)}")
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        """Make files and listeners."""
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="canary_")))
        folder.chmod(0o777)  # whatever is refused below is refused by the sandbox
        self.folder = folder
        (folder / "secret").write_text(f"{self.secret}\n")
        (folder / "script.q").write_text(f'secret:"{self.secret}"\n')
        (folder / "module_outside.py").write_text(f"SECRET = {self.secret!r}\n")
        for path in folder.iterdir():
            path.chmod(0o666)
        self._listeners = dict(self._listen(folder))
        os.environ[VARIABLE] = self.secret
        self._stack.callback(os.environ.pop, VARIABLE)
        self._before = self._picture()
        self._peak_mb = _peak_mb()
        self._templates: list[int] = []
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove everything."""
        self._stack.close()

    @property
    def offered(self) -> dict[str, str]:
        """What sources may aim at, by the name that stands in `<<..>>`."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            free_port = unused.getsockname()[1]
        return {
            "secret_file": str(self.folder / "secret"),
            "script_file": str(self.folder / "script.q"),
            "written_file": str(self.folder / "written"),
            "folder": str(self.folder),
            "project": str(REPOSITORY),
            "variable": VARIABLE,
            "tcp_port": str(self._listeners["tcp"].getsockname()[1]),
            "udp_port": str(self._listeners["udp"].getsockname()[1]),
            "unix_socket": str(self.folder / "socket"),
            "abstract_socket": self._listeners["abstract"].getsockname()[1:].decode(),
            "free_port": str(free_port),
            "owner_pid": str(os.getpid()),
        }

    def traces(self, heard: str) -> list[str]:
        """What got out or in since the last time; `heard` is all that came back from hostile code."""
        found = []
        if self.secret in heard:
            found.append("the secret came back")
        for name, listener in self._listeners.items():
            if _was_reached(listener):
                found.append(f"the {name} listener was reached")
        after = self._picture()
        found += [
            f"{name} was changed"
            for name in {*after, *self._before}
            if after.get(name) != self._before.get(name)
        ]
        self._before = after
        grown_mb, self._peak_mb = _peak_mb() - self._peak_mb, _peak_mb()
        if grown_mb > MOST_GROWTH_MB:
            found.append(f"this process grew by {grown_mb} MB")
        if not heard.isprintable():
            found.append("what came back holds characters that a terminal would obey")
        return [*found, *self._lost_processes()]

    def remember_processes(self) -> None:
        """Note the templates of the pools that run now: they must be the same later."""
        self._templates = sorted(_templates())

    def leftovers(self) -> list[int]:
        """Processes of this process's pools; after they are closed there must be none."""
        return list(pool_processes())

    def _lost_processes(self) -> list[str]:
        lost = set(self._templates) - set(_templates())
        self._templates = sorted(_templates()) if lost else self._templates
        return [f"process {pid} of the pool was ended" for pid in sorted(lost)]

    def _picture(self) -> dict[str, tuple[int, int, int, str]]:
        """Everything in the folder, and whether it is as it was."""
        picture = {}
        for path in sorted(self.folder.rglob("*")):
            status = path.lstat()
            text = path.read_text("latin-1") if path.is_file() else ""
            picture[str(path.relative_to(self.folder))] = (
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
                text,
            )
        return picture

    def _listen(self, folder: Path) -> Iterator[tuple[str, socket.socket]]:
        places: dict[str, tuple[int, int, tuple[str, int] | str]] = {
            "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
            "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0canary-{secrets.token_hex(8)}"),
        }
        for name, (family, kind, address) in places.items():
            listener = self._stack.enter_context(socket.socket(family, kind))
            listener.bind(address)
            listener.setblocking(False)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            yield name, listener
        (folder / "socket").chmod(0o777)


def _was_reached(listener: socket.socket) -> bool:
    """Tell whether somebody knocked; everyone who waits is let in and sent away."""
    n_reached = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            if listener.type == socket.SOCK_DGRAM:
                listener.recv(100)
            else:
                listener.accept()[0].close()
            n_reached += 1
    return n_reached > 0


def _peak_mb() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def pool_processes() -> Iterator[int]:
    """Every process that descends from a template of this process's pools, by what stands in its command line."""
    mark = f'"parent_pid": {os.getpid()}}}'.encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "cmdline").read_bytes() and _state(entry) != "Z":
                    yield int(entry.name)


def _templates() -> list[int]:
    """The outer and inner template processes among them: what is not a copy of a copy of a copy."""
    found = set(pool_processes())
    outer = {pid for pid in found if _parent(pid) == os.getpid()}
    return [pid for pid in found if pid in outer or _parent(pid) in outer]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _state(entry: Path) -> str:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0]
