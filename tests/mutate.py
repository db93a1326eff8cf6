"""Mutations of files of networks that know how such a file is made.

`mutated(victims, seed)` is a file a few mutations away from a valid one, the same for
the same seed. Sums are mostly those of the mutated parts, so that the checks behind
them are reached.
"""

import contextlib
import copy
import math
import struct
from random import Random

import numpy as np

from forge import Forgery, encoded

EVIL = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        4,
        7,
        8,
        2**31,
        2**32,
        2**53 + 1,
        2**61,
        2**62,
    ),
    *(2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64, 10**19, 10**30, 10**400),
    *(0.0, -0.0, 0.5, 1.0, -1.5, 1e-320, 1e300, float("nan"), float("inf")),
    *("", "0", "relu", "dense", "batchnorm", "adam", "mse", "float64", "__import__"),
    *("F32", "F64", "I64", "U8", "\x00", "\ud800", "é日本", "x" * 1000, "0.weight"),
    *([], [0], [1, 2], [[]], [[[[]]]], [True], ["relu"], [2**62, 4], [0.5, None]),
    *(
        {},
        {"kind": "relu"},
        {"kind": "dense", "units": 2},
        {"kind": "dropout", "p": 0.9},
    ),
    *({"kind": {}}, {"": ""}, {"kind": "mse"}, {"kind": "huber", "delta": 0.1}),
]


def mutated(victims: list[bytes], seed: int) -> bytes:
    """The file of this seed; the valid file with probability 0."""
    random = Random(seed)  # noqa: S311
    forgery = Forgery(random.choice(victims))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        mutate = random.choices(*zip(*MUTATIONS, strict=True))[0]
        # The mutation before may have left nothing that this one could change.
        with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError):
            made = mutate(forgery, random)
            if made is not None:
                return made
    return written(forgery, random)


def written(forgery: Forgery, random: Random) -> bytes:
    """The file of the parts, rarely with a sum that is none of theirs."""
    if random.random() < 0.03:
        name = random.choice(("config_sha256", "data_sha256"))
        return forgery.content(**{name: random.randbytes(32).hex()})
    return forgery.content()


# -- JSON -----------------------------------------------------------------------------


def places(value, found=None):
    """Every (container, key) within a JSON value."""
    found = [] if found is None else found
    if isinstance(value, (dict, list)):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            found.append((value, key))
            places(value[key], found)
    return found


