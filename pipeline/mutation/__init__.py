"""Whether a Problem's tests bite: mutants of its Python reference, and how many of them the tests tell from it."""
