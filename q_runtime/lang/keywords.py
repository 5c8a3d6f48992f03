"""Names that the language reserves, and which of them are written infix."""

from __future__ import annotations

INFIX = frozenset(
    "and asof bin binr cor cov cross cut div dsave each ema except fby ij ijf in insert inter like lj "
    "ljf lsq mavg mcount mdev mmax mmin mmu mod msum or over peach pj prior rotate scan scov set setenv "
    "ss sublist sv uj ujf union upsert vs wavg within wsum xasc xbar xcol xcols xdesc xexp xgroup "
    "xkey xlog xprev xrank".split()
)
"""Keywords of two arguments; the parser treats them as verbs."""

CONTROL = frozenset({"if", "do", "while"})
QUERY = frozenset({"select", "exec", "update", "delete"})

RESERVED = (
    INFIX
    | CONTROL
    | QUERY
    | frozenset(
        "abs acos aj aj0 ajf ajf0 all any asc asin atan attr avg avgs ceiling cols cos count csv deltas "
        "desc dev differ distinct ej enlist eval exit exp fills first fkeys flip floor get getenv group gtime "
        "hclose hcount hdel hopen hsym iasc idesc inv key keys last load log lower ltime ltrim max maxs "
        "md5 med meta min mins neg next not null parse prd prds prev rand rank ratios raze read0 read1 reciprocal "
        "reval reverse rload rsave rtrim save sdev show signum sin sqrt ssr string sum sums svar system tables "
        "tan til trim type ungroup upper value var view views where wj wj1".split()
    )
)
"""Names that cannot be assigned."""
