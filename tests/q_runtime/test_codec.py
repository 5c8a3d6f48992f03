"""kdb+'s binary form: what KX documents as bytes, round trips, and hostile messages."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from q_runtime import QError, Session
from q_runtime.values.codec import decode, encode, encode_error
from q_runtime.values.compression import compress, expand
from q_runtime.values.functions import Lambda
from q_runtime.values.vectors import Atom, GList, Value, bytes_string, longs, vector


def a_lambda(source: str, namespace: str) -> Value:
    return Lambda(source, (), namespace)


def a_primitive(name: str) -> Value:
    return Atom(-11, name)


def read(data: bytes) -> Value:
    return decode(data, a_lambda, a_primitive)


# The dumps are those of KX kb/serialization (CC BY 4.0), written as text.
DUMPS = [
    ("1i", "010000000d000000fa01000000"),
    ("enlist 1i", "010000001200000006000100000001000000"),
    ("`a`b!2 3i", "0100000021000000630b0002000000610062000600020000000200000003000000"),
    ("{x+y}", "010000001500000064000a00050000007b782b797d"),
    ("`byte$til 5", "01000000130000000400050000000001020304"),
    ("`byte$enlist til 5", "01000000190000000000010000000400050000000001020304"),
    ("`s#`a`b!2 3i", "01000000210000007f0b0102000000610062000600020000000200000003000000"),
    ("`a`b!enlist each 2 3i",
     "010000002d000000630b0002000000610062000000020000000600010000000200000006000100000003000000"),
    ("([]a:enlist 2i;b:enlist 3i)",
     "010000002f0000006200630b0002000000610062000000020000000600010000000200000006000100000003000000"),
    ("`s#([]a:enlist 2i;b:enlist 3i)",
     "010000002f0000006201630b0002000000610062000000020000000603010000000200000006000100000003000000"),
    ("([a:enlist 2i]b:enlist 3i)",
     "010000003f000000636200630b00010000006100000001000000060001000000020000006200630b00010000006200000001"
     "00000006000100000003000000"),
    ("`s#([a:enlist 2i]b:enlist 3i)",
     "010000003f0000007f6201630b00010000006100000001000000060001000000020000006200630b00010000006200000001"
     "00000006000100000003000000"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "dump"), DUMPS)
def test_a_value_has_the_documented_bytes(text: str, dump: str) -> None:
    assert Session().eval(f"raze string -8!{text}") == dump


# What a kdb+ 3 sent for these, without the header: facts recorded by the authors of a client (qPython, Apache-2.0).
RECORDED = [
    ("::", "6500"), ("not", "650f"), ("and", "6605"), ("raze", "6b660c"), ("sums", "6c6601"), ("prev", "6d6600"),
    ("md5", "68020000006610f9f1ffffffffffffff"), ("any", "6902000000651c6802000000660bf662"),
    ("xbar", "6471000a00240000006b297b782a792064697620783a245b3136683d6162735b40785d3b226a2224783b785d7d"),
    ("{x+y}[3]", "680200000064000a00050000007b782b797df90300000000000000"),
    ("insert[1]", "6802000000661cf90100000000000000"), ("0n", "f7000000000000f87f"), ("0Ne", "f80000c07f"),
    ("0Nz", "f1000000000000f87f"), ("2000.01.04T05:36:57.600", "f1ac1c5a643bdf0940"),
    ("0Ng", "fe00000000000000000000000000000000"),
    ("2001.01.01 2000.05.01 0Nd", "0e00030000006e0100007900000000000080"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "dump"), RECORDED)
def test_a_value_has_the_bytes_that_a_kdb_sent(text: str, dump: str) -> None:
    assert Session().eval(f"raze string 8_-8!({text})") == dump


@pytest.mark.parametrize(
    "text",
    [
        "sums",
        "raze",
        "prev",
        "deltas",
        "and",
        "mod",
        "xbar",
        "signum",
        "count",
        "first",
        "+",
        "+/",
        "{x+y}[1]",
        "{x}",
    ],
)
def test_a_function_that_travelled_matches_itself(text: str) -> None:
    assert Session().console(f"({text})~-9!-8!({text})") == "1b"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(-9!-8!{x+y}[1])2", "3"), ("(-9!-8!{x+y+z}[1;;3])2", "6"), ("(-9!-8!(+[1]))2", "3"),
        ("(-9!-8!any)101b", "1b"),
        ("(-9!-8!ceiling)1.5", "2"), ("(-9!-8!differ)1 1 2", "101b"), ("(-9!-8!xbar)[5;12]", "10"),
        ("(-9!-8!attr)`s#1 2", "`s"), ("(-9!-8!upsert)[1 2;3]", "1 2 3"), ("(-9!-8!('[neg;+]))[1;2]", "-3"),
    ],
)  # fmt: skip
def test_a_function_that_travelled_can_be_applied(text: str, result: str) -> None:
    assert Session().console(text) == result


EVERY_TYPE = [
    "1b", "10b", "0x0a", "0x0a0b", "3h", "0N -0W 0Wh", "3i", "0N -0W 0Wi", "0N", "0N -0W 0W 5", "1.5e", "0N 1.5e",
    "0n", "0n -0w 0w 1.5", '"a"', '"abc"', '""', "`", "`abc", "`a`b`", "2024.01.02D03:04:05.123456789", "0N 0Wp",
    "2024.01m", "2024.01.02", "2024.01.02 0Nd", "12:30", "12:30:01", "12:30:01.500", "0D01", "0Nn", "2024.01.02T01",
    '"G"$"8c6b8b64-6815-6084-0a3e-178401251b68"', "()", "(1;`a;\"s\")", "`a`b!1 2", "(1 2;`a)!(3 4;5)",
    "([]a:1 2;b:`x`y)", "([k:1 2]v:3 4.)", "`s#1 2 3", "`u#`a`b", "`p#1 1 2", "`g#1 2 1", "([]a:();b:())",
    "til 0", "`int$()",
]  # fmt: skip


@pytest.mark.parametrize("text", EVERY_TYPE)
def test_every_type_comes_back_the_same(text: str) -> None:
    session = Session()

    assert session.console(f".Q.s1 -9!-8!{text}") == session.console(f".Q.s1 {text}")
    assert session.console(f"type -9!-8!{text}") == session.console(f"type {text}")


@pytest.mark.parametrize(
    "text", ["{x+y}", "+", "+/", "(+\\)", "+[1]", "count", "first", "::", "{x+y}[;2]", "('[neg;+])"]
)
def test_a_function_comes_back_the_same(text: str) -> None:
    session = Session()

    assert session.console(f"-9!-8!({text})") == session.console(f"({text})")


def test_a_function_keeps_its_namespace() -> None:
    session = Session()
    session.eval_script("\\d .d\ntest:{x+y}\n\\d .")

    assert session.console("-8!.d.test") == "0x01000000160000006464000a00050000007b782b797d"


def test_the_length_counts_the_header() -> None:
    session = Session()

    assert session.eval("-22!1 2 3") == session.eval("count -8!1 2 3") == 38


def test_compression_gives_what_kdb_gives() -> None:
    # KX basics/internal documents 3276 bytes for `-18!til 1000`, 8014 without compression.
    plain = encode(longs(range(1000)))
    packed = compress(plain)

    assert (len(plain), len(packed)) == (8014, 3276)
    assert expand(packed) == plain


def test_what_does_not_shrink_stays_as_it_is() -> None:
    plain = encode(bytes_string(bytes(range(256)) * 2))

    assert compress(encode(longs([1, 2, 3]))) == encode(longs([1, 2, 3]))
    assert expand(compress(plain)) == plain if compress(plain)[2] else compress(plain) == plain


def test_a_big_endian_message_is_read() -> None:
    message = struct.pack(">BBBBI", 0, 0, 0, 0, 13) + b"\xfa" + struct.pack(">i", 7)

    assert read(message).v == 7


def test_an_error_message_signals_its_error() -> None:
    with pytest.raises(QError) as caught:
        read(encode_error("length"))

    assert caught.value.code == "length"


@given(st.binary(max_size=60))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_arbitrary_bytes_are_a_bad_message(data: bytes) -> None:
    assert outcome(data) in ("badmsg", "value")


@given(st.binary(max_size=60), st.sampled_from([b"\1\0\0\0", b"\0\0\0\0", b"\1\0\1\0"]))
@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_true_header_before_arbitrary_bytes_is_no_danger(body: bytes, head: bytes) -> None:
    order = "<" if head[0] else ">"
    message = head + struct.pack(order + "I", 8 + len(body)) + body

    assert outcome(message) in ("badmsg", "value", "error")


SCALARS = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=5).map(
        lambda s: Atom(-11, s)
    ),
)
VALUES = st.recursive(
    SCALARS | st.lists(st.integers(-9, 9)).map(longs) | st.binary(max_size=9).map(bytes_string),
    lambda inner: st.lists(inner, max_size=4).map(GList),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_survives_the_trip(value: Value) -> None:
    message = encode(value)

    assert encode(read(message)) == message
    assert expand(compress(message)) == message if compress(message)[2] else True


@given(VALUES, st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_message_is_bad_or_another_value(value: Value, data: st.DataObject) -> None:
    message = bytearray(encode(value))
    message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))

    assert outcome(bytes(message)) in ("badmsg", "value", "error")


def outcome(message: bytes) -> str:
    """Read a message; says whether it was bad, gave a value, or carried an error."""
    try:
        read(message)
    except QError as error:
        return "badmsg" if error.code == "badmsg" else "error"
    return "value"


def test_a_deep_nest_of_lists_is_a_bad_message() -> None:
    body = b"\0\0\1\0\0\0" * 2000 + b"\xff\1"

    assert outcome(struct.pack("<BBBBI", 1, 0, 0, 0, 8 + len(body)) + body) == "badmsg"


def test_nan_keeps_its_bits() -> None:
    assert math.isnan(read(encode(math.nan)))
    assert encode(vector(9, [math.nan]))[-8:].hex() == "000000000000f87f"
