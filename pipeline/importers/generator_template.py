"""The part of an inferred input generator that is the same for all: it follows PROFILE, which precedes it.

`infer_generator` puts the text of this module behind the assignment of a profile and so makes a Problem's generator.
It runs in the sandbox and uses nothing but the `rng` that it is given. What this deliberately does not do: know the
function that the inputs are for.
"""

PROFILE = {"style": "wide", "params": [], "links": [], "observed": []}


# The generated source begins here.
def generate(rng):
    """One tuple of arguments like the observed ones."""
    nodes = PROFILE["params"]
    if PROFILE["style"] == "perturb":
        chosen = rng.choice(PROFILE["observed"])
        return tuple(
            _perturb(rng, node, value, True) for node, value in zip(nodes, chosen, strict=True)
        )
    arguments = [_make(rng, node) for node in nodes]
    for target, sequence, kind in PROFILE["links"]:
        length = len(arguments[sequence])
        if kind == "length":
            arguments[target] = length
        elif kind == "same":
            shared = min(len(arguments[target]), length)
            arguments[target] = arguments[target][:shared]
            arguments[sequence] = arguments[sequence][:shared]
        elif arguments[target] > length:
            arguments[target] = rng.randint(min(nodes[target]["low"], length), length)
    return tuple(arguments)


def _perturb(rng, node, value, is_top):
    """The value with some of the numbers and texts inside its lists replaced by others of their place."""
    if node["kind"] == "list" and isinstance(value, (list, tuple)):
        items = [_perturb(rng, node["item"], item, False) for item in value]
        if node["sorted"]:
            items.sort()
        repeats = node["unique"] and any(item in items[:place] for place, item in enumerate(items))
        return value if repeats else _CONTAINERS[node["container"]](items)
    if node["kind"] == "tuple":
        return tuple(
            _perturb(rng, item, part, False)
            for item, part in zip(node["items"], value, strict=True)
        )
    if is_top or rng.random() < 0.5:
        return value
    return rng.choice(node["values"]) if node["kind"] == "str" else _make(rng, node)


def _make(rng, node):
    return _MAKERS[node["kind"]](rng, node)


def _make_int(rng, node):
    if rng.random() < 0.25:
        return rng.choice(node["values"])
    return rng.randint(node["low"], node["high"])


def _make_float(rng, node):
    if rng.random() < 0.25:
        return rng.choice(node["values"])
    return round(rng.uniform(node["low"], node["high"]), node["digits"])


def _make_choice(rng, node):
    return rng.choice(node["values"])


def _make_str(rng, node):
    """An observed text, or one with some of its characters or words changed, moved, left out or added."""
    text = rng.choice(node["values"])
    if node["words"]:
        words = text.split(" ")
        if rng.random() < 0.5:
            words = [rng.choice(node["words"]) if rng.random() < 0.3 else word for word in words]
        rng.shuffle(words)
        return " ".join(words)
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        place = rng.randint(0, len(text))
        change = rng.randrange(4)
        if change == 0 and place and node["alphabet"]:
            text = text[: place - 1] + rng.choice(node["alphabet"]) + text[place:]
        elif change == 1 and place and len(text) > node["shortest"]:
            text = text[: place - 1] + text[place:]
        elif change == 2 and node["alphabet"] and len(text) < node["longest"]:
            text = text[:place] + rng.choice(node["alphabet"]) + text[place:]
        elif change == 3:
            text = text[place:] + text[:place]
    return text


def _make_list(rng, node):
    if rng.random() < 0.1:
        return rng.choice(node["values"])
    size = rng.randint(node["shortest"], node["longest"])
    item = node["item"]
    if node["rectangular"] and item["kind"] == "list":
        width = rng.randint(item["shortest"], item["longest"])
        item = {**item, "shortest": width, "longest": width, "values": [], "fixed": True}
    items = [_make_item(rng, item) for _ in range(size)]
    if node["unique"]:
        items = [item for place, item in enumerate(items) if item not in items[:place]]
    if node["sorted"]:
        items.sort()
    return _CONTAINERS[node["container"]](items)


def _make_item(rng, item):
    if not item.get("fixed"):
        return _make(rng, item)
    items = [_make(rng, item["item"]) for _ in range(item["shortest"])]
    return _CONTAINERS[item["container"]](sorted(items) if item["sorted"] else items)


def _make_tuple(rng, node):
    return tuple(_make(rng, item) for item in node["items"])


def _make_dict(rng, node):
    size = rng.randint(node["shortest"], node["longest"])
    keys = rng.sample(node["keys"], min(size, len(node["keys"])))
    return {key: _make(rng, node["item"]) for key in keys}


_CONTAINERS = {"list": list, "tuple": tuple, "set": set}
_MAKERS = {
    "int": _make_int,
    "float": _make_float,
    "choice": _make_choice,
    "str": _make_str,
    "list": _make_list,
    "tuple": _make_tuple,
    "dict": _make_dict,
}
