"""The operations of the demo family: each as Python, as words and as q.

Types: L a list of integers, N a number, S a string, W a list of words. How operations are chained
and written out is `grammar`; which of their q a policy may see is `family`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Op:
    """One operation; in its texts `{x}` is the value so far and `{c}` the constant, if any."""

    name: str
    takes: str
    gives: str
    python: str
    text: str
    q: str
    kin: str = ""
    """Operations of one kin are written alike in q, or name their q word in their text: those that
    a policy has seen hint at the others. Empty: nothing hints at this one."""

    @property
    def has_constant(self) -> bool:
        return "{c}" in self.python

    @property
    def preserves_type(self) -> bool:
        return self.takes == self.gives


# fmt: off
# A table reads best with one operation on one line or two.
_LIST_OPS = (
    Op("add", "L", "L", "[v + {c} for v in {x}]", "add {c} to every number", "{c}+x", "arithmetic"),
    Op("mul", "L", "L", "[v * {c} for v in {x}]",
       "multiply every number by {c}", "{c}*x", "arithmetic"),
    Op("div", "L", "L", "[v // {c} for v in {x}]",
       "take every number div {c}", "x div {c}", "division"),
    Op("mod", "L", "L", "[v % {c} for v in {x}]",
       "take every number mod {c}", "x mod {c}", "division"),
    Op("square", "L", "L", "[v * v for v in {x}]", "square every number", "x*x"),
    Op("neg", "L", "L", "[-v for v in {x}]", "negate every number", "neg x"),
    Op("cap", "L", "L", "[min(v, {c}) for v in {x}]", "cap every number at {c}", "{c}&x"),
    Op("raise", "L", "L", "[max(v, {c}) for v in {x}]", "raise every number to {c}", "{c}|x"),
    Op("gt", "L", "L", "[v for v in {x} if v > {c}]",
       "keep the numbers > {c}", "x where x>{c}", "compare"),
    Op("lt", "L", "L", "[v for v in {x} if v < {c}]",
       "keep the numbers < {c}", "x where x<{c}", "compare"),
    Op("even", "L", "L", "[v for v in {x} if v % 2 == 0]",
       "keep the even numbers", "x where 0=x mod 2", "parity"),
    Op("odd", "L", "L", "[v for v in {x} if v % 2 == 1]",
       "keep the odd numbers", "x where 1=x mod 2", "parity"),
    Op("where", "L", "L", "[i for i, v in enumerate({x}) if v > {c}]",
       "find where the numbers are > {c}", "where x>{c}", "compare"),
    Op("reverse", "L", "L", "{x}[::-1]", "reverse the list", "reverse x", "reverse"),
    Op("asc", "L", "L", "sorted({x})", "sort in asc order", "asc x", "order"),
    Op("desc", "L", "L", "sorted({x}, reverse=True)", "sort in desc order", "desc x", "order"),
    Op("take", "L", "L", "{x}[:{c}]", "take the first {c} numbers", "{c} sublist x", "sublist"),
    Op("drop", "L", "L", "{x}[{c}:]", "drop the first {c} numbers", "{c}_x", "drop"),
    Op("tail", "L", "L", "{x}[-{c}:]", "take the last {c} numbers", "-{c} sublist x", "sublist"),
    Op("sums", "L", "L", "[sum({x}[:i + 1]) for i in range(len({x}))]",
       "take the running sums", "sums x", "scan"),
    Op("maxs", "L", "L", "[max({x}[:i + 1]) for i in range(len({x}))]",
       "take the running maxs", "maxs x", "scan"),
    Op("diffs", "L", "L", "[b - a for a, b in zip({x}, {x}[1:])]", "take the deltas", "1_deltas x"),
    Op("distinct", "L", "L", "list(dict.fromkeys({x}))", "keep the distinct numbers", "distinct x"),
    Op("sum", "L", "N", "sum({x})", "take the sum", "sum x", "fold"),
    Op("max", "L", "N", "max({x})", "take the max", "max x", "fold"),
    Op("min", "L", "N", "min({x})", "take the min", "min x", "fold"),
    Op("count", "L", "N", "len({x})", "count the numbers", "count x", "count"),
    Op("first", "L", "N", "{x}[0]", "take the first number", "first x", "ends"),
    Op("last", "L", "N", "{x}[-1]", "take the last number", "last x", "ends"),
    Op("kinds", "L", "N", "len(set({x}))",
       "count the distinct numbers", "count distinct x", "count"),
)
_NUMBER_OPS = (
    Op("plus", "N", "N", "{x} + {c}", "add {c}", "{c}+x", "arithmetic"),
    Op("times", "N", "N", "{x} * {c}", "multiply by {c}", "{c}*x", "arithmetic"),
    Op("range", "N", "L", "list(range(1, {x} + 1))",
       "list the numbers from one up to it", "1+til x"),
)
_STRING_OPS = (
    Op("turn", "S", "S", "{x}[::-1]", "reverse the string", "reverse x", "reverse"),
    Op("upper", "S", "S", "{x}.upper()", "make the string upper", "upper x", "upper"),
    Op("letters", "S", "S", '"".join(sorted({x}))',
       "sort the characters in asc order", "asc x", "order"),
    Op("head", "S", "S", "{x}[:{c}]", "take the first {c} characters", "{c} sublist x", "sublist"),
    Op("cut", "S", "S", "{x}[{c}:]", "drop the first {c} characters", "{c}_x", "drop"),
    Op("vowels", "S", "S", '"".join(c for c in {x} if c in "aeiou")',
       "keep the vowels", 'x inter "aeiou"'),
    Op("others", "S", "S", '"".join(c for c in {x} if c not in "aeiou")',
       "drop the vowels", 'x except "aeiou"'),
    Op("split", "S", "W", '{x}.split(" ")', "split into words", '" " vs x'),
    Op("length", "S", "N", "len({x})", "count the characters", "count x", "count"),
    Op("tally", "S", "N", 'sum(c in "aeiou" for c in {x})',
       "count the vowels", 'count x inter "aeiou"'),
)
_WORD_OPS = (
    Op("turns", "W", "W", "[w[::-1] for w in {x}]",
       "reverse each word", "reverse each x", "reverse"),
    Op("uppers", "W", "W", "[w.upper() for w in {x}]",
       "make each word upper", "upper each x", "upper"),
    Op("longer", "W", "W", "[w for w in {x} if len(w) > {c}]",
       "keep the words of count > {c}", "x where {c}<count each x"),
    Op("back", "W", "W", "{x}[::-1]", "reverse the order of the words", "reverse x", "reverse"),
    Op("by count", "W", "W", "sorted({x}, key=len)",
       "sort the words by count", "x iasc count each x"),
    Op("join", "W", "S", '" ".join({x})', "join the words", '" " sv x'),
    Op("initials", "W", "S", '"".join(w[0] for w in {x})',
       "join the first character of each word", "first each x"),
    Op("word", "W", "S", "{x}[0]", "take the first word", "first x", "ends"),
    Op("lengths", "W", "L", "[len(w) for w in {x}]", "count each word", "count each x", "count"),
)
# fmt: on
OPS = _LIST_OPS + _NUMBER_OPS + _STRING_OPS + _WORD_OPS
