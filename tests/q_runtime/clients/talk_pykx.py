"""What PyKX without a licence does with our server, in its default settings: `talk_pykx.py PORT`.

A lambda reaches Python as its text, so that it cannot be sent back as a function. See test_real_clients.py.
"""

from __future__ import annotations

import asyncio
import math
import sys
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
import pandas as pd
import pykx as kx
from report import Report, failure

PORT = int(sys.argv[1])
MOMENT = datetime.fromisoformat("2024-01-02T03:04:05.123456")  # without a zone, as in q
GUID = "8c6b8b64-6815-6084-0a3e-178401251b68"

FROM_Q = {
    "1b": True, "0x0a": 10, "3h": 3, "4i": 4, "5": 5, "1.5e": 1.5, "2.5": 2.5, '"a"': b"a", "`abc": "abc", "`": "",
    "2024.01.02D03:04:05.123456": MOMENT,
    "2024.03m": date(2024, 3, 1), "2024.01.02": date(2024, 1, 2),
    "0D01:02:03": timedelta(hours=1, minutes=2, seconds=3), "12:30": timedelta(hours=12, minutes=30),
    "12:30:01": timedelta(hours=12, minutes=30, seconds=1),
    "12:30:01.500": timedelta(hours=12, minutes=30, seconds=1, milliseconds=500), f'"G"$"{GUID}"': UUID(GUID),
    "0N": pd.NA, "0n": math.nan, "0Nd": pd.NaT, "0Np": pd.NaT, "0w": math.inf,
    "101b": [True, False, True], "0x0102": [1, 2], "1 2h": [1, 2], "1 2i": [1, 2], "til 3": [0, 1, 2],
    "1 2e": [1.0, 2.0], "1 2.5": [1.0, 2.5], '"abc"': b"abc", '""': b"", "`a`b": ["a", "b"], "til 0": [], "()": [],
    "2024.01.02 2024.01.03": [date(2024, 1, 2), date(2024, 1, 3)], "enlist 0D00:00:05": [timedelta(seconds=5)],
    "12:30 12:31": [timedelta(minutes=750), timedelta(minutes=751)],
    f'enlist"G"$"{GUID}"': [UUID(GUID)], '(1;`a;"s")': [1, "a", b"s"], "(1 2;3 4)": [[1, 2], [3, 4]],
    '("ab";"cd")': [b"ab", b"cd"], "`a`b!1 2": {"a": 1, "b": 2}, "`s#`a`b!1 2": {"a": 1, "b": 2},
    "(1 2!`x`y)": {1: "x", 2: "y"}, "([]a:1 2;b:`x`y)": {"a": [1, 2], "b": ["x", "y"]},
    "([k:1 2]v:3 4)": {(1,): {"v": 3}, (2,): {"v": 4}}, "::": None, "{x+y}": b"{x+y}", "a:5": None, "7": 7,
}  # fmt: skip
"""Values by q text, as their `py()` gives them."""

FUNCTIONS = {
    "+": "Operator", "count": "UnaryPrimitive", "+/": "Over", "sums": "Scan", "+\\:": "EachLeft", "(')": "Iterator",
}  # fmt: skip

FROM_PYTHON = [
    (True, -1), (5, -7), (1.5, -9), ("abc", -11), (b"abc", 10), (b"a", -10), (b"", 10), (None, 101),
    ([1, 2], 0), ([b"a", b"b"], 0), ([1, "a", 2.5], 0), ([], 0), ([[1, 2], [3, 4]], 0),
    ({"a": 1, "b": 2}, 99), ({}, 99), (date(2024, 1, 2), -14), (MOMENT, -12),
    (timedelta(seconds=5), -16), (UUID(GUID), -2),
]  # fmt: skip
"""Python values with the q type that PyKX sends without a licence."""

