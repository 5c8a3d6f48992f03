r"""Codes of the primitives in kdb+'s binary form: how `+`, `count` or `sums` travel between processes.

Where a keyword has no code of its own kdb+ sends what it is made of: `sums` is `+\`.
"""

from __future__ import annotations

UNARY = (
    ":: flip neg first reciprocal where reverse null group <: >: string ,: count floor not key distinct type "
    "value read0 read1 2:: avg last sum prd min max exit getenv abs sqrt log exp sin asin cos acos tan atan enlist var "
    "dev hopen"
).split()
"""Primitives of one argument (type 101) by code; 255 is the hole of a projection."""

BINARY = (
    ": + - * % & | ^ = < > $ , # _ ~ ! ? @ . 0: 1: 2: in within like bin ss insert wsum wavg div xexp setenv binr cov "
    "cor"
).split()
"""Primitives of two arguments (type 102) by code."""

ITERATORS = ("'", "/", "\\", "':", "/:", "\\:")
"""Iterators (type 103) by code, and the types 106 to 111 that they make."""

COMPOSED = {
    "<=": "6902000000650f660a",
    ">=": "6902000000650f6609",
    "<>": "6902000000650f6608",
    "all": "6902000000651b6802000000660bf662",
    "any": "6902000000651c6802000000660bf662",
    "differ": "69020000006802000000660bf6626902000000650f6d660f",
    "ceiling": "690200000065026902000000650e6502",
    "upsert": "6805000000661365ff000000000000660c65ff",
    "md5": "68020000006610f9f1ffffffffffffff",
    "attr": "68020000006610f9feffffffffffffff",
    "hcount": "68020000006610f9f9ffffffffffffff",
    "eval": "68020000006610f9faffffffffffffff",
    "reval": "68020000006610f9e8ffffffffffffff",
}
"""Keywords that are a composition or a projection of primitives, in binary form: `any` is `max$["b"]`."""

NEGATED = {"<=": ">", ">=": "<", "<>": "="}
"""Operators that are the composition of `not` and another operator."""

ALIASES = {"and": "&", "or": "|"}
