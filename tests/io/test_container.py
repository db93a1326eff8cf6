"""The container: what is written comes back, in every layout, and nothing else does."""

import json
import pickle

import numpy as np
import pytest
import safetensors.numpy

import fastnn as fnn
from fastnn.io.container import read_container, write_container

TABLE = np.arange(12.0, dtype="f4").reshape(3, 4)

LAYOUTS = {
    "c": TABLE,
    "fortran": np.asfortranarray(TABLE),
    "transposed": TABLE.T,
    "slice": TABLE[:, ::2],
    "reversed": TABLE[::-1, ::-1],
    "broadcast": np.broadcast_to(TABLE[0], (5, 4)),
    "big_endian": TABLE.astype(">f4"),
    "zero_dimensions": np.array(2.5),
    "empty": np.zeros((0, 3)),
    "unaligned": np.frombuffer(b"x" + TABLE.tobytes(), "f4", offset=1),
    "float64": TABLE.astype("f8"),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "uint64": np.array([0, 2**64 - 1], "u8"),
}


def specs(tensors):
    return {k: (v.dtype.newbyteorder("=").name, v.shape) for k, v in tensors.items()}


def read(path, tensors, kinds=("network",), **options):
    return read_container(path, kinds, lambda _, __: specs(tensors), **options)


def test_every_layout_comes_back(tmp_path):
    config = {"a": [1, 2.5, None, True], "ü": "日本"}
    write_container(tmp_path / "x.fnn", "network", config, LAYOUTS)
    kind, found, tensors = read(tmp_path / "x.fnn", LAYOUTS)
    assert (kind, found) == ("network", config)
    assert set(tensors) == set(LAYOUTS)
    for name, array in LAYOUTS.items():
        np.testing.assert_array_equal(tensors[name], array, err_msg=name)
        assert tensors[name].dtype == array.dtype.newbyteorder("="), name
        assert tensors[name].shape == array.shape, name
        assert tensors[name].flags.writeable


def test_safetensors_itself_reads_the_file(tmp_path):
    write_container(tmp_path / "x.fnn", "network", {}, LAYOUTS)
    for name, array in safetensors.numpy.load_file(tmp_path / "x.fnn").items():
        np.testing.assert_array_equal(array, LAYOUTS[name])
    with safetensors.safe_open(tmp_path / "x.fnn", "np") as file:
        assert set(file.metadata()) == {
            *("format", "version", "kind", "config", "config_sha256", "data_sha256")
        }


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(tmp_path, bad):
    tensors = {"net.w": np.ones(3), "history.val_loss": np.array([1.0, bad])}
    path = tmp_path / "x.fnn"
    with pytest.raises(ValueError, match=r"history.val_loss holds NaN or infinity"):
        write_container(path, "trainer", {}, tensors)
    assert not path.exists()
    write_container(path, "trainer", {}, tensors, may_be_nan=("history.",))
    with pytest.raises(fnn.ModelFileError, match=r"tensor 'history\.val_loss': holds"):
        read(path, tensors, ("trainer",))
    *_, found = read(path, tensors, ("network", "trainer"), may_be_nan=("history.",))
    np.testing.assert_array_equal(found["history.val_loss"], [1.0, bad])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"lr": float("nan")}, "not JSON compliant"),
        ({"lr": float("inf")}, "not JSON compliant"),
        ({"seed": 10**30}, "config: holds an integer of 31 characters"),
        ({"name": "\ud800"}, "surrogate"),
        ({"names": json.loads("[" * 40 + "]" * 40)}, "nests deeper than 32"),
        ({"names": "x" * 2**20}, "has too many layers"),
    ],
)
def test_what_could_not_be_read_is_not_written(tmp_path, config, message):
    with pytest.raises(ValueError, match=message):
        write_container(tmp_path / "x.fnn", "network", config, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["f2", "c8", "O", "U3", "i4", "?", "M8[s]"])
def test_types_no_file_holds(tmp_path, dtype):
    with pytest.raises(TypeError, match=r"w is of dtype .*, which no file holds"):
        write_container(tmp_path / "x.fnn", "network", {}, {"w": np.zeros(2, dtype)})


@pytest.mark.parametrize("path", [3, None, b"x.fnn", ["x.fnn"]])
def test_paths_of_a_wrong_type(path):
    with pytest.raises(TypeError, match=r"path must be a string or an os\.PathLike"):
        write_container(path, "network", {}, {})
    with pytest.raises(TypeError, match=r"path must be a string or an os\.PathLike"):
        read(path, {})


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_paths_that_name_no_file(path):
    with pytest.raises(ValueError, match="path must name a file"):
        write_container(path, "network", {}, {})
    with pytest.raises(ValueError, match="path must name a file"):
        read(path, {})


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.fnn"):
        read(tmp_path / "x.fnn", {})


def test_the_error_survives_pickling():
    for error in (
        fnn.ModelFileError("header", "is cut off"),
        fnn.ModelFileError("f" * 10**6, "p" * 10**6, "net.fnn"),
    ):
        twin = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert str(twin) == str(error)
        assert (twin.field, twin.problem, twin.path) == (
            *(error.field, error.problem, error.path),
        )
        assert len(str(twin)) < 1000
