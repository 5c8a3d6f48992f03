"""Random q programs that try to break the engine: each word of the language against each kind of value.

Run it for longer than the suite does with `python -m tests.q_runtime.program_hunt SEED SECONDS`. It finds faults of the
engine only; whether an answer is right is for the transcripts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from random import Random

from q_runtime import Limits, QError, RuntimeFault, Session

LIMITS = Limits(time_s=1.0, memory_mb=64)
VALUES = (
    "1b 0x01 1h 1i 1 2 -3 0N 1e 1.5 0n \"a\" `a ` 2020.01.01 2020.01.01D 2020.01m 1D 12:00 12:00:00.000 01b 0x0102 "
    "0#0 \"abc\" \"\" `a`b`c 0#` () (1;`a;\"b\") (`$())!() `a`b!1~2 ([]a:1~2;b:`x`y) ([k:1~2]a:3~4) ([]a:0#0) ([]a:()) "
    "{x} {x+y} {[a;b;c]a} + :: +/ (1+) neg 0W -0W 1~2!3~4 1~2~3 1~0N~3 1.5~2.5 2020.01.01~2020.01.02 (1~2;3~4) "
    "(\"ab\";\"cd\") (1~2;3) (();()) enlist[1] enlist[`a] enlist\"abc\" `s#1~2~3 `u#`a`b -1 0 \"i\" `int `symbol "
    "0Wi 0Nd 0Wp "
    "([]s:`a`b`a;v:1~2~3) `t `u `nope 1000000 -9223372036854775807 1e300 0x 0#0b (::) (`a`b!(1~2;3)) ([]a:(1~2;3)) "
    "\"select\" \"1+\" `a`b!([]c:1~2) 00:00:00.000 2000.01m 0Nn (+;1;2) \"0\" \"2020.01.01\" {'`x} "
    "{x~y}\\ 100~200 1b~0b"
).split()  # fmt: skip
WORDS = (
    "! # $ % & * + , - . : < <= <> = > >= ? @ ^ _ | ~ !: #: $: %: &: *: +: ,: -: .: <: =: >: ?: @: ^: _: |: ~: "
    "abs aj aj0 all and any asc asof attr avg avgs bin binr ceiling cols cor cos count cov cross csv cut "
    "deltas desc dev differ distinct div ej enlist eval except exp fby fills first fkeys flip floor get group "
    "iasc idesc ij in insert inter inv key keys last like lj ljf log lower lsq ltrim mavg max maxs mcount md5 "
    "mdev med meta min mins mmax mmin mmu mod msum neg next not null or over parse pj prd prds prev prior rand "
    "rank ratios raze reciprocal reverse rotate rtrim save scan scov sdev set show signum sin sqrt ss ssr "
    "string sublist sum sums sv svar system tables tan til trim type uj ujf ungroup union upper upsert value "
    "var view vs wavg where wj wj1 within wsum xasc xbar xcol xcols xdesc xexp xgroup xkey xlog xprev xrank "
    ".Q.s .Q.s1 .Q.ty .Q.f .Q.fmt .Q.id .Q.fu .Q.ft .Q.addmonths .Q.j10 .Q.x10 .j.j .j.k .h.hta .z.s "
).split()  # fmt: skip
ITERATORS = ("/", "\\", "'", "/:", "\\:", "':")
COLUMNS = (
    "s", "v", "i", "nope", "sum v", "first s", "v+1", "max v by s", "count i", "v>1", "s=`a", "distinct s",
    "x", "1", "enlist v", "w:v", "s,v",
)  # fmt: skip
QUERIES = (
    "select {0} from {1}", "select {0} by {2} from {1} where {3}", "exec {0} from {1}",
    "exec {0} by {2} from {1}", "update {0} from {1} where {3}", "update {0} by {2} from {1}",
    "delete from {1} where {3}", "delete {0} from {1}", "select[{4}] from {1}", "select[{4};>{0}] from {1}",
    "select {0},{2} from {1}", "select distinct {0} from {1}", "?[{1};{4};{5};{6}]", "![{1};{4};{5};{6}]",
    "?[{1};();0b;{6}]", "![{1};();0b;{6}]", "{1} lj {5}", "{1} upsert {5}", "`t insert {5}", "`s xasc {1}",
    "fby[({4};{5});{6}]", "{4} xkey {1}", "aj[{4};{1};{5}]", "{1} uj {5}", "{1} ij {5}",
)  # fmt: skip
AMENDS = (
    "@[{0};{1};{2};{3}]", "@[{0};{1};{2}]", ".[{0};{1};{2};{3}]", ".[{0};{1};{2}]", "a:{0};a[{1}]:{2}",
    "a:{0};a[{1};{2}]:{3}", "a:{0};a[{1}]+:{2}", "a:{0};a,:{1}", "a:{0};a[{1}],:{2}", "a:{0};a-:{1}",
    "a:{0};a[{1};{2}],:{3}", "a:{0};a[]:{1}", "f:{{x[y]:z;x}};f[{0};{1};{2}]", "{0}[{1}]", "{0}[{1};{2}]",
    "{0}[;{1}]", "{0}[{1};]", "$[{0};{1};{2}]", "if[{0};{1}]", "do[{0};{1}]", "'{0}", "({0};{1})",
    "{0}'[{1};{2}]", "{0} {1} {2}", "value {0}", "parse {0}", "eval {0}", "show {0}", "-3!{0}",
    "string {0}", "([]{0})", "([]a:{0};b:{1})", "([a:{0}]b:{1})", "{0}!{1}", "flip {0}",
    "flip `a`b!({0};{1})", "{0}~{1}", "{0}?{1}", "{0} in {1}", "{0} like {1}", "{0} ss {1}", "ssr[{0};{1};{2}]",
)  # fmt: skip


def programs(seed: int) -> Iterator[str]:
    """Yield random programs without end."""
    random = Random(seed)
    values = [value.replace("~", " ") if "x~y" not in value else value for value in VALUES]

    def value() -> str:
        return random.choice(values)

    def word() -> str:
        name = random.choice(WORDS)
        return name if name[0].isalpha() or name[0] == "." else f"({name})"

    while True:
        kind = random.random()
        if kind < 0.2:
            yield f"{word()}[{value()}]"
        elif kind < 0.5:
            yield f"{word()}[{value()};{value()}]"
        elif kind < 0.55:
            yield f"{word()}[{value()};{value()};{value()}]"
        elif kind < 0.6:
            yield f"({word()}{random.choice(ITERATORS)})[{value()}]"
        elif kind < 0.7:
            yield f"({word()}{random.choice(ITERATORS)})[{value()};{value()}]"
        elif kind < 0.85:
            columns = [random.choice(COLUMNS) for _ in range(4)]
            columns[1] = random.choice(("t", "u", "([]s:`a`b;v:1 2)", "e", value()))
            yield random.choice(QUERIES).format(*columns, value(), value(), value())
        else:
            yield random.choice(AMENDS).format(value(), value(), value(), value())


PRELUDE = "t:([]s:`a`b`a`c;v:1 2 3 0N);u:([s:`a`b]w:1.5 2);e:([]s:0#`;v:0#0)"


def fault_of(session: Session, program: str) -> BaseException | None:
    """Run a program; return what broke inside the engine, None when nothing did."""
    try:
        session.print_or_raise(program)
    except QError:
        return None
    except RuntimeFault as fault:
        return fault.__cause__
    return None


def place_of(fault: BaseException) -> str:
    """Name the line of the engine that failed, and how."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = (
        f"{trace.tb_frame.f_code.co_filename.split('q_runtime/')[-1]}:{trace.tb_lineno}"
        if trace
        else "?"
    )
    return f"{where} {type(fault).__name__} {str(fault)[:80]}"


def main(seed: int, seconds: float) -> None:
    """Hunt for a time; print each place that failed with its shortest program."""
    found: dict[str, list[str]] = {}
    session = Session(LIMITS)
    end = time.monotonic() + seconds
    count = 0
    for program in programs(seed):
        if time.monotonic() > end:
            break
        if count % 20 == 0:
            session = Session(LIMITS)
            session.eval_script(PRELUDE)
        count += 1
        fault = fault_of(session, program)
        if fault is not None:
            found.setdefault(place_of(fault), []).append(program)
    sys.stdout.write(f"{count} programs, {len(found)} places\n")
    for place, broken in sorted(found.items()):
        sys.stdout.write(f"{place} | {len(broken)} | {min(broken, key=len)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
