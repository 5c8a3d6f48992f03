"""`manage.py watch`: look after the Runs of this machine until told to stop. Several at once do no harm."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection

from qstudio.core.installation import require_database
from qstudio.runs.watch import tend

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Looks after the Runs of this machine: copies their progress, notices their ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--every", type=float, default=1.5, metavar="SECONDS", help="time between rounds"
        )
        parser.add_argument("--once", action="store_true", help="make one round and end")

    def handle(self, *args: Any, **options: Any) -> None:
        require_database()
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            try:
                tend()
            except DatabaseError as error:
                # The database may be locked, restarted or full for a while; the next round finds it again.
                logger.warning("the database did not answer: %s", error)
                connection.close()
            if options["once"] or stop.wait(options["every"]):
                return
            close_old_connections()
