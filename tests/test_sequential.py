"""Sequential: description, building, numbers, inference, copies."""

import copy
import pickle
import threading
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import fastnn as fnn


def _net(**options):
    return fnn.Sequential(
        fnn.Dense(5, "tanh"),
        fnn.BatchNorm(),
        fnn.ReLU(),
        fnn.Dropout(0.3),
        fnn.Dense(3),
        **options,
    )


@pytest.fixture
def fitted(rng):
    net = _net(seed=4)
    net.fit(rng.normal(size=(40, 4)), rng.integers(0, 3, size=40), epochs=2)
    return net


def _bits(net):
    return {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in net.state_dict().items()
    }


# -- description ----------------------------------------------------------------------


def test_layers_as_arguments_or_list():
    layers = (fnn.Dense(3), fnn.ReLU())
    for net in (fnn.Sequential(*layers), fnn.Sequential(list(layers))):
        assert net.layers == layers


def test_repr():
    assert repr(_net(seed=3)) == (
        "Sequential(\n"
        "  (0): Dense(5, activation=Tanh())\n"
        "  (1): BatchNorm()\n"
        "  (2): ReLU()\n"
        "  (3): Dropout(p=0.3)\n"
        "  (4): Dense(3)\n"
        "  seed=3, dtype='float32'\n"
        ")"
    )


def test_summary():
    assert _net().build(4).summary().splitlines() == [
        "   Layer                        Output  Parameters",
        "--------------------------------------------------",
        "   input                        (n, 4)",
        "0  Dense(5, activation=Tanh())  (n, 5)          25",
        "1  BatchNorm()                  (n, 5)          10",
        "2  ReLU()                       (n, 5)           0",
        "3  Dropout(p=0.3)               (n, 5)           0",
        "4  Dense(3)                     (n, 3)          18",
        "--------------------------------------------------",
        "53 parameters, float32, 0.2 KiB",
        "10 running statistics, not trained by gradients",
    ]


def _html_rows(net):
    """Return the cells of the table in a network's HTML, and the lines below it."""
    fragment = ET.fromstring(net._repr_html_())  # noqa: S314  (our own)
    rows = [["".join(cell.itertext()) for cell in row] for row in fragment.iter("tr")]
    return rows, [line.text for line in fragment.iter("div") if line.text.strip()]


def test_html():
    rows, below = _html_rows(_net().build(4))
    assert rows == [
        ["", "Layer", "Output", "Parameters"],
        ["", "input", "(n, 4)", ""],
        ["0", "Dense(5, activation=Tanh())", "(n, 5)", "25"],
        ["1", "BatchNorm()", "(n, 5)", "10"],
        ["2", "ReLU()", "(n, 5)", "0"],
        ["3", "Dropout(p=0.3)", "(n, 5)", "0"],
        ["4", "Dense(3)", "(n, 3)", "18"],
    ]
    assert below == [
        "53 parameters, float32, 0.2 KiB",
        "10 running statistics, not trained by gradients",
    ]


def test_html_of_a_network_that_is_not_built():
    net = fnn.Sequential(fnn.ReLU(), fnn.Dense(3), fnn.LayerNorm())
    rows, below = _html_rows(net)
    assert [row[2:] for row in rows[1:]] == [
        ["(n, ?)", ""],
        ["(n, ?)", ""],
        ["(n, 3)", ""],
        ["(n, 3)", "6"],
    ]
    assert below == ["the input's width is not known yet: fit, or build(in_features)"]
    assert "not built yet" in net._repr_html_()
    assert net._native is None, "to show a network does not build it"


def test_html_escapes_names():
    class Odd(fnn.Sequential):
        pass

    Odd.__name__ = "<script>alert(1)</script>"
    html = Odd(fnn.Dense(1, init=([[1.0]], [0.0])))._repr_html_()
    assert "<script>" not in html
    ET.fromstring(html)  # noqa: S314


def test_widths():
    net = fnn.Sequential(fnn.Dropout(0.1), fnn.Dense(3, in_features=7), fnn.ReLU())
    assert (net.in_features, net.out_features) == (7, 3)
    net = fnn.Sequential(fnn.ReLU(), fnn.LayerNorm())
    assert (net.in_features, net.out_features) == (None, None)
    net.build(6)
    assert (net.in_features, net.out_features) == (6, 6)
    assert _net().out_features == 3


