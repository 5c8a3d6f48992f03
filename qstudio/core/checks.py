"""System checks: what would go wrong at run time is said at start, with an id and a hint.

qstudio.E001  django-q2 hands a task out again while it may still be running
qstudio.E002  django-q2 repeats failed tasks
qstudio.E003  the cache is not shared between processes
qstudio.E004  the secret key is a sample
qstudio.E005  SQLite without queued writers
qstudio.W010  an environment variable that nothing reads
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from qstudio.core import env

SAMPLE_KEYS = ("change-me", "changeme", "insecure", "sample", "secret")
UNSHARED_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")


@register()
def check_task_queue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """django-q2's own defaults start one task several times; see that ours hold for every cluster."""
    found: list[CheckMessage] = []
    shared: dict[str, Any] = {
        key: value for key, value in settings.Q_CLUSTER.items() if key != "ALT_CLUSTERS"
    }
    clusters = {shared.get("name", "default"): shared}
    for name, own in settings.Q_CLUSTER.get("ALT_CLUSTERS", {}).items():
        clusters[name] = {**shared, **own}
    for name, conf in clusters.items():
        timeout, retry = conf.get("timeout"), conf.get("retry", 60)
        if not timeout or retry <= timeout:
            found.append(
                Error(
                    f"cluster {name!r}: retry ({retry} s) is not longer than timeout ({timeout} s)",
                    hint="set Q_CLUSTER['timeout'], and 'retry' to at least twice that",
                    id="qstudio.E001",
                )
            )
        if not conf.get("ack_failures") or conf.get("max_attempts") != 1:
            found.append(
                Error(
                    f"cluster {name!r} would run a failed task again",
                    hint="set Q_CLUSTER['ack_failures'] = True and 'max_attempts' = 1",
                    id="qstudio.E002",
                )
            )
    return found


@register()
def check_shared_cache(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The cluster writes its state to the cache and the web server reads it there."""
    backend = settings.CACHES["default"]["BACKEND"]
    if not backend.endswith(UNSHARED_CACHES):
        return []
    return [
        Error(
            f"the cache {backend} is not shared between processes",
            hint="use the database cache, or set QSTUDIO_REDIS_URL",
            id="qstudio.E003",
        )
    ]


@register()
def check_secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whoever knows the key can sign tasks, that is, run code in the workers."""
    key = settings.SECRET_KEY.lower()
    if settings.DEBUG or not (len(key) < 32 or key.startswith(SAMPLE_KEYS)):
        return []
    return [
        Error(
            "QSTUDIO_SECRET_KEY is too short or a sample",
            hint="unset it, and a key is made in the data folder; or set 50 random characters",
            id="qstudio.E004",
        )
    ]


@register()
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Several processes write: without IMMEDIATE a transaction may fail half-way with `locked`."""
    conf = settings.DATABASES["default"]
    if not conf["ENGINE"].endswith("sqlite3"):
        return []
    if conf.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE":
        return []
    return [
        Error(
            "SQLite is set up without transaction_mode IMMEDIATE",
            hint="use QSTUDIO_DATABASE_URL=sqlite:////path, which sets it",
            id="qstudio.E005",
        )
    ]


@register()
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A misspelt variable would be silently ignored."""
    return [
        Warning(
            f"nothing reads the environment variable {name}",
            hint="see docs/settings.md for the names; correct or unset it",
            id="qstudio.W010",
        )
        for name in env.unknown_names()
    ]
