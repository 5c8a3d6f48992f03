"""`manage.py up`: the whole system on this machine, in the foreground, until Ctrl-C.

Brings the installation up to date, starts the web server, the task workers and the watcher, and the demo Run on a
first start. On Ctrl-C working Runs are asked to save, and the next `up` resumes them. Runs are not children of this
process: should it be killed, they go on, and the next `up` finds them.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from pipeline.config import load_preset
from pipeline.errors import PipelineError
from qstudio.core import installation
from qstudio.core.supervisor import Child, Supervisor
from qstudio.problems.builtin import load_missing
from qstudio.runs import process
from qstudio.runs.launch import LaunchError, create_run, kill_run, resume_run, ring, stop_run
from qstudio.runs.models import Run
from qstudio.runs.watch import tend

SAVE_GRACE_S = 90
"""Seconds that working Runs have to save when the system stops; then they are killed and resume from before."""
LOCK = "up.lock"


class Command(BaseCommand):
    help = "Starts the dashboard with its workers, and the demo Run on a first start. Ctrl-C stops all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
        )
        parser.add_argument(
            "--port", type=int, default=8000, help="port to listen on (default: %(default)s)"
        )
        parser.add_argument("--no-demo", action="store_true", help="do not launch the demo Run")

    def handle(self, *args: Any, **options: Any) -> None:
        self.host, self.port = options["host"], options["port"]
        self._stop = threading.Event()
        self._n_signals = 0
        lock = self._lock()
        _check_port(self.host, self.port)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            login = self._prepare()
            supervisor = Supervisor(self._children(), settings.BASE_DIR, os.environ)
            if not self._stop.is_set():
                self._serve(supervisor, login, with_demo=not options["no_demo"])
        finally:
            lock.close()

    # --- Start ----------------------------------------------------------------------------------------------------
    def _prepare(self) -> installation.Login:
        self._say("Preparing the database ...")
        installation.prepare_database()
        installation.prepare_static_files()
        try:
            for name, counts in load_missing().items():
                self._say(f"Loaded the problem set {name}: {counts.total()} Problems")
        except PipelineError as error:
            raise CommandError(f"the built-in Problems could not be loaded: {error}") from error
        return installation.prepare_admin()

    def _serve(self, supervisor: Supervisor, login: installation.Login, *, with_demo: bool) -> None:
        try:
            supervisor.start()
            self._wait_for_port()
            self._take_up_runs(with_demo)
            self._announce(login)
            while not self._stop.wait(0.5):
                for sentence in supervisor.check():
                    self._say(sentence)
        finally:
            try:
                self._save_runs()
            finally:
                connections.close_all()
                supervisor.stop()
                self._say("Stopped.")

    def _children(self) -> list[Child]:
        logs = Path(settings.DATA_DIR) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        web = [
            sys.executable,
            "-m",
            "gunicorn",
            "qstudio.wsgi",
            "--bind",
            _bind(self.host, self.port),
        ]
        web += ["--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--timeout", "60"]
        web += ["--log-level", "warning", "--no-control-socket"]
        return [
            Child("web server", web, logs / "web.log"),
            Child("task workers", [*manage, "qcluster"], logs / "workers.log"),
            Child("watcher", [*manage, "watch"], logs / "watch.log"),
        ]

    def _wait_for_port(self) -> None:
        """Announce the address only once somebody answers there."""
        deadline = time.monotonic() + 30
        while not self._stop.is_set() and time.monotonic() < deadline:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                self._stop.wait(0.2)
            else:
                return

    def _take_up_runs(self, with_demo: bool) -> None:
        for run in Run.objects.filter(resumes_itself=True, state__in=Run.RESUMABLE):
            try:
                resume_run(run, by="start of the system", reason="resumed with the system")
                self._say(f"Resuming {run.key}")
            except LaunchError as error:
                self._say(f"{run.key} was not resumed: {error}")
        if with_demo and not Run.objects.exists():
            run = create_run(load_preset("demo"), preset="demo", name="demo")
            ring(run)
            self._say(f"Launched the demo Run {run.key}")

    def _announce(self, login: installation.Login) -> None:
        password = login.password or "(your own)"
        self._say(f"\n  QStudio is at http://{_bind(self.host, self.port)}/")
        self._say(f"  user {login.username}   password {password}")
        self._say(
            f"\n  Logs are in {Path(settings.DATA_DIR) / 'logs'}. Ctrl-C stops everything; Runs are saved.\n"
        )

    # --- End ------------------------------------------------------------------------------------------------------
    def _on_signal(self, *_: Any) -> None:
        self._n_signals += 1
        self._stop.set()

    def _save_runs(self) -> None:
        """Ask the Runs of this machine to save, and wait; a second Ctrl-C kills them."""
        mine = {"host": process.this_host(), "is_headless": False}
        for run in Run.objects.filter(state__in=Run.ACTIVE[1:], **mine):
            self._say(f"Asking {run.key} to save its work ... (Ctrl-C again: do not wait)")
            self._ask(run)
        for run in Run.objects.filter(state=Run.State.QUEUED, is_headless=False):
            self._ask(run)
        seen, deadline = self._n_signals, time.monotonic() + SAVE_GRACE_S
        waiting = Run.objects.filter(state__in=Run.ACTIVE[1:], **mine)
        while waiting.exists():
            if self._n_signals > seen or time.monotonic() > deadline:
                self._kill(list(waiting))
                return
            try:
                tend()
            except DatabaseError as error:
                self._say(f"the database did not answer: {error}")
            time.sleep(0.3)

    def _ask(self, run: Run) -> None:
        try:
            stop_run(
                run,
                by="end of the system",
                reason="saving, as the system stops",
                resumes_itself=True,
            )
        except LaunchError as error:
            self._say(str(error))

    def _kill(self, runs: list[Run]) -> None:
        for run in runs:
            try:
                kill_run(run, by="end of the system")
                Run.objects.filter(pk=run.pk).update(resumes_itself=True)
            except LaunchError as error:
                self._say(str(error))

    # --- One at a time --------------------------------------------------------------------------------------------
    def _lock(self) -> IO[str]:
        """Hold the data folder for this process. Raises: CommandError when another holds it."""
        file = (Path(settings.DATA_DIR) / LOCK).open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            where = file.read().strip() or "another terminal"
            file.close()
            raise CommandError(
                f"QStudio is running already ({where}); stop it there with Ctrl-C"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}, http://{_bind(self.host, self.port)}/")
        file.flush()
        return file

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_port(host: str, port: int, patience_s: float = 3.0) -> None:
    """See that we can listen there; a web server that is just ending is given `patience_s`. Raises: CommandError."""
    deadline = time.monotonic() + patience_s
    while (trouble := _listening_trouble(host, port)) and time.monotonic() < deadline:
        time.sleep(0.25)
    if trouble:
        raise CommandError(trouble)


def _listening_trouble(host: str, port: int) -> str:
    """Why nobody could listen there, in a sentence; empty when all is well."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except OverflowError:
        return f"{port} is no port; choose one from 1024 to 65535"
    except OSError as error:
        return (
            f"cannot listen on {_bind(host, port)} ({error.strerror}): stop what uses it, "
            f'or choose another port: make run ARGS="--port {port + 1}"'
        )
    return ""