def nudged(value, random):
    """A value near this one, of its type where there is a near one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = float(value) if abs(value) < 2**1000 else 0.0
        return random.choice((value + 1, value - 1, -value, 2 * value, near))
    if isinstance(value, float):
        near = int(value) if math.isfinite(value) else 0
        return random.choice((value * 2, -value, value + 1e-9, 1 - value, near))
    if isinstance(value, str) and value:
        at = random.randrange(len(value))
        new = random.choice(("", value[at].swapcase(), "_", value[at] * 2))
        return value[:at] + new + value[at + 1 :]
    return random.choice(EVIL)


def change_json(tree, random):
    """Change one node of a JSON tree in place."""
    all_places = places(tree)
    if not all_places:
        return
    container, key = random.choice(all_places)
    other, other_key = random.choice(all_places)
    how = random.randrange(7)
    if how < 2:
        container[key] = nudged(container[key], random)
    elif how == 2:
        container[key] = copy.deepcopy(random.choice(EVIL))
    elif how == 3:
        container[key] = copy.deepcopy(other[other_key])
    elif how == 4:
        del container[key]
    elif how == 5 and isinstance(container, list):
        container.insert(key, copy.deepcopy(random.choice([container[key], *EVIL])))
    elif isinstance(container, dict):
        new = random.choice((other_key, nudged(key, random), "kind", "units"))
        container[str(new)] = container.pop(key)


def header(forgery, random):
    change_json(forgery.header, random)


def config(forgery, random):
    change_json(forgery.config, random)


def metadata(forgery, random):
    change_json(forgery.metadata, random)


def order(forgery, random):
    names = list(forgery.header)
    random.shuffle(names)
    forgery.header = {name: forgery.header[name] for name in names}


def nesting(forgery, random):
    container, key = random.choice(places(forgery.config) or [(forgery.config, "net")])
    for _ in range(random.choice((5, 20, 31, 200))):
        container[key] = [container.get(key)] if isinstance(container, dict) else [1]
        container, key = container[key], 0


# -- the network, so that the file stays one ------------------------------------------


def layer(forgery, random):
    """Add a layer that has no tensors, or put one in the place of another."""
    layers = forgery.net["layers"]
    new = random.choice(
        [
            {"kind": random.choice(("relu", "tanh", "gelu", "mish", "identity"))},
            {"kind": "dropout", "p": random.choice((0.0, 0.5, 0.999, 1.0, -0.1))},
            {"kind": "elu", "alpha": random.choice((1.0, 0.0, 1e-300, 1e300))},
        ]
    )
    if random.random() < 0.5:
        layers.append(new)
    elif layers:
        layers[random.randrange(len(layers))] = new


def width(forgery, random):
    """Give all tensors of one extent another one, in the header, config and data."""
    net = forgery.net
    old, new = random.choice((3, 4, 5)), random.choice((1, 2, 3, 4, 5, 6, 40))
    for each in net["layers"]:
        if each.get("units") == old:
            each["units"] = new
    if net.get("in_features") == old:
        net["in_features"] = new
    sizes = {"F32": 4, "F64": 8, "I64": 8}
    at, data = 0, bytearray()
    for entry in forgery.header.values():
        entry["shape"] = [new if n == old else n for n in entry["shape"]]
        size = math.prod(entry["shape"]) * sizes[entry["dtype"]]
        if not 0 <= size < 10_000:
            return
        entry["data_offsets"] = [at, at + size]
        at += size
        data += bytes(size)
    forgery.data = data


def renumbered(forgery, random):
    """Follow the shapes with the ranges after another mutation of the header."""
    at = 0
    for entry in forgery.header.values():
        size = random.choice((4, 12, 48))
        entry["data_offsets"] = [at, at + size]
        at += size


# -- bytes ----------------------------------------------------------------------------


def number(forgery, random):
    """Overwrite a number of the data."""
    value = random.choice((0.0, 1.0, -1.0, 1e38, 1e-45, np.nan, np.inf, -np.inf))
    raw = struct.pack(random.choice(("<f", "<d")), value)
    if len(forgery.data) >= len(raw):
        at = random.randrange(0, len(forgery.data) - len(raw) + 1, 4)
        forgery.data[at : at + len(raw)] = raw


def bits(forgery, random):
    for _ in range(random.choice((1, 2, 30))):
        if forgery.data:
            forgery.data[random.randrange(len(forgery.data))] ^= 1 << random.randrange(
                8
            )


def size(forgery, random):
    at = random.randrange(len(forgery.data) + 1)
    n = random.choice((1, 4, 8, 100))
    if random.random() < 0.5:
        del forgery.data[at : at + n]
    else:
        forgery.data[at:at] = random.randbytes(n)


def text(forgery, random):
    """Edit the header's text, with a length that fits it or not."""
    raw = bytearray(encoded(forgery.header_text()))
    for _ in range(random.choice((1, 1, 2, 10))):
        at = random.randrange(len(raw))
        how = random.randrange(4)
        if how == 0:
            raw[at] = random.randrange(256)
        elif how == 1:
            del raw[at : at + random.choice((1, 2, 50))]
        elif how == 2:
            raw[at:at] = random.choice(
                (
                    b" ",
                    b'"',
                    b"[",
                    b"{",
                    b"}",
                    b",",
                    b"0",
                    b"\\",
                    b"\xff",
                    b"NaN",
                    b"e9",
                )
            )
        else:
            piece = raw[at : at + random.choice((1, 8, 40))]
            to = random.randrange(len(raw))
            raw[to:to] = piece
        if not raw:
            break
    return forgery.with_header(bytes(raw))


def length(forgery, random):
    valid = len(encoded(forgery.header_text()))
    near = (valid + 1, valid - 1, valid + 8, valid - 8, 0, 1, 2, 8)
    far = (2**20, 2**20 + 1, 2**31, 2**32, 2**63, 2**64 - 1, 2**64 - 8)
    told = random.choice((*near, *far, random.getrandbits(64)))
    return forgery.with_header(forgery.header_text(), max(told, 0))


def cut(forgery, random):
    content = forgery.content()
    return content[: random.randrange(len(content))]


def spliced(forgery, random):
    content = forgery.content()
    a, b = (random.randrange(len(content)) for _ in range(2))
    return content[:a] + content[b:]


def raw_bits(forgery, random):
    content = bytearray(forgery.content())
    for _ in range(random.choice((1, 1, 5))):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(content)


MUTATIONS = [
    *((config, 30), (header, 15), (metadata, 4), (order, 1), (nesting, 2)),
    *((layer, 8), (width, 8), (renumbered, 2), (number, 8), (bits, 4), (size, 3)),
    *((text, 8), (length, 3), (cut, 2), (spliced, 2), (raw_bits, 3)),
]
"""Each with how often it is taken."""

__all__ = ["MUTATIONS", "mutated"]
