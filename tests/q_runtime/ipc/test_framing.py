"""Logins, capabilities and the cutting of a stream into messages."""

from __future__ import annotations

import struct

import pytest

from q_runtime.ipc.credentials import Credentials
from q_runtime.ipc.framing import (
    BadFrame,
    Inbox,
    Login,
    common,
    login_bytes,
    message_length,
    read_login,
)
from q_runtime.ipc.listening import LOOPBACK, Place, read_place


def test_a_login_is_read_with_its_capability_and_without() -> None:
    # What PyKX, qpython3 and kola send, as seen on a socket.
    assert read_login(b":\x06\0") == (Login("", "", 6), 3)
    assert read_login(b"unknown:\x06\0rest") == (Login("unknown", "", 6), 10)
    assert read_login(b"ada:pass:word\0") == (Login("ada", "pass:word", None), 14)
    assert read_login(b"ada:pa") is None


def test_our_own_login_is_read_back() -> None:
    login, size = read_login(login_bytes("ada", "secret")) or (None, 0)

    assert login is not None
    assert (login.user, login.password, size) == ("ada", "secret", 12)


def test_a_login_without_an_end_is_refused() -> None:
    with pytest.raises(BadFrame):
        read_login(b"x" * 5000)
    with pytest.raises(ValueError, match="zero byte"):
        login_bytes("a\0b", "")


@pytest.mark.parametrize(("asked", "answered"), [(None, 0), (0, 0), (1, 1), (3, 3), (4, 3), (6, 5)])
def test_the_answer_is_what_both_sides_can(asked: int | None, answered: int) -> None:
    assert common(asked) == answered


def test_a_length_beyond_four_gigabytes_uses_byte_three() -> None:
    assert message_length(b"\1\2\0\1" + struct.pack("<I", 16)) == (1 << 32) + 16
    assert message_length(b"\1\2\0\0" + struct.pack("<I", 0xFFFFFFF0)) == 0xFFFFFFF0
    assert message_length(b"\0\2\0\0" + struct.pack(">I", 300)) == 300


@pytest.mark.parametrize(
    "head", [b"GET / HT", b"\2\0\0\0\x10\0\0\0", b"\1\3\0\0\x10\0\0\0", b"\1\1\0\0\x08\0\0\0"]
)
def test_what_is_no_header_is_refused(head: bytes) -> None:
    with pytest.raises(BadFrame):
        message_length(head)


def test_messages_come_out_whole_however_the_bytes_come_in() -> None:
    messages = [b"\1\1\0\0" + struct.pack("<I", 8 + n) + b"x" * n for n in (1, 5, 300)]
    inbox, out = Inbox(1000), []
    for byte in b"".join(messages):
        inbox.add(bytes([byte]))
        message = inbox.take()
        out += [message] if message is not None else []

    assert out == messages


def test_a_message_that_is_too_long_is_refused_by_its_header() -> None:
    inbox = Inbox(1000)
    inbox.add(b"\1\1\0\0" + struct.pack("<I", 1001))

    with pytest.raises(BadFrame, match="longer than 1000"):
        inbox.is_whole()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("5000", Place(LOOPBACK, range(5000, 5001))),
        ("0.0.0.0:5000", Place("0.0.0.0", range(5000, 5001))),
        ("localhost:0W", Place("localhost", range(1))),
        ("0", Place(LOOPBACK, range(1))),
        ("5000/5002", Place(LOOPBACK, range(5000, 5003))),
        ("rp,5000", Place(LOOPBACK, range(5000, 5001), True)),
    ],
)
def test_the_argument_of_p_is_that_of_kdb(text: str, place: Place) -> None:
    assert read_place(text) == place


@pytest.mark.parametrize("text", ["-5000", "nosuchservice", "70000", "5002/5000", "5000/x", ""])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        read_place(text)


def test_a_file_of_users_holds_plain_md5_and_sha1_passwords() -> None:
    # The digests of "secret" are those of md5sum and sha1sum.
    users = Credentials(
        "ada:secret\nbob:5ebe2294ecd0e0f08eab7690d2a6ee69\n"
        "cy:e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4\nnonsense\n"
    )

    assert users.admits("ada", "secret")
    assert users.admits("bob", "secret")
    assert users.admits("cy", "secret")
    assert not users.admits("ada", "Secret")
    assert not users.admits("bob", "5ebe2294ecd0e0f08eab7690d2a6ee69")
    assert not users.admits("nonsense", "")
