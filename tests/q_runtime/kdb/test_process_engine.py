"""`kdb_process`: a q process for every Program, with our console standing in for the q of kdb+."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from q_runtime import EngineUnavailable, QPool
from q_runtime.kdb.licence import REMEDIES, find_licence_trouble
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
    assert not os.path.exists(process.directory)


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
        ("echo 'no such library' >&2; exit 127", "ended at once: no such library"),
        ("exit 3", "ended at once: status 3"),
    ],
)
def test_a_q_that_does_not_start_is_one_sentence(
    fake_q: Callable[[str], str], line: str, sentence: str
) -> None:
    with pytest.raises(EngineUnavailable, match=sentence):
        KdbProcess(binary=fake_q(line))


LICENCE_TEXTS = [
    ("'k4.lic", "there is no licence file"),
    ("'2024.05.01T09:30:00.000 k4.lic", "there is no licence file"),
    ("'2024.05.01T09:30:00.000 licence error: kc.lic", "there is no licence file"),
    ("'exp", "the licence has expired"),
    ("'2024.05.01T09:30:00.000 licence error: exp", "the licence has expired"),
    ("'licence error: host", "for another host name"),
    ("'2024.05.01D09:30:00.000000000 licence error: cores", "for fewer cores"),
    ("'cpu", "for fewer processors"),
    ("'licence error: os", "for another operating system"),
    ("'licence error: user", "for another user"),
    ("'licence error: srv", "for clients alone"),
    ("'licence error: upd", "newer than the licence's updates"),
    ("'licence error: wha", "before the date of this q"),
    ("'wrong q.k version", "of different versions"),
    (
        "'2018.03.28T11:20:03.831 couldn't connect to license daemon -- exiting",
        "licence server of KX cannot be reached",
    ),
    ("'licence error: something new", "q refuses its licence"),
]
"""What KX's page on errors says that q prints when its licence does not let it start, and what we make of it."""


@pytest.mark.parametrize(("text", "sentence"), LICENCE_TEXTS)
@pytest.mark.parametrize("stream", ["1", "2"])
def test_what_q_says_of_its_licence_becomes_a_sentence(
    fake_q: Callable[[str], str], text: str, sentence: str, stream: str
) -> None:
    binary = fake_q(f'cat >&{stream} <<"END"\nKDB+ 4.1 2025.02.18\n{text}\nEND\nexit 1')

    with pytest.raises(EngineUnavailable, match=f"has no valid licence: .*{sentence}.*") as caught:
        KdbProcess(binary=binary)
    assert text in str(caught.value)


def test_the_documented_remedies_are_those_that_are_given() -> None:
    page = (OUR_Q.parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")

    for code, remedy in REMEDIES.items():
        assert re.search(
            rf"^\| .*`{re.escape(code)}`.* \| {re.escape(remedy)} \|$", page, re.MULTILINE
        )


@pytest.mark.parametrize("words", ["'type", "'exponent", "no such file: host", "experts", ""])
def test_other_last_words_are_not_about_a_licence(words: str) -> None:
    assert find_licence_trouble(words) == ""


def test_there_are_never_more_processes_than_workers(
    fake_q: Callable[[str], str], tmp_path
) -> None:
    alone = f"flock --no-fork --nonblock {tmp_path / 'lock'} {OUR_Q}"
    binary = fake_q(f'{alone} "$@" || {{ echo "\'licence error: cores"; exit 1; }}')

    with KdbProcess(1, LIMITS, binary=binary) as engine:
        found = run_all(engine, ["{x}", "{x+1}", "{x+2}"])
    assert {result.calls[0].status for result in found.values()} == {"ok"}


def test_a_licence_that_is_busy_for_a_moment_is_waited_for(
    fake_q: Callable[[str], str], tmp_path
) -> None:
    """The second, third and fourth q find the licence server busy."""
    count = tmp_path / "count"
    busy = "echo \"'2018.03.28T11:20:03.831 couldn't connect to license daemon -- exiting\"; exit 1"
    counting = f"echo >>{count}; n=$(wc -l <{count})"
    binary = fake_q(f'{counting}; [ $n -gt 1 ] && [ $n -lt 5 ] && {{ {busy}; }}\nexec {OUR_Q} "$@"')
    with KdbProcess(1, LIMITS, binary=binary, wait_s=60.0) as engine:
        found = run_all(engine, ["{x}", "{x+1}"])

    assert {result.calls[0].status for result in found.values()} == {"ok"}
    assert len(count.read_text()) > 4


def test_a_licence_that_runs_out_gives_no_results(fake_q: Callable[[str], str]) -> None:
    with KdbProcess(1, LIMITS, binary=fake_q(f'exec {OUR_Q} "$@"')) as engine:
        fake_q('echo "\'k4.lic"; exit 1')

        with pytest.raises(
            EngineUnavailable, match="has no valid licence: there is no licence file"
        ):
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
