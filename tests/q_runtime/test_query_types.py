"""Queries and functions of tables over a column of every type: each gives a value or a q error.

What they must give stands in `type_matrix/rules.txt` and the transcripts; here no column may break them.
"""

from __future__ import annotations

import pytest

from q_runtime import Limits, QError, Session
from tests.q_runtime.test_type_claims import PREPARED, VALUES

QUERIES = (
    "select a by b from T", "select sum a by a from T", "select from T where a=first a",
    "select from T where a in 1#a", "select max a,min a,last a,count i by b from T", "update c:prev a by b from T",
    "update a:reverse a from T", "delete from T where a~'first a", "exec a by b from T", "exec a!b from T",
    "select distinct a from T", "select[2;>a] from T", "select[-1;<a] from T", "select a xbar a from T",
    "select a,b by 2 xbar i from T", "`a xgroup T", "ungroup `b xgroup T", "`a xasc T", "T lj `a xkey T",
    "T uj ([]z:1 2)", "T,T", "T pj `a xkey T", "aj[`a;T;T]", ".Q.s T", ".Q.s1 T", "meta T", "-9!-8!T", "flip T",
    "select avg a,med a,dev a by b from T", "fby[(max;T`a);T`b]", "select from T where a=(max;a) fby b",
    "`a`b!flip T`a`b", "T?first T", "T in 1#T", "group T", "exec (min;max)@\\:a from T", "csv 0: T", ".h.cd T",
    ".Q.ty T`a", "string T", "update a:1#a from T where i=0", "T upsert first T", "`T insert first T", "deltas T`a",
    "2 msum T`a", "wavg[T`a;T`a]", "T`a`b", "T[0;`a]", "first T", "update `g#a from T", "attr `p#asc T`a", ".Q.id T",
    "T cross T", "differ T", "a:T; a[0;`a]:a[1;`a]; a", ".[T;(0;`a);:;T[0;`a]]", "count each group T`a", "avg T",
    "T+T", "T=T", "neg T", "null T", "fills T", "T^T", "max T", "select i by a from T", "10 sublist `a xdesc T",
    "-8!T", "parse .Q.s1 T", "@[T;`a;:;reverse T`a]", "asc T`a", "`b`a xcols T", "(cols T)#T", "`a _ T", "1 _ T",
    "exec first a from T", ".Q.fmt[8;2] each T`a", ".Q.f[2]each T`a", "-3!T",
)  # fmt: skip
COLUMNS = [text for name in ("vectors", "empties", "lists") for (text,) in VALUES[name]]


@pytest.mark.parametrize("query", QUERIES)
def test_a_column_of_any_type_gives_a_value_or_a_q_error(query: str) -> None:
    session = Session(Limits(time_s=60.0))
    session.eval_script(PREPARED)
    for column in COLUMNS:
        session.eval_script(f"T:([]a:{column};b:count[{column}]#0 1)")
        try:
            session.print_or_raise(query)
        except QError as error:
            assert error.code
