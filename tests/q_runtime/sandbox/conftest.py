"""Pools for the sandbox's tests, shared by a test file because hostile jobs must not harm those that follow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from q_runtime.limits import Limits
from q_runtime.sandbox import PythonPool, QPool


@pytest.fixture(scope="module")
def python_pool() -> Iterator[PythonPool]:
    """Two workers for Python with short limits."""
    limits = Limits(time_s=1.0, memory_mb=256, output_bytes=4096)
    with PythonPool(2, limits) as pool:
        yield pool


@pytest.fixture(scope="module")
def patient_python_pool() -> Iterator[PythonPool]:
    """A worker for Python that has time enough for jobs that end by themselves, on a busy machine too."""
    limits = Limits(time_s=60.0, memory_mb=256, output_bytes=4096)
    with PythonPool(1, limits) as pool:
        yield pool


@pytest.fixture(scope="module")
def q_pool() -> Iterator[QPool]:
    """Two workers for q with short limits."""
    limits = Limits(time_s=1.0, memory_mb=256, output_bytes=4096)
    with QPool(2, limits) as pool:
        yield pool
