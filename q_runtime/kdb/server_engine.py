"""`kdb_ipc`: Programs on a kdb+ that runs, over a few connections.

Every connection has a namespace of its own, in which its Programs are evaluated one after the other and which is
emptied in between. A kdb+ evaluates one message at a time, so connections to the same process take turns: the time of a
Program is never spent on waiting for another one of ours. (Several processes may share a port: `-p rp,PORT`.)

What a Program does outside of its namespace (`.other.name`, `.z`, the random seed, the precision) the next one sees:
the process is shared. A Program that is still running cannot be ended from here; that is what kdb+'s `-T` is for.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import ClassVar

from q_runtime.engine import ExecutionResult, ProgramResult, QJob
from q_runtime.errors import EngineUnavailable, QError, UnsupportedFeature
from q_runtime.ipc.client import Connection, connect
from q_runtime.ipc.faults import ConnectionFault
from q_runtime.kdb.process import identify
from q_runtime.kdb.programs import Place, ProgramRunner
from q_runtime.kdb.streaming import WorkerEngine
from q_runtime.limits import Limits

MAX_ATTEMPTS = 2
CONNECT_S = 5.0
RETRY_S = 0.2
_EMPTY = "{x set enlist[`]!enlist(::)} each "


class Server:
    """Where the kdb+ is and how to log in."""

    def __init__(self, address: str, user: str, password: str, wait_s: float) -> None:
        self.host, self.port = read_address(address)
        self._user = user
        self._password = password
        self.wait_s = wait_s
        self.is_closed = threading.Event()
        self._turns: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def turn(self, connection: Connection) -> threading.Lock:
        """Return the lock that all connections to the same process share."""
        who = str(connection.sync("(.z.h;.z.i)"))
        with self._lock:
            return self._turns.setdefault(who, threading.Lock())

    def connect(self) -> Connection:
        """Connect once. Raises: ConnectionFault."""
        return connect(self.host, self.port, self._user, self._password, timeout=CONNECT_S)

    def wait(self) -> tuple[Connection, threading.Lock]:
        """Connect and see that an answer comes, again and again for as long as is allowed; return also its turn.

        A server that is ending looks like one that refuses the login, so that this is tried again too.
        Raises: EngineUnavailable when no answer comes.
        """
        until = time.monotonic() + self.wait_s
        while True:
            try:
                connection = self.connect()
                return connection, self.turn(connection)
            except ConnectionFault as fault:
                if time.monotonic() > until:
                    raise EngineUnavailable(
                        f"the kdb+ at {self.host}:{self.port} gave no answer for {self.wait_s:g} s ({fault}); "
                        "see that it runs, and start it with -T so that it ends what takes too long"
                    ) from fault
            if self.is_closed.wait(RETRY_S):
                raise EngineUnavailable("the engine is closed")


class ConnectionWorker:
    """Serves Programs over one connection at a time."""

    def __init__(
        self, server: Server, place: Place, limits: Limits, job_time_s: float, *, is_ours: bool
    ) -> None:
        self._server = server
        self._place = place
        self._limits = limits
        self._job_time_s = job_time_s
        self._is_ours = is_ours
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def serve(self, job: QJob) -> ProgramResult:
        """Execute a job, once more if no answer came or the connection was lost.

        No answer in time may be another user's fault, so that only the second time counts against the Program.
        Raises: EngineUnavailable when the server is not there, or stays busy.
        """
        result = ProgramResult(job.key, ExecutionResult("infra_error", error="worker"))
        for _ in range(MAX_ATTEMPTS):
            connection = self._connect()
            with self._turn:
                try:
                    result = self._attempt(connection, job)
                except ConnectionFault as fault:
                    detail = f"the connection was lost: {fault}"
                    load = ExecutionResult("infra_error", error="worker", detail=detail)
                    result = ProgramResult(job.key, load)
                if not connection.is_closed:
                    break
                self._connect()  # nobody's turn before the server answers again
        return result

    def close(self) -> None:
        """Leave nothing behind and end the connection. May be called more than once."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed:
            try:
                connection.timeout = CONNECT_S
                self._empty(connection)
            except (QError, UnsupportedFeature, ConnectionFault):
                pass
            connection.close()

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.is_closed:
            self._connection, self._turn = self._server.wait()
        return self._connection

    def _attempt(self, connection: Connection, job: QJob) -> ProgramResult:
        connection.timeout = CONNECT_S
        self._empty(connection)
        runner = ProgramRunner(
            connection,
            self._limits,
            self._place,
            is_ours=self._is_ours,
            job_time_s=self._job_time_s,
            stop_means_time=True,
        )
        return runner.run(job)

    def _empty(self, connection: Connection) -> None:
        connection.sync(f"{_EMPTY}`{self._place.namespace}`{self._place.job}")


class KdbIpc(WorkerEngine[ConnectionWorker]):
    """Executes q Programs on a kdb+ that somebody else started."""

    name: ClassVar[str] = "kdb_ipc"

    def __init__(
        self,
        n_workers: int = 2,
        limits: Limits | None = None,
        *,
        address: str = "localhost:5000",
        user: str = "",
        password: str = "",
        wait_s: float = 30.0,
        job_time_s: float = 60.0,
    ) -> None:
        """Connect and see that a kdb+ answers.

        n_workers: connections, and so Programs at the same time as far as the server takes several.
        wait_s: how long a server that went away is waited for.
        Raises: EngineUnavailable with a sentence that says what to do.
        """
        if n_workers < 1:
            raise ValueError(f"n_workers must be at least 1, got {n_workers}")
        limits = limits or Limits()
        self._server = Server(address, user, password, wait_s)
        with self._server.connect() as connection:
            self._version, is_ours = identify(connection)
            _see_that_it_takes_commands(connection)
        own = f".qstudio{secrets.token_hex(4)}"
        places = [Place(f"{own}n{index}", f"{own}f{index}") for index in range(n_workers)]
        super().__init__(
            [
                ConnectionWorker(self._server, place, limits, job_time_s, is_ours=is_ours)
                for place in places
            ]
        )

    @property
    def version(self) -> str:
        """Version and date of the kdb+ that answers, such as `4.1 2025.02.18`."""
        return self._version

    def close(self) -> None:
        """End every connection. May be called more than once."""
        self._server.is_closed.set()
        super().close()


def _see_that_it_takes_commands(connection: Connection) -> None:
    """Raise EngineUnavailable where the server refuses the command that changes the namespace."""
    try:
        connection.sync('system"d ",string system"d"')
    except QError as error:
        raise EngineUnavailable(
            f"{connection.where} refuses system commands ('{error.code}); start it with -U instead of -u"
        ) from error


def read_address(text: str) -> tuple[str, int]:
    """Read `HOST:PORT` or `PORT`. Raises: EngineUnavailable."""
    host, _, port = text.strip().rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise EngineUnavailable(f"{text!r} is no address of a kdb+; give it as HOST:PORT")
    return host.strip("[]") or "localhost", int(port)
