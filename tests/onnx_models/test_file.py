"""Writing a model: where, over what, and what is told about it."""

import builtins
import importlib
import threading
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn

onnx = pytest.importorskip("onnx")


@pytest.fixture
def net():
    return fnn.Sequential(fnn.Dense(3, "gelu"), fnn.Dense(2)).build(4)


@pytest.mark.parametrize("as_path", [str, Path])
def test_the_file_is_the_model(runtime, net, tmp_path, as_path):
    path = tmp_path / "nét 1.onnx"
    assert net.to_onnx(as_path(path)) is None
    onnx.checker.check_model(str(path), full_check=True)
    X = np.ones((2, 4), "f4")
    np.testing.assert_allclose(
        runtime.run(path, X)["outputs"], net.predict(X), rtol=1e-5, atol=1e-5
    )


def test_where_it_comes_from(runtime, net):
    model = runtime.model(net)
    assert (model.producer_name, model.producer_version) == ("fastnn", fnn.__version__)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 20)]
    assert model.ir_version == 9
    assert "Dense(3, activation=GELU())" in model.doc_string


def test_the_same_network_gives_the_same_bytes(runtime, net):
    first, second = (runtime.model(n).SerializeToString() for n in (net, net.copy()))
    assert first == second


def test_an_existing_file_is_replaced(net, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"x" * 10**6)
    net.to_onnx(path)
    onnx.checker.check_model(str(path))
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]


def test_a_failure_keeps_the_existing_file(net, tmp_path, monkeypatch):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", _full_disk)
    with pytest.raises(OSError, match="No space left"):
        net.to_onnx(path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]


def _full_disk(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (None, TypeError),
        (3, TypeError),
        (b"net.onnx", TypeError),
        ("", ValueError),
        ("no/such/folder/net.onnx", FileNotFoundError),
        (".", IsADirectoryError),
    ],
)
def test_unusable_paths(net, tmp_path, monkeypatch, path, error):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        net.to_onnx(path)
    assert list(tmp_path.iterdir()) == []


def test_an_unbuilt_network(tmp_path):
    net = fnn.Sequential(fnn.Dense(3))
    with pytest.raises(fnn.NotBuiltError, match="to_onnx: this network does not know"):
        net.to_onnx(tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_whose_width_is_declared_needs_no_build(tmp_path):
    fnn.Sequential(fnn.Dense(3, in_features=2)).to_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_is_not_finite(net, tmp_path, value):
    net.parameters[-1] = value
    with pytest.raises(ValueError, match=r"tensor '1\.bias' holds NaN or infinity"):
        net.to_onnx(tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_beyond_the_format(net, monkeypatch):
    monkeypatch.setattr("fastnn.onnx.export._MAX_BYTES", 50)
    with pytest.raises(ValueError, match=r"GiB, but an ONNX file holds at most 2"):
        fnn.onnx.to_model(net)


def test_without_the_package_the_extra_is_named(net, tmp_path, monkeypatch):
    real = importlib.import_module

    def refuse(name, *args):
        if name == "onnx":
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(ImportError, match=r"pip install 'fastnn\[onnx\]'"):
        net.to_onnx(tmp_path / "net.onnx")


def test_a_broken_package_is_not_called_missing(net, monkeypatch):
    real = builtins.__import__

    def broken(name, *args, **kwargs):
        if name == "onnx" or name.startswith("onnx."):
            raise ModuleNotFoundError("No module named 'google'", name="google")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(importlib, "import_module", lambda name: broken(name) or None)
    with pytest.raises(ModuleNotFoundError, match="google"):
        fnn.onnx.to_model(net)


def test_many_threads_export_one_network(net):
    models = []
    work = [
        threading.Thread(
            target=lambda: models.append(fnn.onnx.to_model(net).SerializeToString())
        )
        for _ in range(4)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(set(models)) == 1
    assert len(models) == 4
