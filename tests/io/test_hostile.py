"""Broken and hostile files: each an error that names the field, none anything else."""

import io
import json
import os
import pickle
import subprocess
import sys
import textwrap
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn
from forge import Forgery


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The parts of a valid file: Dense(3), BatchNorm, Dense(2) for 4 inputs."""
    path = tmp_path_factory.mktemp("valid") / "net.fnn"
    net = fnn.Sequential(fnn.Dense(3, "relu"), fnn.BatchNorm(), fnn.Dense(2))
    net.fit(np.eye(4), [0, 1, 0, 1], epochs=2)
    net.save(path)
    return Forgery(path.read_bytes())


# Each case changes the parts, or returns the content itself. First the field.
CASES = []


def case(field):
    def register(make):
        CASES.append(pytest.param(make, field, id=make.__name__))
        return make

    return register


def table(field, rows):
    """Register rows of (name, change) that fail at one field."""
    for name, make in rows.items():
        CASES.append(pytest.param(make, field, id=name))


def entry(f, name="0.weight"):
    return f.header[name]


# -- no such file at all --------------------------------------------------------------


def _pickle(_):
    return pickle.dumps({"layers": [1, 2, 3]})


def _zip(_):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.json", "{}")
    return buffer.getvalue()


def _npz(_):
    buffer = io.BytesIO()
    np.savez(buffer, w=np.ones(3))
    return buffer.getvalue()


table(
    "file",
    {
        "empty": lambda _: b"",
        "one_byte": lambda _: b"\0",
        "seven_bytes": lambda f: f.content()[:7],
        "last_byte_cut_off": lambda f: f.content()[:-1],
        "half_of_the_data_cut_off": lambda f: f.content()[: -len(f.data) // 2],
        "all_data_cut_off": lambda f: f.content()[: -len(f.data)],
        "a_byte_appended": lambda f: f.content() + b"\0",
        "a_file_appended": lambda f: f.content() * 2,
    },
)
table(
    "header length",
    {
        "only_a_length": lambda f: f.content()[:8],
        "cut_off_in_the_header": lambda f: f.content()[:100],
        "cut_off_before_the_data": lambda f: f.content()[: -len(f.data) - 1],
        "zeros": lambda _: bytes(1000),
        "ones": lambda _: b"\xff" * 1000,
        "length_0": lambda f: f.with_header(f.header_text(), 0),
        "length_1": lambda f: f.with_header(f.header_text(), 1),
        "length_of_a_megabyte_more": lambda f: f.with_header(f.header_text(), 2**20),
        "length_beyond_the_limit": lambda f: f.with_header(" " * (2**20 + 8)),
        "length_2_to_63": lambda f: f.with_header(f.header_text(), 2**63),
        "length_2_to_64_less_1": lambda f: f.with_header(f.header_text(), 2**64 - 1),
        "length_that_wraps_to_the_file": lambda f: f.with_header(
            f.header_text(), 2**64 - 8
        ),
        "a_pickle": _pickle,
        "a_zip": _zip,
        "a_numpy_archive": _npz,
        "a_text": lambda _: b"epochs: 30\nlr: 0.1\n" * 9,
        "a_program": lambda _: Path(sys.executable).resolve().read_bytes()[:4096],
    },
)


# -- the header -----------------------------------------------------------------------


def _text(old, new):
    """A change of the header's text, of the first place where `old` stands."""

    def change(f):
        text = f.header_text()
        assert old in text
        return f.with_header(text.replace(old, new, 1))

    return change


def _twin_tensor(f):
    text = f.header_text()
    one = json.dumps(entry(f))
    return f.with_header(f'{text[:-1]}, "0.weight": {one}}}')


