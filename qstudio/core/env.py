"""Typed readers of environment variables: the only way that settings come in from outside.

A value that cannot be understood stops the start with a sentence that names the variable; nothing is guessed.
Every name read here is remembered, so that a system check can point at a misspelt one (`qstudio.W010`).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PREFIX = "QSTUDIO_"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_known: set[str] = set()


def text(name: str, default: str = "") -> str:
    """The variable's text, or the default when it is unset or empty."""
    _known.add(name)
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    """`1 true yes on` or `0 false no off`. Raises: ImproperlyConfigured."""
    value = text(name).lower()
    if not value:
        return default
    if value not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no; set it to 1 or 0")
    return value in _TRUE


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """A whole number. Raises: ImproperlyConfigured."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number} is too small; the least is {minimum}")
    return number


def listing(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Items separated by commas."""
    return [item.strip() for item in text(name).split(",") if item.strip()] or list(default)


def directory(name: str, default: Path) -> Path:
    """An absolute path of a folder, which is created. Raises: ImproperlyConfigured."""
    path = Path(text(name, str(default))).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}: the folder {path} cannot be made ({error.strerror}); choose another"
        ) from error
    return path


def secret(name: str, default: str = "") -> str:
    """A secret from `NAME`, or from the file that `NAME_FILE` names. Raises: ImproperlyConfigured."""
    value, file_name = text(name), text(f"{name}_FILE")
    if value and file_name:
        raise ImproperlyConfigured(f"both {name} and {name}_FILE are set; keep one of them")
    if not file_name:
        return value or default
    try:
        value = Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE={file_name}: cannot be read ({error.strerror})"
        ) from error
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE={file_name}: the file is empty")
    return value


def kept_secret(path: Path, n_bytes: int = 48) -> str:
    """The secret kept in `path` (mode 0600); made on first use. Raises: ImproperlyConfigured."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(n_bytes) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be written ({error.strerror})") from error
    value = path.read_text(encoding="utf-8").strip()
    if not value:
        raise ImproperlyConfigured(f"{path} is empty; delete it and a new secret will be made")
    return value


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's database settings from a URL; `default` is the SQLite file used when there is none.

    Known: `sqlite:////absolute/file.sqlite3` and `postgres://user:password@host:port/name?option=value`.
    Raises: ImproperlyConfigured.
    """
    url = urlsplit(secret(name, f"sqlite:///{default}"))
    if url.scheme == "sqlite":
        return _sqlite(unquote(url.path[1:]) if url.path.startswith("//") else unquote(url.path))
    if url.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"{name}: unknown kind of database {url.scheme!r}; use postgres:// or sqlite:///"
        )
    if not url.path.strip("/"):
        raise ImproperlyConfigured(f"{name}: the database has no name; end it with /NAME")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "OPTIONS": dict(parse_qsl(url.query)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite(path: str) -> dict[str, Any]:
    """SQLite for many processes: readers never wait (WAL), writers queue up instead of failing half-way."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; "
                "PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728;"
            ),
        },
    }


def unknown_names() -> list[str]:
    """Variables with our prefix that nothing reads: most likely misspelt."""
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in _known)
