"""Evaluation: lambdas become Python functions, iterators and application live beside them."""
