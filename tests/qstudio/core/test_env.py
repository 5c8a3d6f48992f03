"""Readers of environment variables: what they accept, and what they say about the rest."""

from __future__ import annotations

import os
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from qstudio.core import env

NAME = "QSTUDIO_TEST_VALUE"


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("Yes", True), ("off", False), ("0", False), ("", True)]
)
def test_yes_and_no(monkeypatch, text, expected):
    monkeypatch.setenv(NAME, text)

    assert env.boolean(NAME, True) is expected


@pytest.mark.parametrize("text", ["maybe", "2", "tru"])
def test_what_is_neither_yes_nor_no_stops_the_start(monkeypatch, text):
    monkeypatch.setenv(NAME, text)

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}='{text}' is neither yes nor no"):
        env.boolean(NAME, False)


@pytest.mark.parametrize(("text", "reason"), [("many", "not a whole number"), ("0", "too small")])
def test_a_bad_number_stops_the_start(monkeypatch, text, reason):
    monkeypatch.setenv(NAME, text)

    with pytest.raises(ImproperlyConfigured, match=reason):
        env.integer(NAME, 4, minimum=1)


def test_lists_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv(NAME, "a.example, b.example,")

    assert env.listing(NAME) == ["a.example", "b.example"]


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    path = tmp_path / "secret"
    path.write_text("from the file\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(path))

    assert env.secret(NAME) == "from the file"


def test_a_secret_given_twice_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv(NAME, "here")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    with pytest.raises(ImproperlyConfigured, match="both"):
        env.secret(NAME)


@pytest.mark.parametrize("content", [None, "\n"], ids=["missing", "empty"])
def test_a_secret_file_without_a_secret_is_refused(monkeypatch, tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(f"{NAME}_FILE", str(path))

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE"):
        env.secret(NAME)


def test_a_kept_secret_is_made_once_and_is_private(tmp_path):
    path = tmp_path / "key"

    first = env.kept_secret(path)

    assert env.kept_secret(path) == first
    assert len(first) >= 50
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_the_default_database_is_a_file_in_wal_mode_with_queued_writers(monkeypatch, tmp_path):
    monkeypatch.delenv(NAME, raising=False)

    found = env.database(NAME, tmp_path / "db.sqlite3")

    assert found["NAME"] == str(tmp_path / "db.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]


def test_a_postgres_url_is_taken_apart(monkeypatch, tmp_path):
    monkeypatch.setenv(NAME, "postgres://me:p%40ss@db.example:5433/studio?sslmode=require")

    found = env.database(NAME, tmp_path / "unused")

    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("me", "p@ss", "db.example")
    assert (found["PORT"], found["NAME"]) == ("5433", "studio")
    assert found["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(("url", "reason"), [("mysql://h/d", "mysql"), ("postgres://h", "no name")])
def test_another_database_is_refused(monkeypatch, tmp_path, url, reason):
    monkeypatch.setenv(NAME, url)

    with pytest.raises(ImproperlyConfigured, match=reason):
        env.database(NAME, tmp_path / "unused")


def test_a_folder_that_cannot_be_made_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv(NAME, str(tmp_path / "file" / "folder"))

    with pytest.raises(ImproperlyConfigured, match=r"cannot be made \(Not a directory\)"):
        env.directory(NAME, tmp_path)


def test_a_variable_that_nothing_reads_is_found(monkeypatch):
    monkeypatch.setenv("QSTUDIO_MISSPELT", "1")

    assert "QSTUDIO_MISSPELT" in env.unknown_names()
    assert "QSTUDIO_DATA_DIR" not in env.unknown_names()
