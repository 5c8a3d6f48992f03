"""Django's settings. Everything that may differ between installations comes from the environment (`core.env`).

Without any variable set it is one machine, loopback only, SQLite, and django-q2's ORM broker: nothing to install.
`QSTUDIO_DATABASE_URL` (PostgreSQL) and `QSTUDIO_REDIS_URL` (broker and cache) are what several machines need.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from qstudio.core import env

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = env.directory("QSTUDIO_DATA_DIR", BASE_DIR / "var")
"""Holds the database, the run directories and the generated secrets."""
OUTPUTS_DIR = env.directory("QSTUDIO_OUTPUTS_DIR", DATA_DIR / "outputs")
"""One folder per Run; on several hosts a folder that they share."""

DEBUG = env.boolean("QSTUDIO_DEBUG", False)
SECRET_KEY = env.secret("QSTUDIO_SECRET_KEY") or env.kept_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.listing("QSTUDIO_ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.listing("QSTUDIO_TRUSTED_ORIGINS")
REDIS_URL = env.secret("QSTUDIO_REDIS_URL")
HTTPS_ONLY = env.boolean("QSTUDIO_HTTPS_ONLY", False)
"""Set behind a proxy that speaks TLS: cookies and redirects then insist on it."""

# --- Runs -----------------------------------------------------------------------------------------------------------
RUN_COMMAND = [sys.executable, "-m", "pipeline", "run"]
"""What works in a run directory; the directory is appended."""
LOST_AFTER_S = 45
"""A Run without a heartbeat for so long, whose process cannot be found, is lost."""
KILL_GRACE_S = 5
"""Seconds between asking a process to end and forcing it, when it is to be killed."""
RUN_NICENESS = 5
"""Training yields to the pages that show it."""
MAX_RUNS = env.integer("QSTUDIO_MAX_RUNS", 2, minimum=1)
"""Runs that may work at once on one machine; others wait in the queue."""
MAX_KDB_RUNS = env.integer("QSTUDIO_MAX_KDB_RUNS", 1, minimum=1)
"""Runs that may use a licence or a server of kdb+ at once: the limits of a Run are those of one Run alone."""
GPU_QUEUE = env.text("QSTUDIO_GPU_QUEUE")
"""Name of the cluster (`gpu`) that starts Runs with `compute.device = "cuda"`; empty: any cluster does."""
# The pipeline reads these itself (pipeline/engines.py); they are named here so that a misspelt one is noticed.
env.text("QSTUDIO_Q_BINARY")
env.text("QSTUDIO_PYKX_PYTHON")
env.text("QSTUDIO_KDB_ADDRESS")
env.text("QSTUDIO_KDB_USER")
env.secret("QSTUDIO_KDB_PASSWORD")

# --- Apps -----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "qstudio.core",
    "qstudio.problems",
    "qstudio.runs",
    "qstudio.review",
    "django_q",
    "django_htmx",
    "django_filters",
    "csp",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "qstudio.urls"
WSGI_APPLICATION = "qstudio.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database, cache, tasks -----------------------------------------------------------------------------------------
DATABASES = {"default": env.database("QSTUDIO_DATABASE_URL", DATA_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared by all processes on purpose: cluster statistics kept in local memory would be invisible to the web server.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}

# A task only rings a bell (`runs.tasks`), so it is short, is tried once, and its failure is final.
_TASK_LIMITS = {
    "timeout": 60,
    "retry": 120,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "bulk": 1,
}
Q_CLUSTER: dict[str, Any] = {
    "name": "qstudio",
    "workers": env.integer("QSTUDIO_WORKERS", 1, minimum=1),
    "queue_limit": 2,
    "recycle": 200,
    "save_limit": 500,
    "poll": 0.5,
    "guard_cycle": 1,
    "label": "Task queue",
    **_TASK_LIMITS,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
    "ALT_CLUSTERS": {"gpu": {"workers": 1, "queue_limit": 1, **_TASK_LIMITS}},
}

# --- People ---------------------------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Language, time, files ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.text("QSTUDIO_TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# gunicorn loads the project before `collectstatic` of a first start may have made the folder.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# --- Browser security -----------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_NAME = "qstudio_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "qstudio_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
if HTTPS_ONLY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs -----------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("QSTUDIO_LOG_LEVEL", "WARNING").upper()},
    "loggers": {
        "qstudio": {"level": env.text("QSTUDIO_LOG_LEVEL", "INFO").upper()},
        "django-q": {"level": env.text("QSTUDIO_LOG_LEVEL", "WARNING").upper()},
    },
}
