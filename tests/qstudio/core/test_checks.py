"""System checks: our settings pass, and each hazard is found."""

from __future__ import annotations

import copy

import pytest

from qstudio.core import checks


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_our_own_settings_raise_no_error():
    looks = [checks.check_task_queue, checks.check_shared_cache, checks.check_database]

    assert [ids(look(None)) for look in looks] == [[], [], []]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"retry": 60}, "qstudio.E001"),
        ({"timeout": None}, "qstudio.E001"),
        ({"ack_failures": False}, "qstudio.E002"),
        ({"max_attempts": 0}, "qstudio.E002"),
    ],
    ids=str,
)
@pytest.mark.parametrize("cluster", ["default", "gpu"])
def test_a_queue_that_would_repeat_tasks_is_found(settings, change, expected, cluster):
    conf = copy.deepcopy(settings.Q_CLUSTER)
    (conf if cluster == "default" else conf["ALT_CLUSTERS"]["gpu"]).update(change)
    settings.Q_CLUSTER = conf

    assert expected in ids(checks.check_task_queue(None))


def test_a_cache_in_local_memory_is_found(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

    assert ids(checks.check_shared_cache(None)) == ["qstudio.E003"]


@pytest.mark.parametrize("key", ["change-me-please-change-me-please-change", "short"])
def test_a_sample_key_is_found(settings, key):
    settings.SECRET_KEY = key

    assert ids(checks.check_secret_key(None)) == ["qstudio.E004"]


def test_sqlite_with_deferred_transactions_is_found(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})

    assert ids(checks.check_database(None)) == ["qstudio.E005"]


def test_a_misspelt_variable_is_named(monkeypatch):
    monkeypatch.setenv("QSTUDIO_DEBUGG", "1")

    found = checks.check_environment(None)

    assert [message.msg for message in found if "QSTUDIO_DEBUGG" in message.msg]
