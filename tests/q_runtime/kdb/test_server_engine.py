"""`kdb_ipc`: Programs on a server that runs, with our console standing in for the kdb+."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from q_runtime import EngineSettings, EngineUnavailable, QPool, open_engine
from q_runtime.ipc import connect
from q_runtime.kdb.server_engine import KdbIpc, read_address
from tests.q_runtime.kdb.conftest import RunningQ
from tests.q_runtime.kdb.q_programs import ENDLESS, LIMITS, QUIET, jobs, run_all, seen


def engine_at(address: str, n_workers: int = 1, wait_s: float = 0.5) -> KdbIpc:
    return KdbIpc(n_workers, LIMITS, address=address, user="ada", password="secret", wait_s=wait_s)


@pytest.fixture
def engine(running_q: RunningQ) -> Iterator[KdbIpc]:
    """Two connections to one server, with patience."""
    with engine_at(running_q.address, 2, 30.0) as made:
        yield made


def test_programs_fare_as_with_the_embedded_engine(engine: KdbIpc) -> None:
    with QPool(1, LIMITS) as pool:
        expected = run_all(pool, QUIET)
    found = run_all(engine, QUIET)

    assert {text: seen(result) for text, result in found.items()} == {
        text: seen(result) for text, result in expected.items()
    }


def test_a_program_does_not_see_the_globals_of_another(running_q: RunningQ) -> None:
    with engine_at(running_q.address, wait_s=30.0) as engine:
        first = run_all(engine, ["a:5\nf:{a+x}"])["a:5\nf:{a+x}"]
        second = run_all(engine, ["f:{a+x}"])["f:{a+x}"]

    assert first.calls[0].value == {"t": -7, "v": 8}
    assert (second.calls[0].status, second.calls[0].error) == ("q_error", "a")
    with connect("127.0.0.1", running_q.port, "ada", "secret", timeout=30) as q:
        assert q.sync('system"v"') == []
        assert q.sync('system"d"') == "."


def test_an_endless_loop_is_ended_by_the_servers_limit(engine: KdbIpc) -> None:
    found = run_all(engine, [ENDLESS, "{x}"])
    loop, after = found[ENDLESS], found["{x}"]

    assert [call.status for call in loop.calls] == ["time_limit", "time_limit"]
    assert after.calls[0].status == "ok"


def test_a_server_that_went_away_gives_no_results(start_q: Callable[[], RunningQ]) -> None:
    running = start_q()
    with engine_at(running.address) as engine:
        results = engine.run(jobs(["{x}", ENDLESS, "{x+1}"]))
        assert next(results).calls[0].status == "ok"
        running.kill()

        with pytest.raises(
            EngineUnavailable, match=r"gave no answer for 0\.5 s .*see that it runs"
        ):
            list(results)


def test_a_refused_connection_is_one_sentence() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(EngineUnavailable, match="Connection refused; start q there"):
            engine_at(f"127.0.0.1:{unused.getsockname()[1]}")


def test_a_wrong_password_is_one_sentence_without_it(running_q: RunningQ) -> None:
    with pytest.raises(EngineUnavailable, match="refuses user 'ada'") as caught:
        KdbIpc(address=running_q.address, user="ada", password="guess")
    assert "guess" not in str(caught.value)


def test_there_are_never_more_connections_than_allowed(running_q: RunningQ) -> None:
    settings = EngineSettings(
        8, LIMITS, address=running_q.address, user="ada", password="secret", max_connections=1
    )
    engine = open_engine("kdb_ipc", settings)
    try:
        counts = "{count .z.H}"
        found = run_all(engine, [counts, "{x}", "{x+1}", "{x+2}"])
    finally:
        engine.close()

    assert found[counts].calls[0].value == {"t": -7, "v": 1}
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "address"),
    [("kdb:5000", ("kdb", 5000)), ("5000", ("localhost", 5000)), ("[::1]:5000", ("::1", 5000))],
)
def test_addresses_are_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize("text", ["", "kdb", "kdb:0", "kdb:70000", "kdb:q"])
def test_an_address_that_is_none_is_one_sentence(text: str) -> None:
    with pytest.raises(EngineUnavailable, match="is no address of a kdb"):
        read_address(text)