table(
    "header",
    {
        "length_that_is_too_short": lambda f: f.with_header(f.header_text(), 50),
        "length_that_is_too_long": lambda f: f.with_header(
            f.header_text(), len(f.header_text()) + 8
        ),
        "header_of_spaces": lambda f: f.with_header(" " * 64),
        "header_is_a_list": lambda f: f.with_header("[1, 2]"),
        "header_is_a_string": lambda f: f.with_header('"abc"'),
        "header_is_not_utf8": lambda f: f.with_header(b'{"\xff\xfe": 1}'),
        "header_of_two_objects": lambda f: f.with_header(f.header_text() + "{}"),
        "header_with_a_byte_order_mark": lambda f: f.with_header(
            "\ufeff" + f.header_text()
        ),
        "header_with_nul": lambda f: f.with_header(f.header_text() + "\0"),
        "duplicate_tensor": _twin_tensor,
        "duplicate_metadata": lambda f: f.with_header(
            f.header_text()[:-1] + ', "__metadata__": {}}'
        ),
        "duplicate_kind_in_the_metadata": _text('"kind": ', '"kind": "x", "kind": '),
        "duplicate_dtype": _text('"dtype": ', '"dtype": "F64", "dtype": '),
        "duplicate_by_escape": _text('"dtype": ', '"d\\u0074ype": "F32", "dtype": '),
        "nested_10_000_deep": lambda f: f.with_header("[" * 10_000 + "]" * 10_000),
        "nested_500_000_deep": lambda f: f.with_header('{"":' * 200_000),
        "nested_behind_quotes": lambda f: f.with_header(r'{"\\": ' + "[" * 100_000),
        "nested_behind_escapes": lambda f: f.with_header(r'{"\"": ' + "[" * 100_000),
        "a_shape_of_4000_digits": _text('"shape": [', f'"shape": [{10**4000}, '),
        "a_shape_of_100_000_digits": _text('"shape": [', f'"shape": [{"9" * 10**5}, '),
        "NaN_in_the_header": _text('"shape": [', '"shape": [NaN, '),
        "Infinity_in_the_header": _text('"shape": [', '"shape": [-Infinity, '),
        "1e999_in_the_header": _text('"shape": [', '"shape": [1e999, '),
        "a_number_of_1000_decimals": _text('"shape": [', f'"shape": [0.{"1" * 1000}, '),
        "a_lone_surrogate": _text('"0.weight"', r'"0.weight\ud800"'),
        "a_trailing_comma": _text('"shape": [', '"shape": [, '),
    },
)


def _swapped(f):
    """Two tensors of one shape change names: the ranges are those of each other."""
    names = {"1.running_mean": "1.running_var", "1.running_var": "1.running_mean"}
    total = f.data_sha256()
    f.header = {names.get(name, name): e for name, e in f.header.items()}
    return f.content(data_sha256=total)


def _metadata(**changes):
    return lambda f: f.content(**changes)


def _metadata_is(value):
    return lambda f: f.with_header(json.dumps({"__metadata__": value, **f.header}))


table(
    "__metadata__",
    {
        "no_metadata": lambda f: f.with_header(json.dumps(f.header)),
        "metadata_is_a_list": _metadata_is([]),
        "metadata_is_null": _metadata_is(None),
        "metadata_is_a_string": _metadata_is("fastnn"),
    },
)
table(
    "__metadata__.format",
    {
        "no_format": _metadata(format=None),
        "format_of_torch": _metadata(format="pt"),
        "empty_metadata": _metadata_is({}),
    },
)
table("__metadata__.x", {"a_number_in_the_metadata": _metadata_is({"x": 1})})
table("__metadata__.author", {"unknown_metadata": _metadata(author="me")})
table(
    "__metadata__.version",
    {
        "version_999": _metadata(version="999"),
        "version_0": _metadata(version="0"),
        "version_1_0": _metadata(version="1.0"),
        "version_minus_1": _metadata(version="-1"),
        "version_superscript": _metadata(version="²"),
        "version_of_10_000_digits": _metadata(version="9" * 10_000),
        "version_empty": _metadata(version=""),
        "no_version": _metadata(version=None),
    },
)
table(
    "__metadata__.kind",
    {"unknown_kind": _metadata(kind="__import__"), "no_kind": _metadata(kind=None)},
)
table("__metadata__.config", {"no_config": _metadata(config=None, config_sha256="")})
table(
    "config_sha256",
    {
        "wrong_sum_of_the_config": _metadata(config_sha256="0" * 64),
        "empty_sum_of_the_config": _metadata(config_sha256=""),
        "sum_of_the_config_in_capitals": lambda f: f.content(
            config_sha256=json.loads(f.header_text())["__metadata__"][
                "config_sha256"
            ].upper()
            + "A"
        ),
    },
)
table(
    "data_sha256",
    {
        "wrong_sum_of_the_data": _metadata(data_sha256="0" * 64),
        "a_bit_flipped": lambda f: f.content()[:-1] + bytes([f.content()[-1] ^ 1]),
        "two_tensors_swapped": _swapped,
    },
)


# -- the entries ----------------------------------------------------------------------

FIELD = "tensor '0.weight'"


def _entry(**changes):
    def change(f):
        f.header["0.weight"] = {**entry(f), **changes}

    return change


