"""Bringing an installation up to date: tables, the shared cache, static files, and the first person who may log in.

Each step may be repeated and does nothing when there is nothing to do.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

ADMIN = "admin"


@dataclass(frozen=True)
class Login:
    """Who may log in; `password` is empty when the person has chosen one of their own."""

    username: str
    password: str


def prepare_database() -> None:
    """Create or update all tables, the cache's included. Raises: CommandError with what to do."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    except DatabaseError as error:
        raise CommandError(
            f"the database cannot be prepared ({error}); see that the disk has room and QSTUDIO_DATABASE_URL is right"
        ) from error


def require_database() -> None:
    """See that the tables are there and up to date. Raises: CommandError with what to do."""
    try:
        executor = MigrationExecutor(connection)
        is_owed = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        raise CommandError(
            f"the database cannot be used ({error}); check QSTUDIO_DATABASE_URL and QSTUDIO_DATA_DIR"
        ) from error
    if is_owed:
        raise CommandError("the database is not prepared; run: manage.py migrate, or make run")


def prepare_static_files() -> None:
    """Put style sheets and scripts where the web server serves them from. Raises: CommandError."""
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
    except OSError as error:
        raise CommandError(
            f"{settings.STATIC_ROOT} cannot be written ({error.strerror}); see that the disk has room"
        ) from error


def prepare_admin() -> Login:
    """The first person's login: made on a first start, its password kept in the data folder (mode 0600).

    The password is told again as long as it is still the generated one.
    """
    user_model = get_user_model()
    path = Path(settings.DATA_DIR) / "admin_password"
    user = user_model.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if user is None:
        password = secrets.token_urlsafe(9)
        user = user_model.objects.create_superuser(ADMIN, "", password)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(password + "\n")
        return Login(user.get_username(), password)
    kept = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    return Login(user.get_username(), kept if kept and user.check_password(kept) else "")
