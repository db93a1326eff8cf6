"""Residual blocks: the sum by hand, who skips it, names, first weights and errors."""

import copy
import json
import pickle

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import BLOCKS, bits, classes, features, settled
from fastnn._plain import to_plain
from fastnn.reference import survival_factors
from forge import Forgery


def _net(*layers, columns=2, **options):
    return fnn.Sequential(*layers, **options).build(columns)


# -- the sum --------------------------------------------------------------------------


def test_by_hand():
    """y = x + W2 relu(W1 x), then a projection of y beside its sum."""
    block = fnn.Residual(
        fnn.Dense(1, "relu", init=([[1.0, -1.0]], [0.5])),
        fnn.Dense(2, init=([[2.0], [-1.0]], [0.0, 1.0])),
    )
    net = _net(block, fnn.Residual(fnn.Dense(1, init=([[1.0, 1.0]], [0.0]))))
    state = net.state_dict()
    state["1.projection.weight"][:] = [[10.0, 100.0]]
    net.load_state_dict(state)
    # row 1: relu(3 - 1 + 0.5) = 2.5; y = (3 + 5, 1 - 2.5 + 1); row 2: relu(-1.5) = 0
    first = [[8.0, -0.5], [0.0, 3.0]]
    X = [[3.0, 1.0], [0.0, 2.0]]
    assert net.hidden(X, 0).tolist() == first
    assert net.predict(X).tolist() == [[7.5 + 80 - 50], [3.0 + 300]]


def test_gradients_by_hand():
    """y = x + w x, loss (y - t)^2: dw = 2 (y - t) x; before it v: dv = 2 (y - t) ..."""
    net = _net(
        fnn.Dense(1, init=([[3.0]], [0.0])),
        fnn.Residual(fnn.Dense(1, init=([[0.5]], [0.0]))),
        columns=1,
    )
    loss, gradients = net.loss_and_gradients([[2.0]], [[1.0]], loss="mse")
    assert loss == (9.0 - 1.0) ** 2  # 6 + 3
    assert gradients["1.0.weight"].tolist() == [[16.0 * 6.0]]
    assert gradients["0.weight"].tolist() == [[16.0 * 1.5 * 2.0]]


@pytest.mark.parametrize("last", [None, 0])
def test_hidden_is_the_blocks_output(rng, last):
    X = features(rng, 70)
    net = settled(fnn.Sequential(*BLOCKS, dtype="float64"), rng)
    h = X
    for i, layer in enumerate(BLOCKS[: len(BLOCKS) if last is None else 1]):
        part = fnn.Sequential(layer, dtype="float64").build(h.shape[1])
        part.load_state_dict(
            {
                name.split(".", 1)[1].join(["0.", ""]): array
                for name, array in net.state_dict().items()
                if name.startswith(f"{i}.")
            }
        )
        h = part.predict(h)
        np.testing.assert_allclose(net.hidden(X, i), h, rtol=1e-12, atol=1e-13)
    if last is None:
        np.testing.assert_array_equal(net.hidden(X, -1), net.predict(X))


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_predicts_the_same_alone(rng, dtype, form):
    X = features(rng, 131) * (rng.random((131, 5)) < 0.5)
    net = settled(fnn.Sequential(*BLOCKS, dtype=dtype), rng)
    together = net.predict(X, n_threads=1)
    alone = [net.predict(form(X[i : i + 1])) for i in range(len(X))]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    for n_threads in (2, 3, 8):
        outputs = net.predict(form(X), n_threads=n_threads)
        np.testing.assert_array_equal(outputs, together)


def test_evaluation_and_training_know_the_same_function(rng):
    """Without survival, dropout and batch statistics there is but one."""
    block = fnn.Residual(fnn.LayerNorm(), fnn.Dense(6, "gelu"), fnn.Dense(4))
    net = settled(fnn.Sequential(block, fnn.ReLU(), block, dtype="float64"), rng)
    X, y = classes(rng, 90)
    wanted = net.evaluate(X, y, loss="cross_entropy")["loss"]
    for training in (False, True):
        loss, _ = net.loss_and_gradients(X, y, loss="cross_entropy", training=training)
        assert loss == pytest.approx(wanted, rel=1e-13)


