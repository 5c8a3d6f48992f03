"""The built-in problem sets: `starter`, written by hand, and `demo`, made by a grammar of operations.

`source` is what both hand over, `materialise` turns it into Problems with stored TestCases.
"""
