"""`kdb_process`: a q process for every Program, with our console standing in for the q of kdb+."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from q_runtime import EngineUnavailable, QPool
from q_runtime.kdb.process import QProcess, find_q
from q_runtime.kdb.process_engine import KdbProcess
from tests.q_runtime.kdb.conftest import OUR_Q
from tests.q_runtime.kdb.q_programs import ENDLESS, LIMITS, QUIET, run_all, seen

PRINTING = 'f:{-1 "hi"; show x; x}'
FLOODING = 'f:{-1 5000#"a"; x}'


@pytest.fixture(scope="module")
def engine() -> Iterator[KdbProcess]:
    """Two workers that start our console."""
    with KdbProcess(2, LIMITS, binary=str(OUR_Q)) as made:
        yield made


def test_programs_fare_as_with_the_embedded_engine(engine: KdbProcess) -> None:
    programs = (*QUIET, PRINTING, FLOODING, ENDLESS)
    with QPool(1, LIMITS) as pool:
        expected = run_all(pool, programs)
    found = run_all(engine, programs)

    assert {text: seen(result) for text, result in found.items()} == {
        text: seen(result) for text, result in expected.items()
    }
    assert found[ENDLESS].calls[0].status == "time_limit"
    assert found[PRINTING].calls[0].stdout == "hi\n3\n"


def test_the_version_says_who_answers(engine: KdbProcess) -> None:
    assert engine.version.startswith("embedded ")


def test_a_lost_process_is_never_the_programs_fault(engine: KdbProcess) -> None:
    done = threading.Event()

    def kill_all() -> None:
        while not done.is_set():
            for worker in engine._workers:
                current = worker._current
                if current is not None and current.connection is not None and current._process:
                    current._process.send_signal(signal.SIGKILL)
            time.sleep(0.02)

    killer = threading.Thread(target=kill_all)
    killer.start()
    try:
        lost = run_all(engine, [ENDLESS])[ENDLESS]
    finally:
        done.set()
        killer.join()

    assert (lost.load.status, lost.load.error) == ("infra_error", "worker")
    assert "signal 9" in lost.load.detail
    assert run_all(engine, ["{x}"])["{x}"].calls[0].status == "ok"


def test_the_port_is_closed_to_everybody_else() -> None:
    from q_runtime.ipc import AccessRefused, connect

    process = QProcess(str(OUR_Q))
    try:
        assert process.connect().sync("1+1") == 2
        with pytest.raises(AccessRefused):
            connect("127.0.0.1", process._port, "qstudio", "guess", timeout=5)
    finally:
        process.close()
    assert not os.path.exists(process._directory)


def test_a_missing_binary_is_one_sentence(tmp_path) -> None:
    with pytest.raises(EngineUnavailable, match=r"there is no program .*/nothing; name the q"):
        KdbProcess(binary=str(tmp_path / "nothing"))
    with pytest.raises(EngineUnavailable, match="no q was found; install kdb"):
        find_q("", {"PATH": str(tmp_path)})


def test_q_is_found_on_the_path_and_in_its_home(tmp_path) -> None:
    inside = tmp_path / "home" / "l64" / "q"
    inside.parent.mkdir(parents=True)
    inside.write_text("#!/bin/sh\n")
    inside.chmod(0o755)
    home = {"PATH": str(tmp_path), "QHOME": str(tmp_path / "home")}

    assert find_q("", home) == str(inside)
    assert find_q("", {**home, "PATH": str(OUR_Q.parent)}) == str(OUR_Q)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('echo "\'2024.01.01T00:00:00.000 licence error: exp"; exit 1', "has no valid licence"),
        ('echo "\'k4.lic" >&2; exit 1', "has no valid licence .*k4.lic"),
        ("echo 'no such library' >&2; exit 127", "ended at once: no such library"),
        ("exit 3", "ended at once: status 3"),
    ],
)
def test_a_q_that_does_not_start_is_one_sentence(
    fake_q: Callable[[str], str], line: str, sentence: str
) -> None:
    with pytest.raises(EngineUnavailable, match=sentence):
        KdbProcess(binary=fake_q(line))


def test_a_licence_that_runs_out_gives_no_results(fake_q: Callable[[str], str]) -> None:
    with KdbProcess(1, LIMITS, binary=fake_q(f'exec {OUR_Q} "$@"')) as engine:
        fake_q('echo "\'k4.lic"; exit 1')

        with pytest.raises(EngineUnavailable, match="has no valid licence"):
            run_all(engine, ["{x}", "{x+1}"])


@pytest.mark.skipif(
    shutil.which("q") is None or os.path.realpath(shutil.which("q") or "") == str(OUR_Q),
    reason="needs the q of kdb+ on the PATH, with a licence",
)
def test_programs_fare_as_with_a_real_kdb() -> None:
    programs = [text for text in QUIET if ".z.l" not in text and not text.startswith("\\")]
    with QPool(1, LIMITS) as pool, KdbProcess(1, LIMITS) as engine:
        assert not engine.version.startswith("embedded ")
        expected, found = run_all(pool, programs), run_all(engine, programs)

    assert {text: seen(result) for text, result in found.items()} == {
        text: seen(result) for text, result in expected.items()
    }
