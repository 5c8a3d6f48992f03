"""`pykx`: the real PyKX as far as it goes without a licence, and beyond that a stand-in with our own q inside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from q_runtime import EngineSettings, EngineUnavailable, QPool, open_engine
from q_runtime.kdb.pykx_engine import Pykx, find_pykx
from tests.q_runtime.clients.environments import NotInstalled, python_with
from tests.q_runtime.kdb.q_programs import ENDLESS, LIMITS, QUIET, run_all, seen

HERE = Path(__file__).resolve().parent
PRINTING = 'f:{-1 "hi"; show x; x}'


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Make a Python in which the stand-in is found under the name of PyKX, with a licence of some state."""

    def make(licence: str) -> str:
        monkeypatch.setenv("PYKX_STANDIN_LICENCE", licence)
        monkeypatch.setenv("PYKX_STANDIN_REPOSITORY", str(HERE.parents[2]))
        path = tmp_path / "python"
        path.write_text(
            f'#!/bin/sh\nPYTHONPATH={HERE / "pykx_standin"} exec {sys.executable} "$@"\n'
        )
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def without_a_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine that could be a licence is found."""
    for name in ("QLIC", "QHOME", "PYKX_UNLICENSED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.timeout(1500)  # the first time, PyKX is installed
@pytest.mark.usefixtures("without_a_licence")
def test_pykx_without_a_licence_is_one_sentence() -> None:
    try:
        python = python_with("pykx")
    except NotInstalled as reason:
        pytest.skip(f"pykx is not installed: {reason}")

    with pytest.raises(EngineUnavailable) as caught:
        open_engine("pykx", EngineSettings(pykx_python=str(python)))

    assert str(caught.value) == (
        "PyKX 4.2.0 has no licence, and so no q in it; set QLIC to the directory of a licence file, "
        "or use kdb_ipc with a kdb+ that runs"
    )


def test_a_python_without_pykx_is_one_sentence() -> None:
    with pytest.raises(
        EngineUnavailable, match=r"has no PyKX \(No module named 'pykx'\); install it"
    ):
        Pykx()


def test_a_python_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"there is no program .*/nothing; name the Python"):
        find_pykx(str(tmp_path / "nothing"))


def test_a_program_that_is_no_python_is_one_sentence() -> None:
    with pytest.raises(EngineUnavailable, match=r"true has no PyKX \(it gave no answer\)"):
        find_pykx("true")


def test_q_is_not_started_where_there_is_no_licence(standin: Callable[[str], str]) -> None:
    with pytest.raises(EngineUnavailable, match=r"PyKX 4\.2\.0 has no licence"):
        Pykx(python=standin("none"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "'2024.05.01T09:30:00.000 licence error: exp",
            "PyKX has no valid licence: the licence has expired",
        ),
        (
            "'2024.05.01T09:30:00.000 licence error: embedq",
            "the licence does not cover the q inside PyKX",
        ),
        ("cannot open shared object file", "PyKX cannot be used: .*cannot open shared object file"),
    ],
)
def test_a_q_inside_that_does_not_start_is_one_sentence(
    standin: Callable[[str], str], text: str, sentence: str
) -> None:
    with pytest.raises(EngineUnavailable, match=sentence):
        Pykx(python=standin(text))


def test_programs_fare_as_with_the_embedded_engine(standin: Callable[[str], str]) -> None:
    programs = (*QUIET, PRINTING, ENDLESS)
    with QPool(1, LIMITS) as pool:
        expected = run_all(pool, programs)
    with Pykx(2, LIMITS, python=standin("good")) as engine:
        found = run_all(engine, programs)
        version = engine.version

    assert version.startswith("embedded ")
    assert version.endswith(" in PyKX 4.2.0")
    assert {text: seen(result) for text, result in found.items()} == {
        text: seen(result) for text, result in expected.items()
    }


def test_a_licence_that_runs_out_gives_no_results(standin: Callable[[str], str]) -> None:
    with Pykx(1, LIMITS, python=standin("good")) as engine:
        standin("'licence error: exp")

        with pytest.raises(EngineUnavailable, match="the licence has expired"):
            run_all(engine, ["{x}", "{x+1}"])
