"""A fit on sparse rows has the bits of one on the same rows written out."""

import copy

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import bits, curves
from sparse_rows.matrices import MATRICES, sparse

# The first layer reads sparse rows itself, but for those that are written out for it.
NETS = {
    "one unit": [fnn.Dense(1)],
    "two units": [fnn.Dense(2)],
    "odd": [fnn.Dense(17, "relu"), fnn.Dense(3)],
    "no bias": [fnn.Dense(33, "gelu", use_bias=False), fnn.Dense(2)],
    "wide": [fnn.Dense(150, "tanh"), fnn.Dropout(0.3), fnn.Dense(3)],
    "batchnorm after": [fnn.Dense(40), fnn.BatchNorm(), fnn.ReLU(), fnn.Dense(3)],
    "batchnorm first": [fnn.BatchNorm(), fnn.Dense(9), fnn.Dense(3)],
    "layernorm first": [fnn.LayerNorm(), fnn.Dense(9), fnn.Dense(3)],
    "dropout first": [fnn.Dropout(0.2), fnn.Dense(20, "relu"), fnn.Dense(3)],
    "activation first": [fnn.Tanh(), fnn.Dense(9), fnn.Dense(3)],
    "weight norm": [fnn.Dense(20, "tanh", weight_norm=True), fnn.Dense(3)],
    "dropconnect": [fnn.Dense(20, "tanh", dropconnect=0.3), fnn.Dense(3)],
    "maxout": [fnn.Maxout(19, 3), fnn.Dense(3)],
    "noise first": [fnn.GaussianNoise(0.2), fnn.Maxout(9), fnn.Dense(3)],
    "block first": [fnn.Residual(fnn.Dense(9, "relu")), fnn.Dense(3)],
    "block without projection": [
        fnn.Dropout(0.2),
        fnn.Residual(fnn.LayerNorm(), fnn.Tanh(), survival=0.5),
        fnn.Dense(3),
    ],
    "block after": [
        fnn.Dense(9),
        fnn.Residual(fnn.ReLU(), fnn.Dense(9)),
        fnn.Dense(3),
    ],
    "no dense": [fnn.Dropout(0.2), fnn.LayerNorm()],
}

# Columns: fewer than a register, just over one part of a sum, many parts.
COLUMNS = [3, 129, 700]


def _everything(name, X, y, validation, dtype, n_threads, batch_size):
    """Return the bits of all that is computed from X."""
    loss = "mse"
    net = fnn.Sequential(*NETS[name], dtype=dtype, seed=3)
    history = net.fit(
        X,
        y,
        loss=loss,
        optimizer=fnn.Adam(lr=0.01),
        epochs=2,
        batch_size=batch_size,
        sample_weight=np.linspace(0.5, 2.0, X.shape[0]),
        n_threads=n_threads,
        **validation,
    )
    value, gradients = net.loss_and_gradients(
        X, y, loss=loss, training=True, n_threads=n_threads
    )
    trainer = fnn.Trainer(net, loss=loss, n_threads=n_threads)
    return {
        "step": trainer.step(X, y),
        "net": bits(net),
        "curves": curves(history),
        "predict": net.predict(X, n_threads=n_threads).tobytes(),
        "hidden": net.hidden(X, 0, n_threads=n_threads).tobytes(),
        "evaluate": net.evaluate(X, y, metrics=["mae"], n_threads=n_threads),
        "loss": value,
        "gradients": {name: g.tobytes() for name, g in gradients.items()},
    }


def _outputs(name, columns):
    return fnn.Sequential(*NETS[name]).build(columns).out_features


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("name", NETS)
def test_as_on_dense_rows(rng, name, columns, dtype):
    X, V = sparse(rng, 155, columns), sparse(rng, 70, columns)
    y = rng.normal(size=(155, _outputs(name, columns)))
    sides = [
        (X.toarray(), y, {"validation_data": (V.toarray(), y[:70])}, dtype),
        (X, y, {"validation_data": (V, y[:70])}, dtype),
    ]
    # batches of one part of a sum, and of two or three
    for batch_size, threads in ((33, (1, 3)), (150, (2,))):
        expected = _everything(name, *sides[0], 1, batch_size)
        for n_threads in threads:
            assert _everything(name, *sides[1], n_threads, batch_size) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", MATRICES)
def test_every_kind_of_matrix(rng, kind, dtype):
    X = MATRICES[kind](sparse(rng, 60, 140))
    before = copy.deepcopy(X)  # X.copy() drops what it does not need
    y = rng.normal(size=(60, 3))
    results = [
        _everything("odd", data, y, {"validation_split": 0.25}, dtype, 2, 16)
        for data in (X, X.toarray())
    ]
    assert results[0] == results[1]
    assert (before != X).nnz == 0
    if X.format in ("csr", "csc"):
        for array in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(X, array), getattr(before, array))


# A row of few nonzeros looks its weights up; a batch, and a fuller row, packs them.
@pytest.mark.parametrize("density", [0.01, 0.1])
@pytest.mark.parametrize("units", [1, 2, 3, 40, 150])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_predicts_alone_what_it_does_in_a_batch(rng, units, density, dtype):
    X = sparse(rng, 130, 700, density)
    layers = [fnn.Dropout(0.5), fnn.Dense(units, "tanh"), fnn.Dense(2)]
    net = fnn.Sequential(*layers, dtype=dtype).build(700)
    together = net.predict(X.toarray())
    np.testing.assert_array_equal(net.predict(X), together)
    for i in range(0, 130, 7):
        np.testing.assert_array_equal(net.predict(X[[i]])[0], together[i])


def test_probabilities(rng):
    X, y = sparse(rng, 50, 30), rng.integers(0, 3, size=50)
    net = fnn.Sequential(fnn.Dense(3))
    net.fit(X, y, epochs=1)
    np.testing.assert_array_equal(net.predict_proba(X), net.predict_proba(X.toarray()))


def test_a_bias_of_minus_zero():
    """The one sum that a zero changes: -0.0 + 0.0."""
    W, b = [[1.0, 1.0], [1.0, 1.0]], [-0.0, 1.0]
    net = fnn.Sequential(fnn.Dense(2, init=(W, b))).build(2)
    X = scipy.sparse.csr_array((1, 2))
    assert net.predict(X).tobytes() == net.predict(X.toarray()).tobytes()


def test_another_matrix_has_other_bits(rng):
    """The comparisons above can fail."""
    X = sparse(rng, 60, 140)
    y = rng.normal(size=(60, 3))
    other = X.copy()
    other.data[-1] += 1e-3
    results = [
        _everything("odd", data, y, {"validation_split": 0.25}, "float64", 1, 16)
        for data in (X, other)
    ]
    assert all(results[0][key] != results[1][key] for key in results[0])
