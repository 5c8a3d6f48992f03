"""PyKX, qpython3 and kola against our server, each as its users install it and with its default settings.

Each talks from a process and an environment of its own (environments.py) and reports what it saw. PyKX is used without
a licence, which it is told, so that it does not look for one.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from q_runtime.ipc import connect
from tests.q_runtime.clients.environments import HERE, NotInstalled, python_with
from tests.q_runtime.ipc.conftest import ROOT, Served

pytestmark = pytest.mark.timeout(1500)  # the first time, packages are installed

LEAST = {"pykx": 140, "qpython3": 80, "kola": 75}
"""How many comparisons each client makes at least, so that a report that is cut short is no success."""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.end()


def talk(client: str, port: int, home: Path) -> dict[str, object]:
    """Let a client talk to the server on a port; return its report. Skips where the client cannot be installed."""
    try:
        python = python_with(client)
    except NotInstalled as reason:
        pytest.skip(f"{client} is not installed: {reason}")
    done = subprocess.run(
        [str(python), "-W", "ignore", str(HERE / f"talk_{client}.py"), str(port)],
        capture_output=True, text=True, check=False, timeout=240, cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYKX_UNLICENSED": "true"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    report: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


@pytest.mark.parametrize("client", LEAST)
def test_a_client_sees_what_it_would_see_of_a_kdb(
    client: str, served: Served, tmp_path: Path
) -> None:
    report = talk(client, served.port, tmp_path)

    assert report["failures"] == []
    assert int(str(report["n"])) >= LEAST[client]


def test_the_executable_stands_where_a_q_is_expected(tmp_path: Path) -> None:
    """As KX's harness does it: `q -?`, then `q -p PORT -q` found on the PATH, its input open and silent."""
    folder = ROOT / "q_runtime" / "bin"
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    help_text = subprocess.run(
        ["q", "-?"], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert "-p" in help_text.stdout

    started = subprocess.Popen(
        ["q", "-q", "-p", "0W"], env=environment, start_new_session=True, cwd=tmp_path,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    port = int(started.stdout.readline().split()[-1])
    try:
        with connect(port=port, timeout=60) as q:
            q.sync("testfunc:{[n]\n  / the n-th\n  $[n<2;n;.z.s[n-1]+.z.s[n-2]]}")
            assert q.sync("testfunc", 10) == 55
    finally:
        started.terminate()
        assert started.wait(timeout=60) == -15
        for stream in (started.stdin, started.stdout, started.stderr):
            assert stream is not None
            stream.close()
