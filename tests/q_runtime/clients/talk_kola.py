"""What kola does with our server, in its default settings: `talk_kola.py PORT`. See test_real_clients.py."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import kola
import polars as pl
from report import Report

PORT = int(sys.argv[1])
GUID = "8c6b8b64-6815-6084-0a3e-178401251b68"

FROM_Q = {
    "1b": True, "0x0a": 10, "3h": 3, "4i": 4, "5": 5, "1.5e": 1.5, "2.5": 2.5, '"a"': "a", "`abc": "abc",
    '"abc"': "abc",
    "2024.01.02D03:04:05.123": datetime(2024, 1, 2, 3, 4, 5, 123000, tzinfo=UTC), "2024.03m": date(2024, 3, 1),
    "2024.01.02": date(2024, 1, 2), "2024.01.02T03:04:05": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    "0D01:02:03": timedelta(hours=1, minutes=2, seconds=3), "12:30": time(12, 30), "12:30:01": time(12, 30, 1),
    "12:30:01.500": time(12, 30, 1, 500000), f'"G"$"{GUID}"': GUID, "0N": -(2**63), "0W": 2**63 - 1,
    "101b": [True, False, True], "0x0102": [1, 2], "1 2h": [1, 2], "1 0Ni": [1, None],
    "1 0N": [1, None], "1 2e": [1.0, 2.0], "1 2.5": [1.0, 2.5], "`a`b": ["a", "b"],
    "2024.01.02 0Nd": [date(2024, 1, 2), None],
    "12:30 12:31": [time(12, 30), time(12, 31)], "enlist 0Np": [None], "enlist 0D00:00:05": [timedelta(seconds=5)],
    "til 0": [], "()": [], '(1;`a;"s")': (1, "a", "s"), "(1 2;3 4)": [[1, 2], [3, 4]], '("ab";"cd")': ["ab", "cd"],
    "`a`b!1 2": {"a": 1, "b": 2}, "([]a:1 2;b:`x`y)": {"a": [1, 2], "b": ["x", "y"]},
    '([]s:("ab";"cd");d:2024.01.01 2024.01.02)': {"s": ["ab", "cd"], "d": [date(2024, 1, 1), date(2024, 1, 2)]},
    "([k:1 2]v:3 4)": {"k": [1, 2], "v": [3, 4]}, "::": (), "a:5": (),
}  # fmt: skip
"""Values by q text, as `plain` shows them."""

FROM_PYTHON = [
    (True, True, -1), (5, 5, -7), (1.5, 1.5, -9), ("abc", "abc", -11), (b"abc", "abc", 10), (None, (), 101),
    ([1, "a", 2.5], (1, "a", 2.5), 0), (date(2024, 1, 2), date(2024, 1, 2), -14),
    (timedelta(seconds=5), timedelta(seconds=5), -16),
    (time(12, 30), time(12, 30), -19), ({"a": 1, "b": 2.5}, {"a": 1, "b": 2.5}, 99), (pl.Series([1, 2]), [1, 2], 7),
    (datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC), -12),
    (pl.Series([1.5, None]), [1.5, None], 9), (pl.Series(["x", "y"], dtype=pl.Categorical), ["x", "y"], 11),
    (pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}), {"a": [1, 2], "b": ["x", "y"]}, 98),
]  # fmt: skip
"""Python values, what comes back, and the q type that kola sends."""


def plain(x: Any) -> Any:
    """A value without the classes of Polars."""
    if isinstance(x, pl.Series):
        return x.to_list()
    return x.to_dict(as_series=False) if isinstance(x, pl.DataFrame) else x


def error_of(call: Any, *arguments: Any) -> tuple[str, str]:
    """The type and the text of an error."""
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001  what it is is the question
        return type(error).__name__, str(error)
    return "", ""


def talk(report: Report, q: kola.Q) -> None:
    """Every type that kola knows, in both directions; errors, asynchronous messages, users, a large result."""
    for text, wanted in FROM_Q.items():
        report.same(wanted, lambda text: plain(q.sync(text)), text)
    for value, back, type_number in FROM_PYTHON:
        report.same(back, lambda value: plain(q.sync("{x}", value)), value)
        report.same(type_number, lambda value: q.sync("type", value), value)
    report.same(7, lambda: q.sync("{x+y}", 3, 4))
    kind, text = error_of(q.sync, "1+`")
    report.same(("KolaError", True), lambda: (kind, '"type"' in text))
    q.asyn("later:9")
    report.same(9, lambda: q.sync("later"))
    report.same(499999500000, lambda: q.sync("til 1000000").sum())
    other = kola.Q("localhost", PORT, "ada", "secret")
    other.connect()
    report.same("ada", lambda: other.sync(".z.u"))
    other.disconnect()
    q.sync('.z.pw:{[u;p]p~"secret"}')
    report.same(
        "KolaAuthError", lambda: error_of(kola.Q("localhost", PORT, "ada", "wrong").connect)[0]
    )
    q.sync("delete pw from `.z")


if __name__ == "__main__":
    made = Report()
    connection = kola.Q("localhost", PORT)
    connection.connect()
    talk(made, connection)
    connection.disconnect()
    made.finish()
