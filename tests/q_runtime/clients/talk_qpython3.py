"""What qpython3 does with our server, in its default settings: `talk_qpython3.py PORT`. See test_real_clients.py."""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

import numpy as np
from qpython.qcollection import QDictionary, QKeyedTable, QTable, QTemporalList, qlist, qtable
from qpython.qconnection import QConnection
from qpython.qtemporal import QTemporal, qtemporal
from qpython.qtype import (
    QDATE,
    QDOUBLE_LIST,
    QLONG_LIST,
    QSYMBOL_LIST,
    QLambda,
    QProjection,
)
from report import Report, failure

PORT = int(sys.argv[1])
GUID = "8c6b8b64-6815-6084-0a3e-178401251b68"

FROM_Q = {
    "1b": True, "0x0a": 10, "3h": 3, "4i": 4, "5": 5, "1.5e": 1.5, "2.5": 2.5, '"a"': b"a", "`abc": b"abc",
    f'"G"$"{GUID}"': UUID(GUID), "0N": -(2**63), "0W": 2**63 - 1, "0Nh": -(2**15), "0Ni": -(2**31),
    "2024.01.02D03:04:05.123456789": "2024-01-02T03:04:05.123456789", "2024.03m": "2024-03", "2024.01.02": "2024-01-02",
    "2024.01.02T03:04:05": "2024-01-02T03:04:05.000", "0D01:02:03": "3723000000000 nanoseconds", "12:30": "750 minutes",
    "12:30:01": "45001 seconds", "12:30:01.500": "45001500 milliseconds", "0Np": "NaT", "0Nd": "NaT", "0Nt": "NaT",
    "101b": [True, False, True], "0x0102": [1, 2], "1 2h": [1, 2], "1 2i": [1, 2], "til 3": [0, 1, 2],
    "1 2e": [1.0, 2.0], "1 2.5": [1.0, 2.5], '"abc"': b"abc", '""': b"", "`a`b": [b"a", b"b"], "til 0": [], "()": [],
    f'2#"G"$"{GUID}"': [UUID(GUID), UUID(GUID)], "2024.01.02 0Nd": ["2024-01-02", "NaT"],
    "2024.01 2024.02m": ["2024-01", "2024-02"],
    "12:30 12:31": ["750 minutes", "751 minutes"], "enlist 2024.01.02D00": ["2024-01-02T00:00:00.000000000"],
    '(1;`a;"s")': [1, b"a", b"s"], '("ab";"cd")': [b"ab", b"cd"], "`a`b!1 2": {b"a": 1, b"b": 2},
    "([]a:1 2;b:`x`y)": [(1, b"x"), (2, b"y")], "([k:1 2]v:3 4)": ([(1,), (2,)], [(3,), (4,)]), "::": None, "a:5": None,
}  # fmt: skip
"""Values by q text, as `plain` shows them."""

FUNCTIONS = {
    "{x+y}": "QLambda",
    "+": "QFunction",
    "+/": "QFunction",
    "raze": "QFunction",
    "{x+y}[1]": "QProjection",
}


def plain(x: Any) -> Any:
    """A value without qpython3's own classes."""
    if isinstance(x, QTemporal):
        return str(x.raw)
    if isinstance(x, QTemporalList):
        return [str(item.raw) for item in x]
    if isinstance(x, QDictionary):
        return dict(zip(plain(x.keys), plain(x.values), strict=True))
    if isinstance(x, QKeyedTable):
        return plain(x.keys), plain(x.values)
    if isinstance(x, QTable):
        return [tuple(plain(cell) for cell in row) for row in x]
    if isinstance(x, np.ndarray | list):
        return [plain(item) for item in x]
    return x.item() if isinstance(x, np.generic) else x


def values(report: Report, q: QConnection) -> None:
    """Every type that qpython3 knows, in both directions."""
    for text, wanted in FROM_Q.items():
        report.same(wanted, lambda text: plain(q.sendSync(text)), text)
    for text, wanted in FUNCTIONS.items():
        report.same(wanted, lambda text: type(q.sendSync(text)).__name__, text)
    symbols = qlist(np.array([b"a", b"b"], dtype="S1"), qtype=QSYMBOL_LIST)
    entries = QDictionary(symbols, qlist(np.array([1, 2]), qtype=QLONG_LIST))
    table = qtable(
        [b"a", b"b"], [np.array([1, 2]), np.array([1.0, 2.5])], a=QLONG_LIST, b=QDOUBLE_LIST
    )
    sent: list[tuple[Any, Any, int]] = [
        (True, True, -1), (5, 5, -7), (1.5, 1.5, -9), ("abc", b"abc", 10), (np.bytes_(b"abc"), b"abc", -11),
        (None, None, 101), (UUID(GUID), UUID(GUID), -2), ([1, b"ab", 2.5], [1, b"ab", 2.5], 0),
        (np.array([1, 2]), [1, 2], 7),
        (np.array([1, 2], "i4"), [1, 2], 6), (np.array([1.5]), [1.5], 9), (entries, {b"a": 1, b"b": 2}, 99),
        (table, [(1, 1.0), (2, 2.5)], 98), (qtemporal(np.datetime64("2024-01-02"), qtype=QDATE), "2024-01-02", -14),
    ]  # fmt: skip
    for value, back, type_number in sent:
        report.same(back, lambda value: plain(q.sendSync("{x}", value)), value)
        report.same(type_number, lambda value: plain(q.sendSync("type", value)), value)
    report.same(
        5,
        lambda: plain(
            q.sendSync("{x . y}", QLambda("{x+y}"), qlist(np.array([2, 3]), qtype=QLONG_LIST))
        ),
    )
    report.same(
        5,
        lambda: plain(
            q.sendSync("{x y}", QProjection([QLambda("{x+y}"), np.int64(2)]), np.int64(3))
        ),
    )


def calls(report: Report, q: QConnection) -> None:
    """Errors, asynchronous messages, users, a large result."""
    report.same(failure("QException", "b'type'"), q.sendSync, "1+`")
    q.sendAsync("later:9")
    report.same(9, lambda: plain(q.sendSync("later")))
    report.same(499999500000, lambda: int(q.sendSync("til 1000000").sum()))
    with QConnection(host="localhost", port=PORT, username="ada", password="secret") as other:
        report.same(b"ada", lambda: plain(other.sendSync(".z.u")))
    q.sendSync('.z.pw:{[u;p]p~"secret"}')
    refused = QConnection(host="localhost", port=PORT, username="ada", password="wrong")
    report.same(failure("QAuthenticationException", "Connection denied."), refused.open)
    q.sendSync("delete pw from `.z")


if __name__ == "__main__":
    made = Report()
    with QConnection(host="localhost", port=PORT) as connection:
        values(made, connection)
        calls(made, connection)
    made.finish()