def _entry_is(value):
    def change(f):
        f.header["0.weight"] = value

    return change


table(
    FIELD,
    {
        "entry_is_a_list": _entry_is([]),
        "entry_is_a_number": _entry_is(3),
        "entry_is_empty": _entry_is({}),
        "unknown_field_in_an_entry": _entry(stride=[1]),
        "a_tensor_is_missing": lambda f: _without(f, "0.weight"),
    },
)
table(
    f"{FIELD}: dtype",
    {
        "dtype_unknown": _entry(dtype="F8"),
        "dtype_of_numpy": _entry(dtype="float32"),
        "dtype_of_objects": _entry(dtype="O"),
        "dtype_is_a_number": _entry(dtype=32),
        "dtype_is_a_list": _entry(dtype=["F32"]),
        "dtype_of_halves": _entry(dtype="F16"),
        "dtype_of_doubles": _entry(dtype="F64"),
        "dtype_of_integers": _entry(dtype="I64"),
    },
)
table(
    f"{FIELD}: shape",
    {
        "shape_is_a_number": _entry(shape=12),
        "shape_is_null": _entry(shape=None),
        "shape_negative": _entry(shape=[-3, -4]),
        "shape_of_floats": _entry(shape=[3.0, 4.0]),
        "shape_of_booleans": _entry(shape=[True, 12]),
        "shape_of_strings": _entry(shape=["3", "4"]),
        "shape_nested": _entry(shape=[[3, 4]]),
        "shape_transposed": _entry(shape=[4, 3]),
        "shape_flat": _entry(shape=[12]),
        "shape_with_a_1": _entry(shape=[1, 3, 4]),
        "shape_empty": _entry(shape=[]),
        "shape_whose_product_overflows_64_bits": _entry(shape=[2**33, 2**33]),
        "shape_whose_product_wraps_to_12": _entry(shape=[2**62 + 3, 4]),
        "shape_of_a_terabyte": _entry(shape=[2**19, 2**19]),
        "shape_of_30_000_dimensions": _entry(shape=[2**63] * 30_000),
    },
)
table(
    f"{FIELD}: data_offsets",
    {
        "offsets_of_one": _entry(data_offsets=[0]),
        "offsets_of_three": _entry(data_offsets=[0, 8, 48]),
        "offsets_null": _entry(data_offsets=None),
        "offsets_negative": _entry(data_offsets=[-48, 0]),
        "offsets_of_floats": _entry(data_offsets=[8.0, 56.0]),
        "offsets_reversed": _entry(data_offsets=[56, 8]),
        "offsets_beyond_the_file": _entry(data_offsets=[8, 2**40]),
        "offsets_at_2_to_64": _entry(data_offsets=[2**64 - 48, 2**64]),
        "offsets_over_the_header": _entry(data_offsets=[0, 48]),
    },
)


def _first_entry(**changes):
    """Changes of the tensor that stands first, whose range begins at 0."""

    def change(f):
        name, first = next(iter(f.header.items()))
        f.header[name] = {**first, **changes}

    return change


# False == 0 and 8.0 == 8 in Python: equal to what is right, but not what was written.
table(
    "tensor '1.num_batches_tracked': data_offsets",
    {
        "offsets_with_a_boolean": _first_entry(data_offsets=[False, 8]),
        "offsets_with_an_equal_float": _first_entry(data_offsets=[0, 8.0]),
        "offsets_with_minus_0": _first_entry(data_offsets=[-0.0, 8]),
    },
)


def _without(f, name):
    del f.header[name]


@case("tensor '3.weight'")
def a_tensor_too_many(f):
    size = len(f.data)
    f.header["3.weight"] = {
        "dtype": "F32", "shape": [0], "data_offsets": [size, size]
    }  # fmt: skip


@case("tensor '0.weight\\n'")
def a_name_with_a_line_break(f):
    f.header = {n.replace("0.weight", "0.weight\n"): e for n, e in f.header.items()}


@case("tensor '0.bias': data_offsets")
def two_tensors_overlap(f):
    begin, end = entry(f, "0.bias")["data_offsets"]
    f.header["0.bias"]["data_offsets"] = [begin - 4, end - 4]


@case("tensor '0.bias': data_offsets")
def two_tensors_share_a_range(f):
    f.header["0.bias"]["data_offsets"] = entry(f, "1.bias")["data_offsets"]


@case("tensor '0.bias': data_offsets")
def a_gap(f):
    begin, _ = entry(f, "0.bias")["data_offsets"]
    f.data[begin:begin] = bytes(4)
    for e in f.header.values():
        if e["data_offsets"][0] >= begin:
            e["data_offsets"] = [at + 4 for at in e["data_offsets"]]