ARRAYS = [
    (np.array([True, False]), 1), (np.array([1, 255], "u1"), 4), (np.array([1, 2], "i2"), 5),
    (np.array([1, 2], "i4"), 6),
    (np.array([1, 2]), 7), (np.array([1.5], "f4"), 8), (np.array([1.5, np.nan]), 9),
    (np.array(["2024-01"], "M8[M]"), 13),
    (np.array(["2024-01-02"], "M8[D]"), 14), (np.array(["2024-01-02", "NaT"], "M8[ns]"), 12),
    (np.array([5], "m8[ns]"), 16), (np.array([5], "m8[s]"), 18), (np.array([5], "m8[ms]"), 19),
]  # fmt: skip


def values(report: Report, q: kx.SyncQConnection) -> None:
    """Every type that PyKX knows, in both directions."""
    for text, wanted in FROM_Q.items():
        report.same(wanted, lambda text: q(text).py(), text)
    for text, wanted in FUNCTIONS.items():
        report.same(wanted, lambda text: type(q(text)).__name__, text)
        report.same(True, lambda text: q("{x~(" + text + ")}", q(text)).py(), text)
    report.same("Projection", lambda: type(q("{x+y}[1]")).__name__)
    report.same(3, lambda: q("{x y}", q("+[1]"), 2).py())
    for value, type_number in FROM_PYTHON:
        report.same(value, lambda value: q("{x}", value).py(), value)
        report.same(type_number, lambda value: q("type", value).py(), value)
    for array, type_number in ARRAYS:
        report.same(array.tolist(), lambda array: q("{x}", array).np().tolist(), array)
        report.same(type_number, lambda array: q("type", array).py(), array)
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [1.5, 2.5]})
    report.same(frame, lambda: q("{x}", frame).pd())
    report.same(98, lambda: q("type", frame).py())


def calls(report: Report, q: kx.SyncQConnection) -> None:
    """Arguments, names, errors, asynchronous messages, large results."""
    report.same(36, lambda: q("{[a;b;c;d;e;f;g;h]a+b+c+d+e+f+g+h}", *range(1, 9)).py())
    report.same([1, 2, 3], lambda: q("{x+til y}", 1, 3).py())
    report.same(5, lambda: q("+", 2, 3).py())
    report.same(
        55,
        lambda: (
            q("testfunc: {[n]\n  / n-th\n  $[n<2;n;.z.s[n-1]+.z.s[n-2]]}"),
            q("testfunc", 10).py(),
        )[1],
    )
    report.same([0, 1, 2], lambda: q.til(3).py())
    report.same(7, lambda: (q.__setitem__("kept", 7), q["kept"].py())[1])
    report.same("::", lambda: str(q("later:9", wait=False)))
    report.same(9, lambda: q("later").py())
    report.same(failure("QError", "type"), q, "1+`")
    report.same(failure("QError", "nosuch"), q, "nosuch")
    report.same(failure("QError", "x" * 256), q, "'\"" + "x" * 256 + '"')
    report.same(499999500000, lambda: int(q("til 1000000").np().sum()))


def connections(report: Report) -> None:
    """Connections of each kind, users, and what comes after the end."""
    with kx.SyncQConnection(port=PORT, username="ada", password="secret") as q:
        report.same("ada", lambda: q(".z.u").py())
    report.same(failure("RuntimeError", "Attempted to use a closed IPC connection"), q, "1+1")
    with kx.SyncQConnection(port=PORT, unix=True, no_ctx=True) as q:
        report.same(2, lambda: q("1+1").py())

    async def together() -> list[int]:
        async with kx.AsyncQConnection("localhost", PORT) as q:
            return [
                result.py() for result in await asyncio.gather(*(q("{x*x}", i) for i in range(5)))
            ]

    report.same([0, 1, 4, 9, 16], lambda: asyncio.run(together()))
    with kx.SyncQConnection(port=PORT) as q:
        q('.z.pw:{[u;p]p~"secret"}')
        report.same("PyKXException", refusal)
        q("delete pw from `.z")


def refusal() -> str:
    """The type of the error after a wrong password."""
    try:
        kx.SyncQConnection(port=PORT, username="ada", password="wrong")
    except Exception as error:  # noqa: BLE001  what it is is the question
        return type(error).__name__
    return "none"


if __name__ == "__main__":
    made = Report()
    with kx.SyncQConnection("localhost", PORT) as connection:
        values(made, connection)
        calls(made, connection)
    connections(made)
    made.finish()
