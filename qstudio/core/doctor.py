"""What the system needs, looked at one by one: each Finding is fine, worth knowing, or has to be mended.

Nothing is changed, except that a probe of a thing may use it: a cache key is written, `1+1` is run in the sandbox.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pipeline.config import ExecutionConfig
from pipeline.engines import start_engine
from q_runtime import QJob, QPool, RuntimeFault

Level = Literal["ok", "note", "fail"]
MIN_PYTHON = (3, 11)
MIN_DISK_GB = 2.0
WEB_PACKAGES = (
    "Django",
    "django-q2",
    "django-htmx",
    "pydantic",
    "numpy",
    "gunicorn",
    "whitenoise",
    "plotly",
)
TRAINING_PACKAGES = ("torch", "transformers", "trl", "tokenizers", "accelerate", "datasets")


@dataclass(frozen=True)
class Finding:
    """What was seen of one thing, and what to do when it is not fine."""

    name: str
    level: Level
    detail: str
    action: str = ""


def examine(port: int = 8000) -> list[Finding]:
    """Look at everything, in the order in which things build on each other."""
    looks: list[Callable[[], list[Finding]]] = [
        _python,
        _packages,
        _database,
        _broker,
        _cache,
        _engine,
        _kdb_process,
        _kdb_ipc,
        _pykx,
        _gpu,
        _disk,
        lambda: _port(port),
    ]
    return [finding for look in looks for finding in look()]


def _python() -> list[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= MIN_PYTHON:
        return [Finding("python", "ok", found)]
    return [
        Finding("python", "fail", found, "install Python 3.11 or newer and run make setup again")
    ]


def _packages() -> list[Finding]:
    missing = [name for name in WEB_PACKAGES if not _version(name)]
    training = [name for name in TRAINING_PACKAGES if not _version(name)]
    findings = [
        Finding("packages", "fail", f"missing: {', '.join(missing)}", "run make setup")
        if missing
        else Finding(
            "packages", "ok", f"Django {_version('Django')}, django-q2 {_version('django-q2')}"
        )
    ]
    if training:
        detail = f"missing: {', '.join(training)}; the dashboard works without"
        findings.append(
            Finding("training", "note", detail, "run make setup to be able to train here")
        )
    else:
        findings.append(
            Finding("training", "ok", f"torch {_version('torch')}, trl {_version('trl')}")
        )
    return findings


def _database() -> list[Finding]:
    kind = connection.vendor
    try:
        executor = MigrationExecutor(connection)
        owed = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return [
            Finding(
                "database",
                "fail",
                f"{kind}: {error}",
                "check QSTUDIO_DATABASE_URL and the data folder",
            )
        ]
    if owed:
        detail = f"{kind}: {len(owed)} migrations are not applied"
        return [Finding("database", "fail", detail, "run manage.py migrate, or make run")]
    detail = kind
    if kind == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode")
            detail = f"sqlite, journal {cursor.fetchone()[0]}"
    return [Finding("database", "ok", detail)]


def _broker() -> list[Finding]:
    from django_q.brokers import get_broker
    from django_q.status import Stat

    # Redis raises its own errors, the ORM broker Django's; either way the sentence is the finding.
    try:
        broker = get_broker()
        broker.ping()
        n_waiting = broker.queue_size()
        clusters = Stat.get_all(broker=broker)
    except Exception as error:  # noqa: BLE001 - a probe reports whatever is wrong
        return [
            Finding(
                "broker", "fail", str(error), "check QSTUDIO_REDIS_URL, or run manage.py migrate"
            )
        ]
    detail = f"{broker.info()}, {n_waiting} waiting, {len(clusters)} clusters seen"
    if not clusters:
        return [Finding("broker", "note", detail, "start workers: make run, or manage.py qcluster")]
    return [Finding("broker", "ok", detail)]


def _cache() -> list[Finding]:
    key, value = "doctor", secrets.token_hex(4)
    try:
        cache.set(key, value, 60)
        is_kept = cache.get(key) == value
    except Exception as error:  # noqa: BLE001 - a probe reports whatever is wrong
        return [
            Finding(
                "cache",
                "fail",
                str(error),
                "run manage.py createcachetable, or check QSTUDIO_REDIS_URL",
            )
        ]
    if not is_kept:
        return [
            Finding("cache", "fail", "a value written was not there", "check QSTUDIO_REDIS_URL")
        ]
    return [Finding("cache", "ok", settings.CACHES["default"]["BACKEND"].rsplit(".", 1)[-1])]


def _engine() -> list[Finding]:
    try:
        with QPool(n_workers=1) as pool:
            result = next(iter(pool.run([QJob("probe", "{1+1}", None, ((),))])))
            layers = pool.active_layers()
            engine_version = pool.version
    except RuntimeFault as error:
        return [
            Finding(
                "q engine",
                "fail",
                str(error),
                "see the log; the embedded engine needs Linux or macOS",
            )
        ]
    answers = [call.value for call in result.calls]
    if answers != [{"t": -7, "v": 2}]:
        detail = f"1+1 gave {answers or result.load.detail}"
        return [Finding("q engine", "fail", detail, "run make test and report what fails")]
    weak = [layer for layer in layers if not layer.is_active]
    active = ", ".join(layer.name for layer in layers if layer.is_active)
    sandbox = (
        Finding(
            "sandbox",
            "note",
            f"active: {active}; not active: {'; '.join(f'{x.name} ({x.detail})' for x in weak)}",
            "a newer kernel or more rights would add them; the others hold",
        )
        if weak
        else Finding("sandbox", "ok", active)
    )
    return [Finding("q engine", "ok", f"embedded {engine_version}, 1+1 is 2"), sandbox]


def _kdb_process() -> list[Finding]:
    return [_external("kdb_process", is_wanted=bool(os.environ.get("QSTUDIO_Q_BINARY")))]


def _kdb_ipc() -> list[Finding]:
    if not os.environ.get("QSTUDIO_KDB_ADDRESS"):
        return [
            Finding(
                "kdb_ipc",
                "note",
                "not usable: no server is named; the embedded engine needs none",
                "optional: set QSTUDIO_KDB_ADDRESS to HOST:PORT of a kdb+",
            )
        ]
    return [_external("kdb_ipc", is_wanted=True)]


def _pykx() -> list[Finding]:
    return [_external("pykx", is_wanted=bool(os.environ.get("QSTUDIO_PYKX_PYTHON")))]


def _external(name: str, *, is_wanted: bool) -> Finding:
    """Whether a kdb+ answers under that engine's name; it has to where the operator named one."""
    try:
        engine = start_engine(ExecutionConfig(engine=name, workers=1, wait_s=0))
    except RuntimeFault as error:
        action = "see docs/engines.md" if is_wanted else "optional: see docs/engines.md"
        return Finding(name, "fail" if is_wanted else "note", f"not usable: {error}", action)
    try:
        result = next(iter(engine.run([QJob("probe", "{1+1}", None, ((),))])))
        answers = [call.value for call in result.calls]
        if answers == [{"t": -7, "v": 2}]:
            return Finding(name, "ok", f"usable: {engine.version}, 1+1 is 2")
        detail = f"not usable: 1+1 gave {answers or result.load.detail}"
    except RuntimeFault as error:
        detail = f"not usable: {error}"
    finally:
        engine.close()
    return Finding(name, "fail" if is_wanted else "note", detail, "see docs/engines.md")


def _gpu() -> list[Finding]:
    if shutil.which("nvidia-smi") is None:
        return [Finding("gpu", "note", "none seen; policies train on the processor", "optional")]
    if importlib.util.find_spec("torch") is None:
        return [
            Finding("gpu", "note", "there is one, but torch is not installed", "run make setup")
        ]
    return [Finding("gpu", "ok", f"there is one; torch {_version('torch')}")]


def _disk() -> list[Finding]:
    folder = Path(settings.DATA_DIR)
    free_gb = shutil.disk_usage(folder).free / 1e9
    detail = f"{free_gb:.1f} GB free in {folder}"
    if free_gb < MIN_DISK_GB:
        return [
            Finding(
                "disk",
                "fail",
                detail,
                f"free at least {MIN_DISK_GB:.0f} GB, or set QSTUDIO_DATA_DIR",
            )
        ]
    return [Finding("disk", "ok", detail)]


def _port(port: int) -> list[Finding]:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        is_used = probe.connect_ex(("127.0.0.1", port)) == 0
    if is_used:
        return [
            Finding(
                "port", "note", f"{port} is in use: by the dashboard, if it runs", "else use --port"
            )
        ]
    return [Finding("port", "ok", f"{port} is free")]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
