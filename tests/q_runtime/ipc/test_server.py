"""The server over real sockets: messages, handlers, logins, several clients, the console beside it."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from q_runtime import QError
from q_runtime.ipc import AccessRefused, ConnectionLost, NoAnswer, Unreachable, connect
from tests.q_runtime.ipc.conftest import ROOT, Served

Start = Callable[..., Served]

PYKX_PROBE = (
    'k){x:. x;$[99h<@x;:`$"_pykx_fn_marker";99h~@x;if[` in!x;if[(::)~x`;:`$"_pykx_ctx_marker"]]]x}'
)


def test_a_query_is_text_or_a_call_and_an_assignment_answers_nothing(served: Served) -> None:
    with connect(port=served.port, timeout=30) as q:
        assert q.sync("1+1") == 2
        assert q.sync("{x+y}", 1, [2, 3]) == [3, 4]
        assert q.sync("a:5") is None
        assert q.sync("a") == 5
        assert q.sync("7") == 7  # one character, which PyKX sends as an atom
        assert q.sync("+", 2, 3) == 5


def test_code_with_line_ends_and_comments_is_one_query(served: Served) -> None:
    with connect(port=served.port, timeout=30) as q:
        q.sync("f:{[x]\n  / twice\n  y:x*2; // really\n  y}\n")

        assert q.sync("f", 4) == 8


def test_an_error_comes_back_with_its_name(served: Served) -> None:
    with connect(port=served.port, timeout=30) as q:
        for query, code in [
            ("1+`", "type"),
            ("nosuch", "nosuch"),
            ("'`own", "own"),
            ('\'"two words"', "two words"),
        ]:
            with pytest.raises(QError) as caught:
                q.sync(query)
            assert caught.value.code == code
        with pytest.raises(QError) as caught:
            q.sync([1, 2])

    assert caught.value.code == "type"


def test_a_gap_of_the_engine_says_so_and_cannot_be_trapped(served: Served) -> None:
    with connect(port=served.port, timeout=30) as q, pytest.raises(QError, match="unsupported"):
        q.sync("@[{-8!x};aj;0]")


def test_what_pykx_asks_when_it_connects_is_answered(served: Served) -> None:
    with connect(port=served.port, timeout=30) as q:
        from q_runtime.values.vectors import symbol

        assert q.sync(PYKX_PROBE, symbol(".q")) == "_pykx_ctx_marker"
        assert "til" in q.sync("key", symbol(".q"))
        assert q.sync("@[{2<count .s};(::);{0b}]") is False


def test_asynchronous_messages_are_evaluated_in_order_and_before_the_end(served: Served) -> None:
    with connect(port=served.port, timeout=30) as q:
        q.send("seen:()")
        for i in range(20):
            q.send("{seen,:x}", i)
    with connect(port=served.port, timeout=30) as q:
        assert q.sync("seen") == list(range(20))


def test_handlers_stand_before_the_evaluation(serve: Start) -> None:
    served = serve()
    with connect(port=served.port, user="ada", timeout=30) as q:
        q.sync(".z.po:{opened::(x;.z.u)};.z.pc:{closed::x};got:();.z.ps:{got,:enlist x}")
        q.send("1+1")
        with connect(port=served.port, user="bob", timeout=30) as other:
            handle = other.sync(".z.w")
            assert other.sync(".z.u,`x") == ["bob", "x"]
            assert other.sync(".z.H") == [q.sync(".z.w"), handle]
        assert q.sync("opened") == [handle, "bob"]
        while (
            q.sync("@[get;`closed;0]") != handle
        ):  # the server learns of the end when it looks next
            pass
        assert q.sync("got") == ["1+1"]
        q.sync(".z.pg:{(.z.u;x)}")
        assert q.sync("anything") == ["ada", "anything"]


def test_a_message_leaves_the_namespace_of_the_console(serve: Start) -> None:
    served = serve()
    served.type("\\d .abc")
    served.type("v:1")
    with connect(port=served.port, timeout=30) as q:
        assert q.sync(".abc.v") == 1
        q.sync("w:2")
        q.sync('system"d .other"')
        assert q.sync("w") == 2
    served.type("v")

    assert served.line() == "1"


def test_a_login_is_checked_by_the_file_and_by_the_handler(serve: Start, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ada:secret\nbob:hush\n")
    served = serve("-U", str(users))

    with pytest.raises(AccessRefused, match="refuses user 'ada'"):
        connect(port=served.port, user="ada", password="wrong", timeout=30)
    with connect(port=served.port, user="ada", password="secret", timeout=30) as q:
        q.sync('.z.pw:{(x=`ada)&y~"secret"}')
        with pytest.raises(AccessRefused):
            connect(port=served.port, user="bob", password="hush", timeout=30)
        q.sync(".z.pw:{1+`}")
        with pytest.raises(AccessRefused):
            connect(port=served.port, user="ada", password="secret", timeout=30)


def test_several_clients_share_one_session(served: Served) -> None:
    clients = [connect(port=served.port, timeout=30) for _ in range(10)]
    clients[0].sync("n:0")
    for _ in range(5):
        for q in clients:
            q.send("n+:1")
    for q in clients:  # everybody's own messages are evaluated in order
        q.sync("::")

    assert clients[0].sync("n") == 50
    for q in clients:
        q.close()


def test_a_large_value_travels_both_ways(served: Served) -> None:
    with connect(port=served.port, timeout=60) as q:
        values = list(range(200_000))

        assert q.sync("reverse", values) == values[::-1]


def test_a_slow_reader_does_not_stop_the_others(served: Served) -> None:
    slow = socket.create_connection(("127.0.0.1", served.port))
    slow.sendall(b":\x03\0")
    assert slow.recv(1) == b"\3"
    query = b"til 3000000"
    body = b"\x0a\0" + struct.pack("<i", len(query)) + query
    slow.sendall(b"\1\1\0\0" + struct.pack("<I", 8 + len(body)) + body)
    with connect(port=served.port, timeout=30) as q:
        while not any(q.sync("value .z.W")):  # the response waits in the server
            pass
        assert q.sync("1+1") == 2
    left = 8 + 6 + 24_000_000
    while left:
        left -= len(slow.recv(min(left, 1 << 20)))
    slow.close()


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 6000,
        b":\3\0" + b"\7" * 20,
        b":\3\0\1\1\0\0\xff\xff\xff\xff",
        b"",
    ],
)
def test_a_stray_connection_is_closed_and_the_others_live(
    served: Served, bytes_sent: bytes
) -> None:
    stray = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    stray.sendall(bytes_sent)
    stray.shutdown(socket.SHUT_WR)
    while stray.recv(4096):
        pass
    stray.close()

    with connect(port=served.port, timeout=30) as q:
        assert q.sync("1+1") == 2


def test_a_damaged_message_is_an_error_and_the_connection_lives(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
        raw.sendall(b":\3\0")
        raw.recv(1)
        raw.sendall(b"\1\1\0\0" + struct.pack("<I", 12) + b"\x07\0\xff\xff")
        answer = raw.recv(100)
        raw.sendall(b"\1\1\0\0" + struct.pack("<I", 15) + b"\x0a\0\1\0\0\0" + b"7")
        second = raw.recv(100)

    assert answer[8:] == b"\x80badmsg\0"
    assert second[8:] == b"\xf9" + struct.pack("<q", 7)


def test_a_big_endian_client_is_understood(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
        raw.sendall(b":\3\0")
        raw.recv(1)
        raw.sendall(b"\0\1\0\0" + struct.pack(">I", 17) + b"\x0a\0" + struct.pack(">i", 3) + b"2+3")

        assert raw.recv(100)[8:] == b"\xf9" + struct.pack("<q", 5)


def test_uniform_lists_are_collapsed_where_that_is_asked_for(serve: Start) -> None:
    from q_runtime.values.vectors import GList, string

    one, two = string("f"), string("g")
    letters = GList([one.atoms[0], two.atoms[0]])
    call = GList([string("{type each (x;y)}"), GList([1, 2]), letters])
    for value, types in [("0", [0, 0]), ("1", [7, 10])]:
        with connect(port=serve(Q_RUNTIME_COLLAPSE=value).port, timeout=30) as q:
            assert q.sync(call) == types


def test_the_console_lives_beside_the_port(serve: Start) -> None:
    served = serve()
    served.type("x:41")
    with connect(port=served.port, timeout=30) as q:
        q.sync("x+:1;show `shown")
    assert served.line() == "`shown"
    served.type("x")
    assert served.line() == "42"
    served.type("\\p")
    assert served.line() == f"{served.port}i"
    served.type("exit 3")

    assert served.process.wait(timeout=60) == 3


def test_it_serves_on_when_its_input_ends_and_ends_on_a_signal(serve: Start) -> None:
    served = serve()
    assert served.process.stdin is not None
    served.process.stdin.close()
    with connect(port=served.port, timeout=30) as q:
        assert q.sync("1+1") == 2

    assert served.end() == -15


def test_it_listens_before_the_engine_is_loaded() -> None:
    code = (
        "import sys; from q_runtime.ipc.listening import *; listen(read_place('0W')); "
        "import q_runtime.__main__; print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_a_port_that_is_taken_is_an_error(served: Served) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "q_runtime", "-p", str(served.port)], cwd=ROOT, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "in use" in done.stderr


def test_the_unix_socket_of_the_port_serves_too(served: Served) -> None:
    with connect(port=served.port, unix=True, timeout=30) as q:
        assert q.sync(".z.a") == 0


def test_the_time_limit_ends_a_query_and_not_the_server(serve: Start) -> None:
    served = serve("-T", "1")
    with connect(port=served.port, timeout=60) as q:
        with pytest.raises(QError) as caught:
            q.sync("while[1b;1+1]")
        assert caught.value.code == "stop"
        assert q.sync("1+1") == 2


def test_the_client_says_what_is_wrong(serve: Start) -> None:
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    with pytest.raises(Unreachable, match="refused"):
        connect("127.0.0.1", free.getsockname()[1], timeout=30)
    free.close()

    served = serve()
    q = connect(port=served.port, timeout=0.5)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer"):
        q.sync("while[1b;1+1]")
    assert time.monotonic() - began < 30
    with pytest.raises(ConnectionLost, match="closed"):
        q.sync("1+1")


def test_a_server_that_goes_away_is_a_lost_connection(serve: Start) -> None:
    served = serve()
    q = connect(port=served.port, timeout=30)
    served.process.kill()
    served.process.wait()

    with pytest.raises(ConnectionLost):
        q.sync("1+1")
    assert q.is_closed


def test_something_that_is_no_kdb_is_told_apart() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    made: list[socket.socket] = []

    import threading

    def answer() -> None:
        other, _ = listener.accept()
        made.append(other)
        other.recv(100)
        other.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(ConnectionLost, match="does not speak"):
        connect("127.0.0.1", listener.getsockname()[1], timeout=30)
    thread.join()
    made[0].close()
    listener.close()


def test_a_console_begins_to_listen_and_ceases_while_it_runs() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "q_runtime", "-q"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("x:40\n\\p 0W\n\\p\nx+1\n")
        process.stdin.flush()
        port = int(process.stdout.readline().removesuffix("i\n"))
        assert process.stdout.readline() == "41\n"
        with connect(port=port, timeout=60) as q:
            assert q.sync("x+2") == 42
            process.stdin.write("\\p 0\n\\p\n")
            process.stdin.flush()
            assert process.stdout.readline() == "0i\n"
            assert q.sync("x+3") == 43
            with pytest.raises(Unreachable):
                connect(port=port, timeout=60)
        process.stdin.write("exit 5\n")
        process.stdin.flush()
        assert process.wait(timeout=60) == 5


def test_a_port_that_is_taken_is_an_error_of_the_command_and_the_console_lives(
    served: Served,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "q_runtime", "-q"], cwd=ROOT, capture_output=True, text=True, check=False,
        input=f"\\p {served.port}\n1+1\n",
    )  # fmt: skip

    assert "in use" in done.stdout
    assert done.stdout.endswith("2\n")
    assert done.returncode == 0