@case("tensor '2.weight': data_offsets")
def tensors_not_in_order(f):
    f.header = dict(reversed(f.header.items()))


# -- the config -----------------------------------------------------------------------


def _config_text(text):
    return lambda f: f.content(config=text)


table(
    "config",
    {
        "config_empty": _config_text(""),
        "config_is_a_list": _config_text("[]"),
        "config_is_null": _config_text("null"),
        "config_is_not_json": _config_text("{'net': 1}"),
        "config_nested_10_000_deep": _config_text("[" * 10_000 + "]" * 10_000),
        "config_nested_33_deep": _config_text('{"net":' * 33 + "1" + "}" * 33),
        "config_with_NaN": lambda f: _replaced(f, '"seed": 0', '"seed": NaN'),
        "config_with_Infinity": lambda f: _replaced(f, '"seed": 0', '"seed": Infinity'),
        "config_with_a_duplicate": lambda f: _replaced(
            f, '"seed": 0', '"seed": 0, "seed": 1'
        ),
        "config_with_10_to_1000_units": lambda f: _replaced(
            f, '"units": 3', f'"units": {10**1000}'
        ),
        "config_with_a_lone_surrogate": lambda f: _replaced(
            f, '"seed": 0', r'"seed": "\udfff"'
        ),
    },
)
table("header", {"config_with_a_raw_surrogate": _config_text('{"net": "\ud800"}')})


def _replaced(f, old, new):
    text = json.dumps(f.config)
    assert old in text
    return f.content(config=text.replace(old, new, 1))


def _net(**changes):
    def change(f):
        f.net.update(changes)

    return change


def _net_without(name):
    def change(f):
        del f.net[name]

    return change


def _set(f, key, value):
    f.config[key] = value


table(
    "config.net",
    {
        "net_is_a_list": lambda f: _set(f, "net", []),
        "net_is_null": lambda f: _set(f, "net", None),
    },
)
table("config.trainer", {"unknown_part": lambda f: _set(f, "trainer", {})})
table("config.net.optimizer", {"unknown_field_of_the_net": _net(optimizer="adam")})
for missing in ("layers", "seed", "dtype", "in_features", "epochs", "steps", "loss"):
    table(f"config.net.{missing}", {f"{missing}_is_missing": _net_without(missing)})
table(
    "config.net.seed",
    {
        "seed_negative": _net(seed=-1),
        "seed_a_float": _net(seed=0.5),
        "seed_a_boolean": _net(seed=True),
        "seed_2_to_64": _net(seed=2**64),
        "seed_a_megabyte": _net(seed="x" * 10**6),
        "seed_null": _net(seed=None),
    },
)
table(
    "config.net.dtype",
    {
        "dtype_float16": _net(dtype="float16"),
        "dtype_f4": _net(dtype="f4"),
        "dtype_object": _net(dtype="object"),
        "dtype_a_record": _net(dtype="f4," * 1000),
        "dtype_a_dict": _net(dtype={}),
        "dtype_a_boolean": _net(dtype=True),
    },
)
table(
    "config.net.in_features",
    {
        "in_features_0": _net(in_features=0),
        "in_features_negative": _net(in_features=-4),
        "in_features_a_float": _net(in_features=4.0),
        "in_features_true": _net(in_features=True),
        "in_features_2_to_62": _net(in_features=2**62),
        "in_features_a_list": _net(in_features=[4]),
    },
)
table(
    "config.net.epochs",
    {"epochs_negative": _net(epochs=-1), "epochs_2_to_63": _net(epochs=2**63)},
)
table("config.net.steps", {"steps_a_float": _net(steps=1e300)})
table(
    f"{FIELD}: shape",
    {
        "in_features_5": _net(in_features=5),
        "in_features_2_to_61": _net(in_features=2**61),
    },
)
table(f"{FIELD}: dtype", {"dtype_float64": _net(dtype="float64")})
table(
    "config.net.layers",
    {
        "no_layers": _net(layers=[]),
        "layers_a_dict": _net(layers={}),
        "layers_a_string": _net(layers="relu"),
        "layers_null": _net(layers=None),
    },
)


def _layer(i, **changes):
    def change(f):
        f.net["layers"][i].update(changes)

    return change


def _layer_is(i, value):
    def change(f):
        f.net["layers"][i] = value

    return change