def test_a_chain_of_many_blocks_without_parameters_is_built_at_once():
    net = _net(*[fnn.Residual(fnn.Identity())] * 40, fnn.Dense(1), dtype="float64")
    assert net.hidden([[1.0, 3.0]], 39).tolist() == [[2.0**40, 3 * 2.0**40]]
    loss, gradients = net.loss_and_gradients([[1.0, 0.0]], [0.0], loss="mse")
    assert np.isfinite(loss)
    assert set(gradients) == {"40.weight", "40.bias"}


# -- stochastic depth -----------------------------------------------------------------


def _kept(survival, rows, steps, seed=0):
    """Which rows keep the branch, step by step, seen from outside: y = x or x + F.

    The outputs are what a custom loss is shown in training.
    """
    net = _net(
        fnn.Residual(fnn.Dense(1, init=([[1.0]], [0.0])), survival=survival),
        columns=1,
        dtype="float64",
        seed=seed,
    )
    seen = []

    def loss(outputs, y):
        seen.append(outputs[:, 0].copy())
        return np.zeros(len(y)), np.zeros_like(outputs)

    trainer = fnn.Trainer(net, loss=loss, optimizer=fnn.SGD(0.0))
    for _ in range(steps):
        trainer.step(np.ones((rows, 1)), np.zeros((rows, 1)))
    return np.array(seen)


@pytest.mark.parametrize("survival", [0.2, 0.5, 0.9])
def test_rows_keep_the_branch_by_chance(survival):
    y = _kept(survival, 1000, 50)
    kept = y > 1.0
    np.testing.assert_array_equal(y, np.where(kept, 1.0 + 1.0 / survival, 1.0))
    deviation = np.sqrt(survival * (1 - survival) / kept.size)
    assert abs(kept.mean() - survival) < 4 * deviation
    assert abs(y.mean() - 2.0) < 4 * deviation / survival  # what inference says
    # Rows and steps are drawn one by one: both means scatter as they should.
    for axis in (0, 1):
        spread = kept.mean(axis=axis).std()
        wanted = np.sqrt(survival * (1 - survival) / kept.shape[axis])
        assert 0.7 * wanted < spread < 1.3 * wanted


def test_rows_are_those_of_the_specification():
    y = _kept(0.7, 37, 3, seed=5)
    for step in range(3):
        wanted = 1.0 + survival_factors(37, 0.7, seed=5, step=step)
        np.testing.assert_array_equal(y[step], wanted)


def test_blocks_draw_for_themselves():
    """Equal layers at other places, outside and within a block, do not share rows."""
    block = fnn.Residual(fnn.Identity(), survival=0.5)
    net = _net(block, block, fnn.Residual(block, survival=0.5), columns=1)
    seen = []

    def loss(outputs, y):
        seen.append(outputs[:, 0].copy())
        return np.zeros(len(y)), np.zeros_like(outputs)

    head = fnn.Sequential(*net.layers, fnn.Dense(1, init=([[1.0]], [0.0])), seed=0)
    trainer = fnn.Trainer(head, loss=loss, optimizer=fnn.SGD(0.0))
    trainer.step(np.ones((400, 1)), np.zeros((400, 1)))
    # 3 or 1 for a block; 1 + 2 (3 or 1) or 1 for the one within a block
    assert set(seen[0]) == {
        a * b * c for a in (1, 3) for b in (1, 3) for c in (1, 3, 7)
    }


def test_survival_is_of_training_alone(rng):
    X = features(rng, 20)
    sure, unsure = (
        _net(fnn.Residual(fnn.Dense(5), survival=p), columns=5) for p in (1.0, 0.1)
    )
    np.testing.assert_array_equal(sure.predict(X), unsure.predict(X))
    y = features(rng, 20)
    gradients = [
        net.loss_and_gradients(X, y, loss="mse")[1]["0.0.weight"].tobytes()
        for net in (sure, unsure)
    ]
    assert gradients[0] == gradients[1]


def test_lbfgs_does_not_take_one_draw_for_the_minimum(rng):
    """Each step has rows of its own, so none is the last; without, one is."""
    X = features(rng, 1500)
    y = X[:, :3] + 0.1 * features(rng, 1500, 3)
    stopped = {}
    for survival in (1.0, 0.5):
        net = fnn.Sequential(fnn.Residual(fnn.Dense(3), survival=survival), seed=1)
        history = net.fit(X, y, loss="mse", optimizer=fnn.LBFGS(), epochs=40)
        stopped[survival] = len(history.history["loss"])
    assert stopped[1.0] < 40 == stopped[0.5]


# -- names and first weights ----------------------------------------------------------


