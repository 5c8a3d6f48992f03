"""Names of the members of the built-in namespaces: those that the KX reference lists, in the order of `key`.

What a member does is elsewhere (prims/, prelude/); here is which exist, and which of them a session refuses.
"""

from __future__ import annotations

ROOT_NAMESPACE = tuple(
    "neg not null string reciprocal floor ceiling signum mod xbar xlog and or each scan over prior mmu lsq inv md5 "
    "ltime gtime count first svar sdev scov med all any rand sums prds mins maxs fills deltas ratios avgs differ "
    "prev next rank reverse iasc idesc asc desc msum mcount mavg mdev xrank mmin mmax xprev rotate ema distinct "
    "group where flip type key til get value attr cut set upsert raze union inter except cross sv vs sublist read0 "
    "read1 hclose hdel hsym hcount peach system ltrim rtrim trim lower upper ssr view tables views cols xcols keys "
    "xkey xcol xasc xdesc fkeys meta lj ljf aj aj0 ajf ajf0 ij ijf pj asof uj ujf wj wj1 fby xgroup ungroup ej save "
    "load rsave rload dsave show csv parse eval reval".split()
)
"""Members of `.q`: the keywords that kdb+ defines in its own library."""

NAMES: dict[str, tuple[str, ...]] = {
    ".q": ROOT_NAMESPACE,
    ".Q": tuple(
        "k K host addr gc ts gz w res addmonths f fmt opt def ld qt v qp V ft ord nv tx tt fk t ty nct fu fc A a n nA "
        "an b6 Aa unm id j10 x10 j12 x12 btoa atob sha1 prf0 l lo li sw tab t0 s1 s2 s hap hmb hg hp fpn fps fsn fs fp "
        "fqk dd par qm qb qd pm en ens enxs dt dpt dpft dpfts dpts dsftg hdpf xf Xf ff bv bvi map MAP view jp rp L "
        "ind cn pcnt bt sbt trp trpd chk ajf0 srr M x D P PD PV pd pf pn pt pv u vp".split()
    ),
    ".h": tuple(
        "htc hta htac ha hb pre xmp br hr nbr code http text data ht tx d cd td hc xs xd ex eb es ed edsn iso8601 xt "
        "ka hn HOME hy hp he logo sa sb sc html fram jx uh hu hug ty val c0 c1".split()
    ),
    ".j": tuple("e q s es J k jd j".split()),
    ".o": tuple("ex TT T B0 C0 PS FG FT Cols Columns Tables TypeInfo Key Special t o".split()),
    ".z": tuple(
        "a ac b bm c D d e ex exit ey f H h i K k l N n o P p pc pd pg ph pi pm po pp pq ps pw q r s T t ts u vs W w "
        "wc wo ws X x Z z zd".split()
    ),
}  # fmt: skip

ACCESS = frozenset(
    f".Q.{name}"
    for name in "addr bv bvi chk cn dpft dpfts dpt dpts dsftg fp fpn fps fqk fs fsn hdpf hg hmb host hp l li lo "
    "map MAP par prf0 qd view xf Xf".split()
)
"""Members that reach files, the network or other processes: here they signal 'access when they are applied."""

UNSET = frozenset(f".Q.{name}" for name in "D P PD PV pd pf pn pt pv u vp".split())
"""Members that kdb+ itself defines only once a database is loaded, and so never here."""

HANDLERS = frozenset("ac bm exit pc pd pg ph pm po pp pq ps pw ts wc wo ws zd".split())
"""Members of `.z` that q code may assign; nothing here calls them, for a session serves no one and has no timer."""