LAYER = "config.net.layers[0]"
table(
    LAYER,
    {
        "layer_a_string": _layer_is(0, "relu"),
        "layer_null": _layer_is(0, None),
        "layer_a_list": _layer_is(0, [{"kind": "relu"}]),
        "units_0": _layer(0, units=0),
        "units_negative": _layer(0, units=-(2**62)),
        "units_a_float": _layer(0, units=3.0),
        "units_a_boolean": _layer(0, units=True),
        "units_2_to_63": _layer(0, units=2**63),
        "units_a_list": _layer(0, units=[3]),
        "lr_scale_negative": _layer(0, lr_scale=-1.0),
        "use_bias_1": _layer(0, use_bias=1),
        "init_os_system": _layer(0, init="os.system"),
        "activation_eval": _layer(0, activation="eval"),
        "activation_a_batchnorm": _layer(0, activation={"kind": "batchnorm"}),
    },
)
table(
    f"{LAYER}.kind",
    {
        "kind_import": _layer_is(0, {"kind": "__import__"}),
        "kind_os_system": _layer_is(0, {"kind": "os.system", "command": "true"}),
        "kind_of_a_class": _layer_is(0, {"kind": "fastnn.layers.Dense"}),
        "kind_of_an_optimizer": _layer_is(0, {"kind": "adam"}),
        "kind_a_megabyte": _layer_is(0, {"kind": "k" * 10**6}),
        "kind_a_list": _layer_is(0, {"kind": ["dense"]}),
        "kind_a_dict": _layer_is(0, {"kind": {}}),
        "kind_missing": _layer_is(0, {"units": 3}),
    },
)
table(f"{LAYER}.__class__", {"field_class": _layer(0, __class__="os.system")})
table(f"{LAYER}.self", {"field_self": _layer(0, self=1)})
table(f"{LAYER}.units", {"units_missing": _layer_is(0, {"kind": "dense"})})
table(
    f"{LAYER}.init",
    {"init_arrays": _layer(0, in_features=4, init=[[[0] * 4] * 3, [0] * 3])},
)
table(
    f"{LAYER}.activation",
    {
        "activation_by_name": _layer(0, activation="relu"),
        "activation_a_megabyte": _layer(0, activation="x" * 10**6),
    },
)
table(
    f"{LAYER}.activation.kind",
    {
        "activation_unknown": _layer(0, activation={"kind": "__reduce__"}),
        "activation_empty": _layer(0, activation={}),
    },
)
table("config.net.layers[1]", {"eps_negative": _layer(1, eps=-1.0)})
table("config.net.layers[1].p", {"field_of_another_layer": _layer(1, p=0.5)})
table("config.net.layers", {"widths_disagree": _layer(2, in_features=7)})
table(
    "config.net.layers", {"widths_disagree_with_in_features": _layer(0, in_features=7)}
)
table(f"{FIELD}: shape", {"units_2_to_62": _layer(0, units=2**62)})
table("tensor '2.bias'", {"a_layer_less": lambda f: f.net["layers"].pop()})
table("tensor '3.weight'", {
    "a_layer_more": lambda f: f.net["layers"].append({"kind": "dense", "units": 2})
})  # fmt: skip
table("tensor '0.bias'", {"use_bias_false": _layer(0, use_bias=False)})


def _loss(value):
    return _net(loss=value)


table("config.net.loss", {"loss_a_string": _loss("mse"), "loss_a_list": _loss([])})
table("config.net.loss.kind", {"loss_a_layer": _loss({"kind": "relu"})})
table(
    "config.net.loss",
    {"loss_out_of_range": _loss({"kind": "huber", "delta": -1.0})},
)


table(
    "config.net.frozen",
    {
        "frozen_empty": _net(frozen=[]),
        "frozen_null": _net(frozen=None),
        "frozen_a_number": _net(frozen=0),
        "frozen_a_boolean": _net(frozen=[True]),
        "frozen_a_float": _net(frozen=[0.0]),
        "frozen_negative": _net(frozen=[-1]),
        "frozen_beyond": _net(frozen=[3]),
        "frozen_huge": _net(frozen=[2**60]),
        "frozen_twice": _net(frozen=[1, 1]),
        "frozen_unsorted": _net(frozen=[1, 0]),
        "frozen_lists": _net(frozen=[[0]]),
        "frozen_a_megabyte": _net(frozen="0" * 10**6),
    },
)


# -- the numbers ----------------------------------------------------------------------


