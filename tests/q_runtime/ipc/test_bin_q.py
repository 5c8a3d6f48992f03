"""`q_runtime/bin/q` stands where a program expects the `q` of kdb+."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from q_runtime.ipc import connect
from tests.q_runtime.ipc.conftest import ROOT

Q = ROOT / "q_runtime" / "bin" / "q"
ENVIRONMENT = {**os.environ, "Q_RUNTIME_PYTHON": sys.executable}


def test_it_says_how_it_is_used() -> None:
    done = subprocess.run(
        [Q, "-?"], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )  # fmt: skip

    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")


def test_it_is_found_through_a_link_and_from_any_folder(tmp_path: Path) -> None:
    link = tmp_path / "q"
    link.symlink_to(Q)
    done = subprocess.run(
        [link, "-q"], env=ENVIRONMENT, cwd=tmp_path, input="2*3\n", capture_output=True, text=True, check=False
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "6\n")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_it_serves_while_its_input_is_open_and_silent_and_ends_on_a_signal(end: int) -> None:
    process = subprocess.Popen(
        [Q, "-p", "0W", "-q"], env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[-1])
        with connect(port=port, timeout=60) as q:
            assert q.sync("1+1") == 2
        with connect(port=port, timeout=60) as q:
            assert q.sync("`alive") == "alive"
        assert process.poll() is None
        process.send_signal(end)

    assert process.returncode == -end
