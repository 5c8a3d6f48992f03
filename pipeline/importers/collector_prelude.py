"""Runs inside the sandbox, after a row's reference: turns the row's asserts into observations.

`asserts.build_collector` appends the text of this module to the reference's source, so it uses nothing but the standard
library, imports inside functions to leave the reference's names alone, and must be readable by any Python 3. What this
deliberately does not do: decide whether a row is acceptable.
"""


class _AssertCollector:
    """Records the arguments, the result and the fate of every call that the asserts make."""

    def __init__(self, function, limit):
        import inspect
        import random

        random.seed(0)  # loops over random arguments must give the same tests on every import
        self.function = function
        self.signature = inspect.signature(function) if function is not None else None
        self.limit = limit
        self.rows = []
        self.pending = []

    def candidate(self, *args, **kwargs):
        """Call the reference; keep its arguments as they were before the call."""
        import copy

        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError("the function takes keyword-only arguments")
        arguments = copy.deepcopy(bound.args)
        result = self.function(*args, **kwargs)
        self.pending.append((arguments, copy.deepcopy(result)))
        return result

    def settle(self, passed, comparator, acceptable=None):
        """An assert was evaluated: it is the fate of all calls since the last one."""
        for arguments, result in self.pending:
            result = result if acceptable is None else acceptable
            self.add(arguments, result, comparator, "" if passed else "fails on the reference")
        if not passed and not self.pending:
            self.add((), None, comparator, "fails")
        self.pending = []

    def fail(self, error):
        """An assert raised."""
        self.pending = []
        text = " ".join(str(error).split())[:120]
        self.add(
            (), None, "equal", "raises " + type(error).__name__ + (": " + text if text else "")
        )

    def state(self, arguments, expected, comparator):
        """An assert that says by itself which value it expects."""
        import copy

        self.add(copy.deepcopy(arguments), copy.deepcopy(expected), comparator, "")

    def closeness(self, expected, rel_tol, abs_tol):
        """The comparator that stands for `math.isclose` around an expected value."""
        return "close:" + repr(float(max(rel_tol * abs(expected), abs_tol)))

    def add(self, arguments, result, comparator, problem):
        """Keep one observation; what is not plain data is named instead."""
        if len(self.rows) >= self.limit and not problem:
            return
        for value, name in [
            *((value, "an argument") for value in arguments),
            (result, "the result"),
        ]:
            foreign = self.foreign_type(value, 0)
            if foreign and not problem:
                problem = name + " holds a " + foreign + ", which is not data"
        if problem:
            arguments, result = (), None
        self.rows.append([tuple(arguments), result, comparator, problem])

    def foreign_type(self, value, depth):
        """Name of the first type inside a value that is not plain data; empty when there is none."""
        if depth > 50:
            return "structure nested more than 50 deep"
        if value is None or isinstance(value, (bool, int, float, str)):
            return ""
        if isinstance(value, dict):
            value = [*value.keys(), *value.values()]
        if not isinstance(value, (list, tuple, set, frozenset)):
            return type(value).__name__
        found = (self.foreign_type(item, depth + 1) for item in value)
        return next((name for name in found if name), "")
