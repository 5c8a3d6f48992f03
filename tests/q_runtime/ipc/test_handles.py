"""Two q processes that talk: `hopen`, calls, asynchronous messages, calls back; and every type over the wire."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from q_runtime import Session
from q_runtime.ipc import Connection, connect
from tests.q_runtime.ipc.conftest import Served

VALUES = [
    "1b", "10b", "0x0a", "0x0a0b", "3h", "0N -0W 0Wh", "3i", "0N -0W 0Wi", "0N", "0N -0W 0W 5", "1.5e", "0N 1.5e",
    "0n", "0n -0w 0w 1.5", '"a"', '"abc"', '""', "`", "`abc", "`a`b`", "2024.01.02D03:04:05.123456789", "0N 0Wp",
    "2024.01m", "2024.01.02", "2024.01.02 0Nd", "12:30", "12:30:01", "12:30:01.500", "0D01", "0Nn", "2024.01.02T01",
    '"G"$"8c6b8b64-6815-6084-0a3e-178401251b68"', "()", '(1;`a;"s")', "`a`b!1 2", "(1 2;`a)!(3 4;5)", "`s#`a`b!1 2",
    "([]a:1 2;b:`x`y)", "([k:1 2]v:3 4.)", "`s#1 2 3", "`u#`a`b", "`p#1 1 2", "`g#1 2 1", "([]a:();b:())", "til 0",
    "`int$()", "{x+y}", "+", "+/", "sums", "+[1]", "count", "::", "{x+y}[;2]", "('[neg;+])", "mod", "(')",
]  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Connection, Connection, int]]:
    """Connections to two processes, and the handle by which the first holds the second."""
    first, second = Served(), Served()
    with connect(port=first.port, timeout=60) as one, connect(port=second.port, timeout=60) as two:
        one.sync(f"h:hopen {second.port}")
        yield one, two, second.port
    first.end()
    second.end()


def until(q: Connection, name: str, value: object) -> None:
    """Ask for a variable until it has a value."""
    deadline = time.monotonic() + 60
    while q.sync(f"@[get;`{name};0]") != value:
        assert time.monotonic() < deadline, f"{name} never became {value}"


Pair = tuple[Connection, Connection, int]


@pytest.mark.parametrize("text", VALUES)
def test_every_value_travels_between_two_processes(pair: Pair, text: str) -> None:
    one, _, _ = pair

    assert one.sync(f"({text})~h({{x}};{text})") is True
    assert one.sync(f".Q.s1 h({{x}};{text})") == one.sync(f".Q.s1 ({text})")


@pytest.mark.parametrize("text", VALUES)
def test_the_client_gives_the_value_that_the_session_has(pair: Pair, text: str) -> None:
    one, _, _ = pair

    assert one.sync_wire(f"({text})") == Session().evaluate_wire(f"({text})")


def test_a_handle_calls_sends_and_signals(pair: Pair) -> None:
    one, two, _ = pair

    assert one.sync('h"1+1"') == 2
    assert one.sync("h({x+y};1;2)") == 3
    assert one.sync('neg[h]"a:5"') is None
    assert one.sync('h"a"') == 5
    assert one.sync('@[h;"1+`";{"caught ",x}]') == "caught type"
    assert one.sync(".z.H~asc .z.w,h") is True
    assert two.sync("a") == 5


def test_the_other_side_calls_back(pair: Pair) -> None:
    one, two, _ = pair
    one.sync("twice:{2*x};seen:{got::x}")
    two.sync("ask:{.z.w(`twice;x)};push:{neg[.z.w](`seen;x)}")

    assert one.sync("h(`ask;21)") == 42
    one.sync("neg[h](`push;7)")
    one.sync('h"::"')  # by then the message has come
    until(one, "got", 7)


def test_empty_brackets_wait_for_a_message_and_do_not_evaluate_it(pair: Pair) -> None:
    one, _, _ = pair

    assert one.sync('neg[h]"neg[.z.w](1;`later)"; h[]') == [1, "later"]
    assert one.sync('neg[h]({neg[.z.w] .z.w"x+1"; neg[.z.w]`end};0); x:41; (h[];h[])') == [
        "end",
        42,
    ]


def test_a_closed_handle_is_an_error(pair: Pair) -> None:
    one, two, port = pair
    one.sync(f"g:hopen(`::{port};5000)")
    handle = one.sync("g")
    one.sync('neg[g]"kept:1"')
    one.sync("hclose g")

    assert one.sync('@[g;"1";::]') == (
        f"Cannot write to handle {handle}. OS reports: Bad file descriptor"
    )
    until(two, "kept", 1)


def test_a_connection_that_cannot_be_made_says_why(pair: Pair) -> None:
    one, two, port = pair
    two.sync('.z.pw:{[u;p]p~"secret"}')

    assert one.sync("@[hopen;`:localhost:1;::]") == "hop. OS reports: Connection refused"
    assert one.sync(f'@[hopen;`$":localhost:{port}:ada:wrong";::]') == "access"
    assert one.sync(f'(hopen `$":localhost:{port}:ada:secret")".z.u"') == "ada"
    assert one.sync("@[hopen;1b;::]") == "type"
    two.sync("delete pw from `.z")


def test_a_process_that_goes_away_is_an_error_and_told_of() -> None:
    first, second = Served(), Served()
    with connect(port=first.port, timeout=60) as one:
        one.sync(f".z.pc:{{gone::x}};h:hopen {second.port}")
        second.process.kill()
        second.process.wait()
        assert one.sync('@[h;"1+1";::]') in (
            "close",
            f"Cannot write to handle {one.sync('h')}. OS reports: Bad file descriptor",
        )
        until(one, "gone", one.sync("h"))
    second.end()
    first.end()


def test_a_session_that_no_host_serves_has_no_connections() -> None:
    session = Session()

    assert session.console("hopen 5000") == "'access"
    assert session.console('5 "1+1"') == "'access"
    assert session.denied == ("hopen", "handle 5")
