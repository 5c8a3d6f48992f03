"""What all tests share: the surroundings that keep them offline and on few threads, and the report's header.

Tests marked `gpu`, `kdb`, `slow` or `network` are off unless `-m` asks for them (`pyproject.toml` holds the marks).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.chromium import find_chromium

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
"""Public data and documentation transcripts that are not part of the repository."""

# Several test processes share the processor, where many threads of small matrices are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A shell ignores Ctrl-C for what it starts in the background, and programs that the tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Say what is available here, so that a skipped test explains itself."""
    available = {
        "torch": importlib.util.find_spec("torch") is not None,
        "kdb+": shutil.which("q") is not None,
        "gpu": shutil.which("nvidia-smi") is not None,
        "chromium": find_chromium() is not None,
        "shared data": SHARED.is_dir(),
    }
    return "available: " + ", ".join(
        f"{name} {'yes' if is_there else 'no'}" for name, is_there in available.items()
    )


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with public data sets and transcripts; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder {SHARED.name} is not next to the repository")
    return SHARED


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's executable; the test is skipped where there is none."""
    from tests.chromium import NO_BROWSER

    path = find_chromium()
    if path is None:
        pytest.skip(NO_BROWSER)
    return path
