"""The primitives of q, one registered function each. `load` imports them all."""

from __future__ import annotations


def load() -> None:
    """Import every module that registers primitives."""
    from q_runtime.prims import (  # noqa: F401
        access,
        aggregate,
        amend,
        appending,
        arith,
        attributes,
        bases,
        binaryio,
        casting,
        compare,
        debug,
        dictionary,
        doth,
        dotj,
        dotq,
        enumeration,
        indexing,
        joining,
        joins,
        linalg,
        lists,
        maths,
        moving,
        numbers,
        random,
        sessions,
        setops,
        shape,
        sorting,
        strings,
        tabular,
        text,
        textio,
        trees,
    )
    from q_runtime.prims.registry import alias_unary_glyphs

    alias_unary_glyphs()
