r"""Codes of the primitives in kdb+'s binary form: how `+`, `count` or `sums` travel between processes.

Where a keyword has no code of its own kdb+ sends what it is made of: `sums` is `+\`.
"""

from __future__ import annotations

UNARY = (
    ":: flip neg first reciprocal where reverse null group iasc idesc string enlist count floor not key distinct type "
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

DERIVED = {
    "raze": ("/", ","), "sums": ("\\", "+"), "prds": ("\\", "*"), "mins": ("\\", "&"), "maxs": ("\\", "|"),
    "all": ("/", "&"), "any": ("/", "|"), "prev": ("':", ":"),
}  # fmt: skip
"""Keywords that are an iterator applied to an operator: the iterator and the operator."""

ALIASES = {"and": "&", "or": "|"}
