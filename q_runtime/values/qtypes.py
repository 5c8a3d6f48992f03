"""The q type numbers and, for each, its letter, name, NumPy dtype, null and infinity.

Facts only: no value classes here (see vectors.py), no conversion (see cast.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

BOOL, GUID, BYTE, SHORT, INT, LONG, REAL, FLOAT, CHAR, SYM = 1, 2, 4, 5, 6, 7, 8, 9, 10, 11
TIMESTAMP, MONTH, DATE, DATETIME, TIMESPAN, MINUTE, SECOND, TIME = 12, 13, 14, 15, 16, 17, 18, 19

NS_PER_DAY = 86_400_000_000_000
EPOCH = 730_120
"""2000.01.01 as a proleptic Gregorian ordinal."""

LONG_NULL = -(2**63)
LONG_INF = 2**63 - 1
INT_NULL = -(2**31)
INT_INF = 2**31 - 1
SHORT_NULL = -(2**15)
SHORT_INF = 2**15 - 1
NAN = float("nan")
INF = float("inf")

LETTERS = {
    0: " ", 1: "b", 2: "g", 4: "x", 5: "h", 6: "i", 7: "j", 8: "e", 9: "f", 10: "c", 11: "s",
    12: "p", 13: "m", 14: "d", 15: "z", 16: "n", 17: "u", 18: "v", 19: "t",
}  # fmt: skip
TYPE_OF_LETTER = {letter: number for number, letter in LETTERS.items() if number}

NAMES = {
    1: "boolean", 2: "guid", 4: "byte", 5: "short", 6: "int", 7: "long", 8: "real", 9: "float",
    10: "char", 11: "symbol", 12: "timestamp", 13: "month", 14: "date", 15: "datetime",
    16: "timespan", 17: "minute", 18: "second", 19: "time",
}  # fmt: skip
TYPE_OF_NAME = {name: number for number, name in NAMES.items()}

DTYPES: dict[int, np.dtype] = {
    number: np.dtype(name)
    for number, name in {
        1: "bool", 2: "object", 4: "uint8", 5: "int16", 6: "int32", 7: "int64", 8: "float32",
        9: "float64", 10: "uint8", 11: "object", 12: "int64", 13: "int32", 14: "int32",
        15: "float64", 16: "int64", 17: "int32", 18: "int32", 19: "int32",
    }.items()
}  # fmt: skip

NULLS: dict[int, Any] = {
    1: False, 2: 0, 4: 0, 5: SHORT_NULL, 6: INT_NULL, 7: LONG_NULL, 8: NAN, 9: NAN, 10: 32,
    11: "", 12: LONG_NULL, 13: INT_NULL, 14: INT_NULL, 15: NAN, 16: LONG_NULL, 17: INT_NULL,
    18: INT_NULL, 19: INT_NULL,
}  # fmt: skip
INFINITIES: dict[int, Any] = {
    5: SHORT_INF, 6: INT_INF, 7: LONG_INF, 8: INF, 9: INF, 12: LONG_INF, 13: INT_INF, 14: INT_INF,
    15: INF, 16: LONG_INF, 17: INT_INF, 18: INT_INF, 19: INT_INF,
}  # fmt: skip

FIRST_ENUM, N_ENUMS = 20, 57
for _enum in range(FIRST_ENUM, FIRST_ENUM + N_ENUMS):
    LETTERS[_enum], DTYPES[_enum], NULLS[_enum] = "s", np.dtype("int64"), LONG_NULL
"""Enumerations: one type number for each domain of a session (see enums.py)."""

FLOATS = frozenset({8, 9, 15})
INTEGERS = frozenset({5, 6, 7, 12, 13, 14, 16, 17, 18, 19})
"""Types stored as integers that have a null and infinities."""
NUMERIC = frozenset({1, 4, 5, 6, 7, 8, 9})
TEMPORAL = frozenset(range(12, 20))

_ENUMS = frozenset(range(FIRST_ENUM, FIRST_ENUM + N_ENUMS))
NOT_NUMBERS = frozenset({2, 10, 11}) | _ENUMS
UNORDERED = frozenset({2, 11}) | _ENUMS
"""Types without a largest and a smallest item."""
TEXTS = frozenset({10, 11}) | _ENUMS
"""Text, and enumerations, which stand for it."""