def test_names_and_order():
    net = _net(
        fnn.Residual(fnn.Dense(3), fnn.Residual(fnn.Dense(4), fnn.BatchNorm())),
        fnn.ReLU(),
        fnn.Dense(1),
    )
    shapes = {name: array.shape for name, array in net.state_dict().items()}
    assert list(shapes.items()) == [
        ("0.0.weight", (3, 2)),
        ("0.0.bias", (3,)),
        ("0.1.0.weight", (4, 3)),
        ("0.1.0.bias", (4,)),
        ("0.1.1.weight", (4,)),
        ("0.1.1.bias", (4,)),
        ("0.1.1.running_mean", (4,)),
        ("0.1.1.running_var", (4,)),
        ("0.1.1.num_batches_tracked", ()),
        ("0.1.projection.weight", (4, 3)),
        ("0.projection.weight", (4, 2)),
        ("2.weight", (1, 4)),
        ("2.bias", (1,)),
    ]
    assert net.n_parameters == sum(
        np.prod(shape, dtype=int)
        for name, shape in shapes.items()
        if "running" not in name and "tracked" not in name
    )
    net.parameters[:] = np.arange(net.n_parameters)  # in that order
    flat = [a.ravel() for n, a in net.state_dict().items() if n.endswith(("ht", "as"))]
    np.testing.assert_array_equal(np.concatenate(flat), np.arange(net.n_parameters))


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ([fnn.Residual(fnn.Dense(400), fnn.ReLU())], "0.0.weight"),
        ([fnn.Residual(fnn.Dense(400)), fnn.ReLU()], "0.0.weight"),
        ([fnn.Residual(fnn.Dense(400)), fnn.ReLU()], "0.projection.weight"),
        ([fnn.Dense(400), fnn.Residual(fnn.BatchNorm(), fnn.ReLU())], "0.weight"),
    ],
)
def test_he_where_a_rectifier_follows(layers, name):
    w = _net(*layers, columns=300).state_dict()[name]
    assert w.std() == pytest.approx(np.sqrt(2 / 300), rel=0.02)  # He's, normal
    assert abs(w).max() > 4 * w.std()


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ([fnn.Residual(fnn.Dense(400)), fnn.Tanh()], "0.0.weight"),
        ([fnn.Residual(fnn.Dense(400)), fnn.Dense(3, "relu")], "0.0.weight"),
        ([fnn.Residual(fnn.ReLU(), fnn.Dense(400))], "0.projection.weight"),
    ],
)
def test_glorot_where_none_does(layers, name):
    w = _net(*layers, columns=300).state_dict()[name]
    assert abs(w).max() <= np.sqrt(6 / 700)
    assert w.std() == pytest.approx(np.sqrt(2 / 700), rel=0.02)


def test_layers_start_apart():
    layer = fnn.Dense(8)
    net = _net(layer, fnn.Residual(layer, fnn.Residual(layer)), columns=8)
    weights = [a for n, a in net.state_dict().items() if n.endswith("weight")]
    assert len({w.tobytes() for w in weights}) == 3


def test_numbers_before_a_block_are_those_without_it():
    """A block changes the first weights of nothing that stands before it."""
    a = _net(fnn.Dense(4), fnn.ReLU(), fnn.Residual(fnn.Dense(4)))
    b = _net(fnn.Dense(4), fnn.ReLU(), fnn.Dense(4))
    assert bits(a)["0.weight"] == bits(b)["0.weight"]


def test_penalties_and_rates_reach_into_blocks(rng):
    block = fnn.Residual(fnn.Dense(3, lr_scale=0.0), fnn.Tanh(), fnn.Dense(3))
    net = settled(fnn.Sequential(block, dtype="float64"), rng)
    before = net.state_dict()
    X, y = features(rng, 9), features(rng, 9, 3)
    bare, _ = net.loss_and_gradients(X, y, loss="mse")
    full, _ = net.loss_and_gradients(X, y, loss="mse", l2=0.5)
    weights = [a for n, a in before.items() if n.endswith("weight")]
    assert len(weights) == 3
    assert full - bare == pytest.approx(0.25 * sum((w**2).sum() for w in weights))
    net.fit(X, y, loss="mse", epochs=2, max_norm=0.5)
    after = net.state_dict()
    for name in ("0.2.weight", "0.projection.weight"):
        assert np.linalg.norm(after[name], axis=1).max() <= 0.5 + 1e-12


# -- copies and files -----------------------------------------------------------------

