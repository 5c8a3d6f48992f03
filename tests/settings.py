"""Django's settings for the tests: a data folder of its own, SQLite in a file so that several processes share it.

Processes that a test starts use this module too; `QSTUDIO_DATABASE_URL` and `TEST_RUN_COMMAND` tell them where.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile

if "QSTUDIO_DATA_DIR" not in os.environ:
    os.environ["QSTUDIO_DATA_DIR"] = tempfile.mkdtemp(prefix="qstudio-tests-")
    atexit.register(shutil.rmtree, os.environ["QSTUDIO_DATA_DIR"], ignore_errors=True)

from qstudio.settings import *  # noqa: F403
from qstudio.settings import DATA_DIR, DATABASES

DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if "TEST_RUN_COMMAND" in os.environ:
    RUN_COMMAND = json.loads(os.environ["TEST_RUN_COMMAND"])
