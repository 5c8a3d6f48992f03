r"""How kdb+ shows its keywords: most are defined in k, so that `count` prints as `#:` and `sums` as `+\`.

Here is the shown text only. A keyword that kdb+ builds in (`avg`, `in`, `wsum`) is shown by its own name; `type_of`
derives the type number that a form implies.
"""

from __future__ import annotations

from q_runtime.lang.members import ROOT_NAMESPACE

K_FORMS = {
    "<=": "~>", ">=": "~<", "<>": "~=",
    "neg": "-:", "not": "~:", "null": "^:", "string": "$:", "reciprocal": "%:", "floor": "_:", "ceiling": "-_-:",
    "and": "&", "or": "|", "mmu": "$", "lsq": "!", "inv": "!:", "md5": "-15!", "count": "#:", "first": "*:",
    "all": 'min$["b"]', "any": 'max$["b"]', "sums": "+\\", "prds": "*\\", "mins": "&\\", "maxs": "|\\", "fills": "^\\",
    "deltas": "-':", "ratios": "%':", "differ": '$["b"]~~\':', "prev": ":':", "reverse": "|:", "distinct": "?:",
    "group": "=:", "where": "&:", "flip": "+:", "type": "@:", "key": "!:", "value": ".:", "get": ".:", "attr": "-2!",
    "upsert": ".[;();,;]", "raze": ",/", "hdel": "~:", "read0": "0::", "read1": "1::", "hcount": "-7!", "eval": "-6!",
    "reval": "-24!",
    "each": "k){x'y}", "over": "k){x/y}", "scan": "k){x\\y}", "prior": "k){x':y}", "peach": "k){x':y}",
    "signum": "k){(x>0)-x<0}", "mod": "k){x-y*x div y}", "xlog": "k){log[y]%log x}",
    "xbar": 'k){x*y div x:$[16h=abs[@x];"j"$x;x]}', "sdev": "k){sqrt svar x}", "svar": "k){(n*var x)%-1+n:(#x)-+/^x}",
    "med": "k){avg x(<x)@_.5*-1 0+#x,:()}", "avgs": "k){(+\\x)%+\\~^x}", "rank": "k){$[0h>@x;'`rank;<<x]}",
    "iasc": "k){$[0h>@x;'`rank;<x]}", "idesc": "k){$[0h>@x;'`rank;>x]}", "next": "k){$[0h>@x;'`rank;1_x,,x 0N]}",
    "union": "k){?x,y}", "inter": "k){x@&x in y}", "except": "k){x@&~x in y}", "rand": "k){*1?x}",
    "desc": "k){$[99h=@x;(!x)[i]!r i:>r:. x;0h>@x;'`rank;x@>x]}", "sv": "k){x/:y}", "vs": "k){x\\:y}",
    "mcount": "k){msum[x;~^y]}", "mavg": "k){msum[x;0.0^y]%mcount[x;y]}", "mmin": "k){(x-1)&':/y}",
    "mmax": "k){(x-1)|':/y}",
    "til": "k){$[0>@x;!x;'`type]}", "show": "k){1 .Q.s x;}",
    "fby": "k){@[(#y)#x[0]0#x 1;g;:;x[0]'x[1]g:.=y]}", "lj": "k){.Q.ft[,\\:[;y];x]}",
}  # fmt: skip
"""Text that the console shows, by keyword."""

_DERIVED = (("\\:", 111), ("/:", 110), ("':", 109), ("\\", 108), ("/", 107), ("'", 106))
_SPECIAL = {"<=": 105, ">=": 105, "<>": 105, "ceiling": 105, "all": 105, "any": 105, "differ": 105, "upsert": 104,
            "md5": 104, "attr": 104, "hcount": 104, "eval": 104, "reval": 104}  # fmt: skip


def shown_of(name: str) -> str:
    """Return the text that the console shows for a primitive; empty for a definition in k that is not known here."""
    return K_FORMS.get(name, "" if name in ROOT_NAMESPACE else name)


def type_of(name: str, rank: int) -> int:
    """Return the type number of a primitive: 101 or 102 for one that is built in, else that of its k form."""
    shown = shown_of(name)
    if not shown or shown.startswith("k){"):
        return 100
    if name in _SPECIAL:
        return _SPECIAL[name]
    if name in K_FORMS:
        for ending, t in _DERIVED:
            if shown.endswith(ending) and len(shown) > len(ending):
                return t
    return 101 if rank == 1 else 102