COPIES = {
    "copy": lambda net, _: net.copy(),
    "deepcopy": lambda net, _: copy.deepcopy(net),
    "pickle": lambda net, _: pickle.loads(pickle.dumps(net)),  # noqa: S301
    "file": lambda net, path: (net.save(path), fnn.load(path))[1],
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_go_on_as_the_net_does(rng, name, tmp_path):
    X, y = classes(rng, 60)
    net = fnn.Sequential(*BLOCKS, seed=7)
    net.fit(X, y, epochs=2, batch_size=16)
    twin = COPIES[name](net, tmp_path / "net.fnn")
    assert twin.layers == net.layers
    assert bits(twin) == bits(net)
    for each in (net, twin):
        each.fit(X, y, epochs=1, batch_size=16)
    assert bits(twin) == bits(net)


def test_a_run_goes_on_from_its_checkpoint(rng, tmp_path):
    X, y = classes(rng, 60)
    nets = [fnn.Sequential(*BLOCKS, seed=7) for _ in range(2)]
    fnn.Trainer(nets[0]).fit(X, y, epochs=4, batch_size=16)
    path = tmp_path / "run.fnn"

    fnn.Trainer(nets[1]).fit(X, y, epochs=2, batch_size=16, checkpoint=path)
    trainer = fnn.Trainer.resume(path)
    trainer.fit(X, y, epochs=4, batch_size=16)
    assert bits(trainer.net) == bits(nets[0])


# -- what is refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (fnn.Residual, ValueError, "Residual: layers: .* at least one"),
        (lambda: fnn.Residual([]), ValueError, "Residual: layers: .* at least one"),
        (lambda: fnn.Residual(3), TypeError, r"Residual: layers\[0\] must be a layer"),
        (lambda: fnn.Residual(fnn.ReLU), TypeError, r"write ReLU\(\)"),
        (lambda: fnn.Residual("relu"), TypeError, r"layers\[0\] must be .* str 'relu'"),
        (
            lambda: fnn.Residual(fnn.Dense(3), fnn.Dense(4, in_features=5)),
            ValueError,
            r"Residual: layers\[1\]: in_features=5, but .* gives 3",
        ),
        *(
            (
                lambda p=p: fnn.Residual(fnn.ReLU(), survival=p),
                ValueError,
                r"Residual: survival must be in \(0, 1\], got",
            )
            for p in (0.0, -0.1, 1.5, float("nan"), float("inf"))
        ),
        (
            lambda: fnn.Residual(fnn.ReLU(), survival="high"),
            TypeError,
            "survival must be a number",
        ),
        *(
            (
                lambda p=p: fnn.Residual(fnn.ReLU(), projection=p),
                TypeError,
                "projection must be 'auto' or True or False, got",
            )
            for p in (None, 1, "always")
        ),
        (
            lambda: fnn.Residual(fnn.Dense(3, in_features=4), projection=False),
            ValueError,
            "is given 4 columns and its layers give 3, .* projection",
        ),
        (
            lambda: fnn.Sequential(
                fnn.Dense(7), fnn.Residual(fnn.Dense(6), projection=False)
            ),
            ValueError,
            r"layers\[1\]: Residual.* given 7 columns and its layers give 6.*7 units",
        ),
        (
            lambda: _net(fnn.Residual(fnn.Dense(3), projection=False), columns=4),
            ValueError,
            "is given 4 columns and its layers give 3",
        ),
        (
            lambda: fnn.Sequential(
                fnn.Dense(7), fnn.Residual(fnn.Dense(6, in_features=5))
            ),
            ValueError,
            r"layers\[1\]: in_features=5, but the layer before it gives 7",
        ),
        (
            lambda: fnn.Sequential(
                fnn.Residual(fnn.Dense(3)), fnn.Dense(2, in_features=4)
            ),
            ValueError,
            r"layers\[1\]: in_features=4, but the layer before it gives 3",
        ),
    ],
)
def test_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def _nested(depth):
    block = fnn.ReLU()
    for _ in range(depth):
        block = fnn.Residual(block)
    return block


def test_blocks_within_blocks_have_an_end(tmp_path):
    net = _net(_nested(8), fnn.Dense(2, "relu"))
    assert net.hidden([[1.0, -1.0]], 0).tolist() == [[9.0, -8.0]]
    net.save(tmp_path / "net.fnn")
    assert bits(fnn.load(tmp_path / "net.fnn")) == bits(net)
    with pytest.raises(ValueError, match="blocks within blocks must be at most 8"):
        _nested(9)


