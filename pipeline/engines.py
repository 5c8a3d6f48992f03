"""The q engine that the settings ask for, with what only the operator of this machine decides.

Which binary is started, which server is asked and who logs in there come from the environment: they are neither
settings of a run, which anyone may launch, nor part of its records.

    QSTUDIO_Q_BINARY       q of `kdb_process`; else `q` on the PATH, or in QHOME
    QSTUDIO_PYKX_PYTHON    Python of `pykx` that has PyKX; else our own
    QSTUDIO_KDB_ADDRESS    HOST:PORT of `kdb_ipc`; else localhost:5000
    QSTUDIO_KDB_USER       who logs in there
    QSTUDIO_KDB_PASSWORD   the password, or in a file that QSTUDIO_KDB_PASSWORD_FILE names
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.config import ExecutionConfig
from q_runtime import Engine, EngineSettings, EngineUnavailable, Limits, open_engine


def start_engine(execution: ExecutionConfig, environment: Mapping[str, str] = os.environ) -> Engine:
    """Start the engine; the caller closes it.

    Raises: EngineUnavailable with a sentence that says what to do.
    """
    return open_engine(execution.engine, engine_settings(execution, environment))


def engine_settings(
    execution: ExecutionConfig, environment: Mapping[str, str] = os.environ
) -> EngineSettings:
    """What the engine is told. Raises: EngineUnavailable when the file of the password cannot be read."""
    return EngineSettings(
        n_workers=execution.workers,
        limits=Limits(
            time_s=execution.time_s,
            memory_mb=execution.memory_mb,
            output_bytes=execution.output_bytes,
        ),
        q_binary=environment.get("QSTUDIO_Q_BINARY", "").strip(),
        pykx_python=environment.get("QSTUDIO_PYKX_PYTHON", "").strip(),
        address=environment.get("QSTUDIO_KDB_ADDRESS", "").strip() or "localhost:5000",
        user=environment.get("QSTUDIO_KDB_USER", "").strip(),
        password=_password(environment),
        max_connections=execution.max_connections,
        wait_s=execution.wait_s,
    )


def _password(environment: Mapping[str, str]) -> str:
    file = environment.get("QSTUDIO_KDB_PASSWORD_FILE", "").strip()
    if not file:
        return environment.get("QSTUDIO_KDB_PASSWORD", "").strip()
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineUnavailable(
            f"QSTUDIO_KDB_PASSWORD_FILE={file} cannot be read: {error}"
        ) from error