def _number(name, value, dtype="f4", at=0):
    def change(f):
        begin = f.tensor(name).start + at
        raw = np.array([value], dtype).tobytes()
        f.data[begin : begin + len(raw)] = raw

    return change


for tensor in ("0.weight", "0.bias", "1.running_mean", "1.running_var", "2.bias"):
    for value in (np.nan, np.inf, -np.inf):
        table(
            f"tensor {tensor!r}",
            {f"{value}_in_{tensor}": _number(tensor, value, at=4)},
        )
table("tensors", {"negative_variance": _number("1.running_var", -1e-30)})
table("tensors", {"negative_count": _number("1.num_batches_tracked", -1, "i8")})


# -- the tests ------------------------------------------------------------------------


def test_the_table_is_long():
    assert len(CASES) >= 150


def test_the_valid_file_is_valid(valid, tmp_path):
    """Otherwise every case below would fail for another reason than its own."""
    path = tmp_path / "net.fnn"
    path.write_bytes(valid.content())
    assert fnn.load(path).in_features == 4


@pytest.mark.parametrize(("make", "field"), CASES)
def test_refused(make, field, valid, tmp_path):
    forged = valid.copy()
    made = make(forged)
    path = tmp_path / "net.fnn"
    path.write_bytes(made if isinstance(made, bytes) else forged.content())
    tracemalloc.start()
    try:
        with pytest.raises(fnn.ModelFileError) as caught:
            fnn.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{path}: {field}: ")
    assert len(str(caught.value)) < 1000
    assert len(repr(caught.value)) < 1000
    str(caught.value).encode()
    assert peak < 2**20 + 40 * path.stat().st_size


def test_truncated_anywhere(valid, tmp_path):
    content = valid.content()
    path = tmp_path / "net.fnn"
    for length in range(0, len(content), 13):
        path.write_bytes(content[:length])
        with pytest.raises(fnn.ModelFileError, match=r"cut off|is not JSON"):
            fnn.load(path)


def test_any_byte_changed(valid, tmp_path):
    """Most are found by a sum; a space for a space in JSON is nobody's loss."""
    content = valid.content()
    path = tmp_path / "net.fnn"
    path.write_bytes(content)
    numbers = fnn.load(path).parameters.tobytes()
    for at in range(0, len(content), 11):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        try:
            assert fnn.load(path).parameters.tobytes() == numbers
        except fnn.ModelFileError:
            continue


def test_a_newer_version_says_what_to_do(valid, tmp_path):
    path = tmp_path / "net.fnn"
    path.write_bytes(valid.content(version="2", something_new="x"))
    with pytest.raises(fnn.ModelFileError, match=r"newer than 1, .* update fastnn"):
        fnn.load(path)


def test_a_folder(tmp_path):
    with pytest.raises(fnn.ModelFileError, match="file: is a folder") as caught:
        fnn.load(tmp_path)
    assert caught.value.path == str(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="POSIX alone has this")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/null"):
        with pytest.raises(fnn.ModelFileError, match="file: is a pipe or device"):
            fnn.load(path)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS works on Linux")
def test_memory_that_a_header_promises_is_not_asked_for(valid, tmp_path):
    """Headers tell of up to 2**60 bytes in processes that may have 300 MB more."""
    paths = []
    for units in (10**6, 2**30, 2**60):
        forged = valid.copy()
        forged.net["layers"][0]["units"] = units
        forged.header["0.weight"]["shape"] = [units, 4]
        forged.header["0.weight"]["data_offsets"] = [8, 8 + units * 16]
        paths.append(tmp_path / f"{units}.fnn")
        paths[-1].write_bytes(forged.content())
    code = textwrap.dedent(
        """
        import resource, sys
        import fastnn as fnn
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + 300 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for path in sys.argv[1:]:
            try:
                fnn.load(path)
            except fnn.ModelFileError as error:
                print(error.field)
        """
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *paths], check=True, capture_output=True, text=True
    )
    assert len(run.stdout.splitlines()) == len(paths)


def test_nothing_is_executed(valid, tmp_path):
    """A load of a hostile file imports no module and makes no file."""
    path = tmp_path / "net.fnn"
    forged = valid.copy()
    forged.net["layers"][0] = {"kind": "antigravity.fly", "units": 3}
    path.write_bytes(forged.content())
    before = set(sys.modules)
    with pytest.raises(fnn.ModelFileError):
        fnn.load(path)
    assert not {m for m in set(sys.modules) - before if "antigravity" in m}
    assert [p.name for p in tmp_path.iterdir()] == ["net.fnn"]