@pytest.mark.parametrize(
    ("depth", "message"),
    [
        (9, "blocks within blocks must be at most 8"),
        (13, "blocks within blocks must be at most 8"),
        (15, "nests deeper than 32 levels"),
        (3000, "nests deeper than 32 levels"),
    ],
)
def test_files_of_blocks_within_blocks_have_an_end(tmp_path, depth, message):
    """Whatever a file says, reading it recurses no deeper than ours go."""
    net = _net(fnn.Residual(fnn.ReLU()), columns=1)
    net.save(tmp_path / "net.fnn")
    forgery = Forgery((tmp_path / "net.fnn").read_bytes())
    block = json.dumps(to_plain(net.layers[0]), separators=(",", ":"))
    head, tail = block.split('{"kind":"relu"}')
    nested = head * depth + '{"kind":"relu"}' + tail * depth
    text = forgery.metadata["config"]
    assert block in text
    path = tmp_path / "forged.fnn"
    path.write_bytes(forgery.content(config=text.replace(block, nested)))
    with pytest.raises(fnn.ModelFileError, match=message):
        fnn.load(path)


def test_lbfgs_refuses_rates_within_blocks():
    net = fnn.Sequential(fnn.Residual(fnn.ReLU(), fnn.Dense(3, lr_scale=0.5)))
    with pytest.raises(ValueError, match=r"layer 0\.1: lr_scale must be 1 with LBFGS"):
        fnn.Trainer(net, optimizer="lbfgs")


def test_given_weights_within_blocks_must_be_finite_in_float32():
    layer = fnn.Dense(1, init=([[1e300]], [0.0]))
    with pytest.raises(ValueError, match=r"layer 0\.0: init"):
        _net(fnn.Residual(layer), columns=1)


def test_a_file_that_lies_about_widths(tmp_path):
    """projection=False and widths that differ: an error, whatever the tensors."""
    from fastnn.io.model_file import network_specs

    net = _net(fnn.Residual(fnn.Dense(3)), columns=4)
    net.save(tmp_path / "net.fnn")
    layers = json.loads(json.dumps([to_plain(layer) for layer in net.layers]))
    layers[0]["projection"] = False
    config = {
        "net": {
            "layers": layers,
            "seed": 0,
            "dtype": "float32",
            "in_features": 4,
            "epochs": 0,
            "steps": 0,
            "loss": None,
        }
    }
    with pytest.raises(fnn.ModelFileError, match=r"config\.net\.layers.*4 columns"):
        network_specs(config)


# -- what users see -------------------------------------------------------------------


def test_repr_and_summary():
    net = _net(
        fnn.Residual(fnn.Dense(3), fnn.Residual(fnn.ReLU(), survival=0.9)),
        fnn.Dense(1),
    )
    assert repr(net).splitlines() == [
        "Sequential(",
        "  (0): Residual(",
        "    (0): Dense(3)",
        "    (1): Residual(",
        "      (0): ReLU()",
        "      survival=0.9",
        "    )",
        "  )",
        "  (1): Dense(1)",
        "  seed=0, dtype='float32'",
        ")",
    ]
    assert net.summary().splitlines()[2:-2] == [
        "              input                       (n, 2)",
        "           0  Residual()                  (n, 3)",
        "         0.0    Dense(3)                  (n, 3)           9",
        "         0.1    Residual(survival=0.9)    (n, 3)",
        "       0.1.0      ReLU()                  (n, 3)           0",
        "0.projection    Dense(3, use_bias=False)  (n, 3)           6",
        "           1  Dense(1)                    (n, 1)           4",
    ]
    assert net.summary().endswith("19 parameters, float32, 0.1 KiB")
    html = net._repr_html_()
    assert "0.projection" in html
    assert "white-space: pre" in html
    assert ">    ReLU()<" in html


@pytest.mark.filterwarnings("ignore:Stopped after|.*[Cc]onverge")
def test_an_estimator_takes_blocks(rng):
    pytest.importorskip("sklearn")
    X, y = classes(rng, 200)
    block = fnn.Residual(fnn.ReLU(), fnn.Dense(8, weight_norm=True))
    layers = [fnn.Dense(8), block, fnn.ReLU()]
    model = fnn.MLPClassifier(layers=layers, max_iter=200, random_state=0)
    model.fit(X, y)
    assert model.score(X, y) > 0.8
    assert [w.shape for w in model.coefs_] == [(5, 8), (8, 8), (8, 3)]