CONSTRUCTION_ERRORS = [
    (fnn.Sequential, ValueError, ["layers", "at least one"]),
    (lambda: fnn.Sequential([]), ValueError, ["layers", "at least one"]),
    (lambda: fnn.Sequential("relu"), TypeError, ["layers[0]", "str 'relu'"]),
    (
        lambda: fnn.Sequential(fnn.Dense(1), fnn.ReLU),
        TypeError,
        ["layers[1]", "ReLU()"],
    ),
    (
        lambda: fnn.Sequential(fnn.Dense(4), fnn.ReLU(), fnn.Dense(2, in_features=5)),
        ValueError,
        ["layers[2]", "in_features=5", "gives 4"],
    ),
    (lambda: _net(seed=-1), ValueError, ["seed", "-1"]),
    (lambda: _net(seed=2**64), ValueError, ["seed", "2**64"]),
    (lambda: _net(seed=1.5), TypeError, ["seed", "1.5"]),
    (lambda: _net(seed=None), TypeError, ["seed", "None"]),
    (lambda: _net(dtype="float16"), ValueError, ["dtype", "'float16'", "float32"]),
    (lambda: _net(dtype="flot32"), ValueError, ["dtype", "did you mean 'float32'"]),
    (lambda: _net(dtype=None), ValueError, ["dtype", "None"]),
    (lambda: _net(units=3), TypeError, ["units"]),
    (lambda: _net().build(0), ValueError, ["in_features", "0"]),
    (lambda: _net().build("4"), TypeError, ["in_features", "'4'"]),
    (lambda: _net().build(4).build(5), ValueError, ["made for 4 features", "got 5"]),
    (
        lambda: fnn.Sequential(fnn.Dense(1, in_features=3)).build(5),
        ValueError,
        ["made for 3", "got 5"],
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), CONSTRUCTION_ERRORS)
def test_construction_errors(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


# -- building -------------------------------------------------------------------------

NEEDS_WIDTH = {
    "predict": lambda net: net.predict(np.ones((2, 4))),
    "hidden": lambda net: net.hidden(np.ones((2, 4)), 0),
    "evaluate": lambda net: net.evaluate(np.ones((2, 4)), [0, 1], loss="cross_entropy"),
    "loss_and_gradients": lambda net: net.loss_and_gradients(
        np.ones((2, 4)), [0, 1], loss="cross_entropy"
    ),
    "parameters": lambda net: net.parameters,
    "n_parameters": lambda net: net.n_parameters,
    "state_dict": lambda net: net.state_dict(),
    "load_state_dict": lambda net: net.load_state_dict({}),
    "summary": lambda net: net.summary(),
}


@pytest.mark.parametrize("name", NEEDS_WIDTH)
def test_not_built(name):
    with pytest.raises(fnn.NotBuiltError, match=rf"^{name}: .*net\.build"):
        NEEDS_WIDTH[name](_net())


@pytest.mark.parametrize("name", sorted(set(NEEDS_WIDTH) - {"load_state_dict"}))
def test_a_declared_width_is_enough(name):
    net = fnn.Sequential(fnn.Dense(5, in_features=4), fnn.Dense(3))
    assert NEEDS_WIDTH[name](net) is not None


def test_build_again_changes_nothing():
    net = _net().build(4)
    net.parameters[:] = 1.0
    assert net.build(4) is net
    assert (net.parameters == 1.0).all()


def test_seed_decides_the_weights():
    first, again, other = (_net(seed=s).build(4).parameters for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


# -- numbers --------------------------------------------------------------------------


def test_state_dict_has_the_names_of_torch():
    state = _net().build(4).state_dict()
    assert {name: a.shape for name, a in state.items()} == {
        "0.weight": (5, 4),
        "0.bias": (5,),
        "1.weight": (5,),
        "1.bias": (5,),
        "1.running_mean": (5,),
        "1.running_var": (5,),
        "1.num_batches_tracked": (),
        "4.weight": (3, 5),
        "4.bias": (3,),
    }
    assert state["1.num_batches_tracked"].dtype == np.int64


def test_parameters_are_the_trainable_tensors_in_order(fitted):
    state = fitted.state_dict()
    names = ["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"]
    np.testing.assert_array_equal(
        fitted.parameters, np.concatenate([state[name].ravel() for name in names])
    )
    assert fitted.n_parameters == fitted.parameters.size == 53
    fitted.parameters[0] = 7.0
    assert fitted.state_dict()["0.weight"][0, 0] == 7.0
    state["0.weight"][0, 0] = 9.0  # a copy
    assert fitted.parameters[0] == 7.0


def test_parameters_outlive_their_network():
    view = _net().build(4).parameters
    assert np.isfinite(view).all()
    view[:] = 2.0
    assert view.sum() == 2.0 * view.size


def test_state_round_trip(fitted, rng):
    other = _net(seed=99).build(4)
    other.load_state_dict(fitted.state_dict())
    assert _bits(other) == _bits(fitted)
    X = rng.normal(size=(5, 4))
    np.testing.assert_array_equal(other.predict(X), fitted.predict(X))


def test_state_in_any_layout(fitted):
    other = _net(seed=99).build(4)
    other.load_state_dict(
        {
            name: np.array(a, order="F", dtype=a.dtype.newbyteorder(">"))
            for name, a in fitted.state_dict().items()
        }
    )
    assert _bits(other) == _bits(fitted)


def test_not_strict_takes_what_is_there(fitted):
    before = fitted.state_dict()
    new = np.ones(3, np.float32)
    fitted.load_state_dict({"4.bias": new, "9.bias": new}, strict=False)
    after = fitted.state_dict()
    np.testing.assert_array_equal(after.pop("4.bias"), new)
    for name, array in after.items():
        np.testing.assert_array_equal(array, before[name])


def _changed(**changes):
    def change(state):
        state.update({k.replace("_", ".", 1): c for k, c in changes.items()})
        return state

    return change


def _without(name):
    return lambda state: {k: a for k, a in state.items() if k != name}


STATE_ERRORS = [
    (lambda _: None, TypeError, ["mapping", "NoneType"]),
    (_without("0.bias"), ValueError, ["missing 0.bias"]),
    (_changed(**{"7_bias": np.ones(1)}), ValueError, ["unexpected 7.bias"]),
    (
        _changed(**{"4_weight": np.ones((5, 3), "f4")}),
        ValueError,
        ["'4.weight'", "(3, 5)", "(5, 3)"],
    ),
    (
        _changed(**{"4_weight": np.ones((3, 5))}),
        ValueError,
        ["'4.weight'", "float32", "float64", ".astype"],
    ),
    (
        _changed(**{"4_bias": np.array([1, np.nan, 1], "f4")}),
        ValueError,
        ["'4.bias'", "NaN", "row 1"],
    ),
    (_changed(**{"4_bias": "abc"}), TypeError, ["'4.bias'", "str"]),
    (
        _changed(**{"1_num_batches_tracked": np.array(-1)}),
        ValueError,
        ["num_batches_tracked", "-1"],
    ),
]


@pytest.mark.parametrize(("change", "error", "words"), STATE_ERRORS)
def test_state_errors_change_nothing(fitted, change, error, words):
    before = _bits(fitted)
    state = {name: a + np.ones((), a.dtype) for name, a in fitted.state_dict().items()}
    with pytest.raises(error) as caught:
        fitted.load_state_dict(change(state))
    for word in words:
        assert word in str(caught.value)
    assert _bits(fitted) == before


# -- inference ------------------------------------------------------------------------


def test_forward_by_hand():
    # [1 2; -3 1] [1, -1] + [0, 1] = [-1, -3], and h = tanh of it
    W1, b1 = np.array([[1.0, 2.0], [-3.0, 1.0]]), np.array([0.0, 1.0])
    W2, b2 = np.array([[0.5, -2.0]]), np.array([0.25])
    net = fnn.Sequential(
        fnn.Dense(2, init=(W1, b1)),
        fnn.Tanh(),
        fnn.Dense(1, init=(W2, b2)),
        dtype="float64",
    )
    h = np.tanh([-1.0, -3.0])
    x = [[1.0, -1.0]]
    np.testing.assert_allclose(net.hidden(x, 0), [[-1.0, -3.0]], rtol=1e-15)
    np.testing.assert_allclose(net.hidden(x, 1), [h], rtol=1e-14)
    np.testing.assert_allclose(
        net.predict(x), [[0.5 * h[0] - 2 * h[1] + 0.25]], rtol=1e-14
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_have_the_network_s_dtype(dtype, rng):
    net = _net(dtype=dtype).build(4)
    X = rng.normal(size=(6, 4))
    assert net.predict(X).dtype == dtype
    assert net.predict(X).shape == (6, 3)
    assert net.hidden(X, 1).shape == (6, 5)
    np.testing.assert_array_equal(net.hidden(X, -1), net.predict(X))


def test_hidden_layers(fitted, rng):
    X = rng.normal(size=(6, 4))
    state = fitted.state_dict()
    normal = fitted.hidden(X, 1)
    np.testing.assert_array_equal(fitted.hidden(X, 2), np.maximum(normal, 0))
    np.testing.assert_array_equal(fitted.hidden(X, 3), fitted.hidden(X, 2))
    np.testing.assert_allclose(
        fitted.predict(X),
        fitted.hidden(X, 3) @ state["4.weight"].T + state["4.bias"],
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_row_alone_and_in_a_batch(fitted, rng):
    X = rng.normal(size=(37, 4))
    whole = fitted.predict(X)
    for i in (0, 1, 17, 36):
        np.testing.assert_array_equal(fitted.predict(X[i : i + 1])[0], whole[i])
    for n_threads in (1, 2, 3):
        np.testing.assert_array_equal(fitted.predict(X, n_threads=n_threads), whole)


def test_predict_from_many_threads_at_once(fitted, rng):
    X = rng.normal(size=(500, 4))
    expected = fitted.predict(X)
    results = [None] * 8

    def work(i):
        results[i] = fitted.predict(X)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_probabilities(rng):
    X = rng.normal(size=(20, 4))
    net = _net()
    net.fit(X, rng.integers(0, 3, size=20), epochs=1)
    outputs = net.predict(X).astype(np.float64)
    exps = np.exp(outputs)
    np.testing.assert_allclose(
        net.predict_proba(X), exps / exps.sum(axis=1, keepdims=True), rtol=1e-5
    )
    net.fit(X, rng.integers(0, 2, size=(20, 3)), loss="binary_cross_entropy", epochs=1)
    outputs = net.predict(X).astype(np.float64)
    np.testing.assert_allclose(
        net.predict_proba(X), 1 / (1 + np.exp(-outputs)), rtol=1e-5
    )
    assert net.predict_proba(X).dtype == np.float32


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_probabilities_of_huge_outputs(loss):
    net = fnn.Sequential(fnn.Dense(2))
    y = [0, 1] if loss == "cross_entropy" else [[0, 1], [1, 0]]
    net.fit(np.ones((2, 1)), y, loss=loss, epochs=1)
    net.parameters[:] = [0, 0, 1e5, -1e5]
    np.testing.assert_array_equal(net.predict_proba([[1.0]]), [[1.0, 0.0]])


def test_no_probabilities_without_a_loss_for_them(rng):
    net = _net().build(4)
    with pytest.raises(ValueError, match="not fitted yet"):
        net.predict_proba(np.ones((1, 4)))
    net.fit(rng.normal(size=(8, 4)), rng.normal(size=(8, 3)), loss="mse", epochs=1)
    with pytest.raises(ValueError, match=r"'mse'.*use predict"):
        net.predict_proba(np.ones((1, 4)))


def test_evaluate_takes_the_last_loss(rng):
    X, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
    net = _net().build(4)
    with pytest.raises(ValueError, match="pass loss="):
        net.evaluate(X, y)
    net.fit(X, y, loss="mae", epochs=1)
    report = net.evaluate(X, y, metrics=["mae", "r2"])
    assert report["loss"] == pytest.approx(np.abs(net.predict(X) - y).mean(), rel=1e-5)
    assert report["mae"] == pytest.approx(report["loss"], rel=1e-5)
    residual = ((y - net.predict(X)) ** 2).sum(axis=0)
    spread = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    assert report["r2"] == pytest.approx((1 - residual / spread).mean(), rel=1e-4)


def test_metrics_of_classes():
    outputs = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.0, 4.0]])
    net = fnn.Sequential(fnn.Identity()).build(2)
    report = net.evaluate(
        outputs, [0, 0, 0, 1], loss="cross_entropy", metrics=["accuracy", "auc"]
    )
    assert report["accuracy"] == 0.75
    assert report["auc"] == 1.0  # margins -1, 1, -3 of class 0 lie below 4 of class 1
    weighted = net.evaluate(
        outputs,
        [0, 0, 0, 1],
        loss="cross_entropy",
        metrics="accuracy",
        sample_weight=[1, 5, 1, 1],
    )
    assert weighted["accuracy"] == 3 / 8


INFERENCE_ERRORS = [
    (lambda n: n.predict(np.ones((2, 5))), ValueError, ["X", "5 features", "4"]),
    (lambda n: n.predict(np.ones(4)), ValueError, ["X", "reshape(1, -1)"]),
    (lambda n: n.predict([[1, 2, 3, np.nan]]), ValueError, ["X", "column 3"]),
    (lambda n: n.predict(np.ones((2, 4)), n_threads=0), ValueError, ["n_threads", "0"]),
    (lambda n: n.predict(np.ones((2, 4)), n_threads=2.0), TypeError, ["n_threads"]),
    (lambda n: n.predict(np.ones((2, 4)), 2), TypeError, ["positional"]),
    (lambda n: n.hidden(np.ones((2, 4)), 5), ValueError, ["layer", "below 5"]),
    (lambda n: n.hidden(np.ones((2, 4)), -6), ValueError, ["layer", ">= -5", "-6"]),
    (lambda n: n.hidden(np.ones((2, 4)), "0"), TypeError, ["layer", "'0'"]),
    (
        lambda n: n.evaluate(np.ones((2, 4)), [0, 1], loss="cross_entropi"),
        ValueError,
        ["loss", "'cross_entropy'"],
    ),
    (
        lambda n: n.evaluate(np.ones((2, 4)), [0, 1], metrics=["acuracy"]),
        ValueError,
        ["metrics", "'accuracy'"],
    ),
    (
        lambda n: n.evaluate(np.ones((2, 4)), [0, 1], metrics=["r2"]),
        ValueError,
        ["'r2'", "'cross_entropy'", "'accuracy'"],
    ),
    (
        lambda n: n.evaluate(np.ones((2, 4)), [0, 1], sample_weight=[1, -1]),
        ValueError,
        ["sample_weight", "-1"],
    ),
    (
        lambda n: n.loss_and_gradients(np.ones((2, 4)), [0, 9]),
        ValueError,
        ["y", "label 9"],
    ),
    (
        lambda n: n.loss_and_gradients(np.ones((2, 4)), [0, 1], l2=-1.0),
        ValueError,
        ["l2", ">= 0", "-1"],
    ),
    (
        lambda n: n.loss_and_gradients(np.ones((2, 4)), [0, 1], training=1),
        TypeError,
        ["training", "True or False"],
    ),
    (
        lambda n: n.evaluate(
            np.ones((2, 4)), np.ones((2, 3)), loss=fnn.BinaryCrossEntropy([1, 2])
        ),
        ValueError,
        ["pos_weight", "2 entries", "3 outputs"],
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), INFERENCE_ERRORS)
def test_inference_errors_change_nothing(fitted, call, error, words):
    before = _bits(fitted)
    with pytest.raises(error) as caught:
        call(fitted)
    for word in words:
        assert word in str(caught.value)
    assert _bits(fitted) == before


def test_loss_and_gradients_changes_nothing(fitted, rng):
    before = _bits(fitted)
    X, y = rng.normal(size=(6, 4)), rng.integers(0, 3, size=6)
    for training in (False, True):
        loss, gradients = fitted.loss_and_gradients(X, y, training=training)
        again, same = fitted.loss_and_gradients(X, y, training=training)
        assert loss == again
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(gradient, same[name])
    state = fitted.state_dict()
    assert list(gradients) == [
        n for n in state if "running" not in n and "num" not in n
    ]
    assert all(g.shape == state[name].shape for name, g in gradients.items())
    assert _bits(fitted) == before


# -- copies ---------------------------------------------------------------------------

COPIES = {
    "copy": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),  # noqa: S301
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copies_are_equal_and_independent(make, fitted, rng):
    X, y = rng.normal(size=(20, 4)), rng.integers(0, 3, size=20)
    before = _bits(fitted)
    twin = make(fitted)
    assert type(twin) is fnn.Sequential
    assert repr(twin) == repr(fitted)
    assert _bits(twin) == before
    np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))
    twin.fit(X, y, epochs=2)
    assert _bits(fitted) == before
    assert _bits(twin) != before
    fitted.fit(X, y, epochs=2)  # goes on alike: shuffles and masks too
    assert _bits(twin) == _bits(fitted)


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copies_of_what_is_not_built(make):
    twin = make(_net(seed=5))
    assert twin.in_features is None
    np.testing.assert_array_equal(
        twin.build(4).parameters, _net(seed=5).build(4).parameters
    )
