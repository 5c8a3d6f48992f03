"""The iterators: each, over, scan, each prior, each right, each left.

Over and scan of a known operator on a simple vector run as one NumPy reduction; each of an atomic
primitive is the primitive itself. Everything else is a loop that calls `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from q_runtime.errors import QError
from q_runtime.evaluate.reductions import (
    fast_each_prior,
    fast_over,
    fast_scan,
    recurrence,
    without_nulls,
)
from q_runtime.limits import Budget
from q_runtime.prims.compare import matches
from q_runtime.prims.runs import each_of_runs
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import (
    HOLE,
    Derived,
    Lambda,
    Prim,
    Projection,
    is_function,
    missing_arguments,
    rank_of,
)
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    type_number,
)


def is_sequence(x: Value) -> bool:
    """Say whether iterators walk through `x`."""
    return type(x) in (Vec, GList, Table, Dict)


def walk(x: Value) -> list[Value]:
    """Return the items that iterators see: values of a dictionary, rows of a table."""
    return walk(x.v) if type(x) is Dict else items_of(x)


class IteratorApplier:
    """Applies derived functions; mixed into Applier."""

    budget: Budget
    apply: Callable[[Value, Sequence[Value]], Value]
    at: Callable[[Value, Value], Value]

    def iterate(self, glyph: str, f: Value, args: tuple[Value, ...]) -> Value:
        """Apply the iterator `glyph` of `f` to arguments."""
        if glyph == "'":
            return self._each(f, args)
        if glyph == "/":
            return self._accumulate(f, args, keep=False)
        if glyph == "\\":
            return self._accumulate(f, args, keep=True)
        if glyph == "':":
            return self._prior(f, args)
        if len(args) == 1:
            if not is_function(f):
                from q_runtime.prims.bases import sv, vs

                return sv(f, args[0]) if glyph == "/:" else vs(f, args[0])
            if glyph == "/:" or glyph == "\\:":
                return Projection(Derived(glyph, f), (args[0], HOLE))
        if len(args) != 2:
            raise QError("rank")
        return self._one_side(f, args, right=glyph == "/:")

    def poll(self) -> None:
        """Count one pass of a loop against the time budget."""
        budget = self.budget
        budget.n -= 1
        if budget.n < 0:
            budget.tick()

    def caller(self, f: Value, n: int, like: Sequence[Value] | None = None) -> Callable[..., Value]:
        """Return a Python function that applies `f` to `n` arguments; `like` are the first that it will get."""
        if type(f) is Lambda and f.rank == n:
            if f.prepare is not None and like:
                f.prepare(like)
            return f.fn
        if type(f) is Projection and type(f.f) is Lambda and f.rank == n == 1:
            return self._filled(f, like)
        if type(f) is Prim and n in f.ranks and not f.needs_host:
            return f.fn
        if n == 1:
            at = self.at
            return lambda x: at(f, x)
        apply = self.apply
        return lambda *args: apply(f, args)

    def _filled(self, f: Projection, like: Sequence[Value] | None) -> Callable[[Value], Value]:
        """Return what applies a projection of a lambda that lacks one argument."""
        place = f.args.index(HOLE)
        if f.f.prepare is not None and like:
            f.f.prepare((*f.args[:place], *like, *f.args[place + 1 :]))
        fn = f.f.fn
        if place == len(f.args) - 1:
            return partial(fn, *f.args[:-1])
        before, after = f.args[:place], f.args[place + 1 :]
        return lambda x: fn(*before, x, *after)

    def _each(self, f: Value, args: tuple[Value, ...]) -> Value:
        missing = missing_arguments(f, len(args))
        if missing:
            return Projection(Derived("'", f), (*args, *(HOLE,) * missing), len(args))
        if len(args) == 1:
            (x,) = args
            if type(x) is Dict:
                return Dict(x.k, self._each(f, (x.v,)))
            if not is_sequence(x):
                return self.at(f, x)
            if type(f) is Prim and f.atomic and 1 in f.ranks and type(x) is Vec:
                return self.at(f, x)
            if type(f) is Prim and type(x) is GList and x.runs is not None:
                made = each_of_runs(f.name, x.runs)
                if made is not None:
                    return made
            items = items_of(x)
            return self._map_one(self.caller(f, 1, items[:1]), items)
        if type(f) is Vec and f.t in (5, 6, 7):
            return self._case(f, args)
        lists = [a for a in args if is_sequence(a)]
        if not lists:
            return self.apply(f, args)
        if any(type(a) is Dict for a in args):
            return self._each_dictionaries(f, args)
        n = length(lists[0])
        if any(length(a) != n for a in lists):
            raise QError("length")
        columns = [items_of(a) if is_sequence(a) else [a] * n for a in args]
        rows = list(zip(*columns, strict=True))
        return self._map(self.caller(f, len(args), rows[0] if rows else None), rows)

    def _case(self, f: Vec, args: tuple[Value, ...]) -> Value:
        """Pick item `i` from the argument that `f` names at `i`; atoms stand for any item."""
        n = len(f.a)
        if any(is_sequence(a) and length(a) != n for a in args):
            raise QError("length")
        keyed = [a for a in args if type(a) is Dict]
        if any(not matches(a.k, keyed[0].k) for a in keyed[1:]):
            raise QError("domain", "dictionaries with different keys")
        columns = [walk(a) if is_sequence(a) else [a] * n for a in args]
        if n and not (f.a.min() >= 0 and f.a.max() < len(columns)):
            raise QError("length", "no argument of that number")
        return collapse([columns[k][i] for i, k in enumerate(f.a.tolist())])

    def _each_dictionaries(self, f: Value, args: tuple[Value, ...]) -> Value:
        """Apply to what the dictionaries have at each key of any of them, and to a null where one has nothing."""
        from q_runtime.prims.indexing import index
        from q_runtime.prims.joining import join
        from q_runtime.prims.setops import except_

        keyed = [a for a in args if type(a) is Dict]
        keys = keyed[0].k
        for other in keyed[1:]:
            if other.k is not keys and not other.is_keyed_table and type(keys) is not Table:
                more = except_(other.k, keys)
                keys = join(keys, more) if length(more) else keys
        parts = tuple(index(a, keys) if type(a) is Dict else a for a in args)
        return Dict(keys, self._each(f, parts))

    def _map_one(self, call: Callable[[Value], Value], items: list[Value]) -> Value:
        """Call for every item and collapse."""
        out = []
        budget = self.budget
        left = budget.n
        for item in items:
            left -= 1
            if left < 0:
                left = budget.tick()
            out.append(call(item))
        budget.n = left
        return collapse(out)

    def _map(self, call: Callable[..., Value], rows: list[tuple[Value, ...]]) -> Value:
        """Call for every row and collapse. Apart from `_map_one`, since a call of one argument is the commonest."""
        out = []
        budget = self.budget
        left = budget.n
        for row in rows:
            left -= 1
            if left < 0:
                left = budget.tick()
            out.append(call(*row))
        budget.n = left
        return collapse(out)

    def _one_side(self, f: Value, args: tuple[Value, ...], *, right: bool) -> Value:
        x, y = args
        many = y if right else x
        if type(many) is Dict:
            inner = (x, many.v) if right else (many.v, y)
            return Dict(many.k, self._one_side(f, inner, right=right))
        if not is_sequence(many):
            return self.apply(f, args)
        if (
            type(f) is Prim
            and f.atomic
            and type(many) is Vec
            and type_number(y if not right else x) < 0
        ):
            return self.apply(f, args)
        rows = [(x, b) for b in items_of(many)] if right else [(a, y) for a in items_of(many)]
        return self._map(self.caller(f, 2, rows[0] if rows else None), rows)

    # -- over and scan

    def _accumulate(self, f: Value, args: tuple[Value, ...], *, keep: bool) -> Value:
        n = len(args)
        if n == 1 and type(f) is Prim and f.rank == 2:
            made = (fast_scan if keep else fast_over)(f.name, args[0])
            if made is not None:
                return made
        if keep and n == 2 and abs(type_number(f)) in qt.FLOATS:
            return recurrence(args[0], f, args[1])
        rank = self._accumulator_rank(f)
        if rank == 1:
            if n == 1:
                return self._converge(f, args[0], keep)
            if n == 2:
                return self._repeat(f, args[0], args[1], keep)
            raise QError("rank")
        if n == 1:
            if rank > 2:
                raise QError("rank")
            return self._fold(f, None, [args[0]], keep)
        if n != rank and not (n > 2 and type(f) is Prim and n in f.ranks):
            raise QError("rank")
        if n == 2 and type(f) is Prim:
            args = (args[0], without_nulls(f.name, args[1]))
        return self._fold(f, args[0], list(args[1:]), keep)

    def _accumulator_rank(self, f: Value) -> int:
        """Return how many arguments `f` takes: an index, and one for what each item of a list takes."""
        if is_function(f):
            return rank_of(f)
        if type(f) is GList and f.items and all(is_function(i) or is_list(i) for i in f.items):
            return 2
        if type(f) in (Vec, GList, Dict) or type_number(f) == 101:
            return 1
        raise QError("type")

    def _converge(self, f: Value, x: Value, keep: bool) -> Value:
        call = self.caller(f, 1)
        seen = [x]
        first, last = x, x
        while True:
            self.poll()
            made = call(last)
            if matches(made, last) or matches(made, first):
                break
            last = made
            if keep:
                seen.append(made)
        return collapse(seen) if keep else last

    def _repeat(self, f: Value, control: Value, x: Value, keep: bool) -> Value:
        """Repeat a number of times, or while a condition holds."""
        from q_runtime.evaluate.apply import times, truth

        call = self.caller(f, 1)
        seen = [x]
        if is_function(control) or type(control) in (Dict, Vec, GList):
            test = self.caller(control, 1)
            while truth(test(x)):
                self.poll()
                x = call(x)
                if keep:
                    seen.append(x)
        else:
            for _ in range(times(control)):
                self.poll()
                x = call(x)
                if keep:
                    seen.append(x)
        return collapse(seen) if keep else x

    def _fold(self, f: Value, start: Value | None, lists: list[Value], keep: bool) -> Value:
        """Fold `f` over lists in step; without `start` the first item begins."""
        many = [x for x in lists if is_sequence(x)]
        if not many:
            if start is None:
                return lists[0]
            made = self.apply(f, (start, *lists))
            return made
        n = length(many[0])
        if any(length(x) != n for x in many):
            raise QError("length")
        columns = [walk(x) if is_sequence(x) else [x] * n for x in lists]
        keys = lists[0].k if keep and type(lists[0]) is Dict else None
        out: list[Value] = []
        if start is None:
            if not n:
                return self._empty_fold(f, lists[0], keep)
            accumulated = columns[0][0]
            out.append(accumulated)
            columns[0] = columns[0][1:]
        else:
            accumulated = start
        first = (accumulated, *(column[0] for column in columns)) if columns[0] else None
        call = self.caller(f, len(lists) + 1, first)
        if len(columns) == 1 and not keep:
            return self._fold_one(call, accumulated, columns[0])
        for row in zip(*columns, strict=True):
            self.poll()
            accumulated = call(accumulated, *row)
            if keep:
                out.append(accumulated)
        if not keep:
            return accumulated
        made = collapse(out)
        return Dict(keys, made) if keys is not None else made

    def _fold_one(self, call: Callable[..., Value], x: Value, items: list[Value]) -> Value:
        """Call for every item with what the call before gave; returns the last result."""
        budget = self.budget
        left = budget.n
        for item in items:
            left -= 1
            if left < 0:
                left = budget.tick()
            x = call(x, item)
        budget.n = left
        return x

    def _empty_fold(self, f: Value, x: Value, keep: bool) -> Value:
        """Return the fold of an empty list: the identity of a known operator, else the empty list."""
        if keep:
            return x
        if type(f) is Prim:
            from q_runtime.evaluate.reductions import identity

            made = identity(f.name, x)
            if made is not None:
                return made
        return GList([]) if type(x) is GList else _first_null(x)

    # -- each prior

    def _prior(self, f: Value, args: tuple[Value, ...]) -> Value:
        if len(args) == 1:
            if rank_of(f) == 1 and is_function(f):
                return self._each(f, args)
            if type(f) is Prim:
                made = fast_each_prior(f.name, args[0])
                if made is not None:
                    return made
            x, before = args[0], None
        elif len(args) == 2:
            before, x = args
        else:
            raise QError("rank")
        if type(x) is Dict:
            inner = (x.v,) if before is None else (before, x.v)
            return Dict(x.k, self._prior(f, inner))
        if not is_sequence(x):
            return x if before is None else self.apply(f, (x, before))
        items = items_of(x)
        if not items:
            return x
        call = self.caller(f, 2)
        if before is None and type(f) is Prim and f.name == ",":
            return collapse([items[0], *(call(b, a) for a, b in pairwise(items))])
        if before is None:
            before = self._prior_seed(f, x)
        rows = list(zip(items, [before, *items[:-1]], strict=True))
        return self._map(call, rows)

    def _prior_seed(self, f: Value, x: Value) -> Value:
        """Return what stands before the first item: the operator's identity, else a null.

        Before a first item that is a vector stands an empty one, which a comparison meets as a null.
        """
        null = _first_null(x)
        if type(f) is Prim:
            from q_runtime.evaluate.reductions import COMPARISONS, PRIOR_SEED

            if f.name in PRIOR_SEED:
                return PRIOR_SEED[f.name]
            if f.name in COMPARISONS and type(null) is Vec:
                return _first_null(null)
        return null


def _first_null(x: Value) -> Value:
    from q_runtime.prims.indexing import missing_item

    return missing_item(x)
