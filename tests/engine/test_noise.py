"""What is random in training: its statistics, its keys, its absence in inference."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes, features, targets
from fastnn.reference import random as reference

ROWS, COLUMNS = 400, 500


def _trained_outputs(layers, X, seed=0):
    """Return the outputs of a training pass, by a loss that is linear in them."""
    seen = []

    def loss(outputs, _):
        seen.append(outputs.copy())
        return outputs.mean(axis=1), np.full_like(outputs, 1 / outputs.shape[1])

    net = fnn.Sequential(*layers, seed=seed, dtype=X.dtype.name).build(X.shape[1])
    spy = fnn.losses.CustomLoss(loss, targets="values")
    y = np.zeros((len(X), net.out_features))
    net.loss_and_gradients(X, y, loss=spy, training=True)
    return seen[0]


@pytest.fixture(name="X")
def normal(rng):
    return rng.normal(size=(ROWS, COLUMNS))


IDENTITY = fnn.Dense(COLUMNS, init=(np.eye(COLUMNS), np.zeros(COLUMNS)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(X, p, dtype):
    X = X.astype(dtype)
    y = _trained_outputs([IDENTITY, fnn.AlphaDropout(p)], X)
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02
    wanted, mask = reference.alpha_dropout_forward(X, p, seed=0, step=0, layer=1)
    np.testing.assert_allclose(y, wanted, atol=1e-5 if dtype == "float32" else 1e-13)
    assert abs((~mask).mean() - p) < 0.005
    assert len(np.unique(y[~mask])) == 1  # all that is dropped is one number


def test_alpha_dropout_has_the_constants_of_torch(X):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    ours = _trained_outputs([IDENTITY, fnn.AlphaDropout(0.3)], X)
    theirs = torch.nn.AlphaDropout(0.3)(torch.tensor(X)).numpy()
    slopes, dropped = [], []
    for y in (ours, theirs):
        value, count = np.unique(y, return_counts=True)
        dropped.append(value[count.argmax()])
        kept = y != dropped[-1]
        slopes.append(np.polyfit(X[kept], y[kept], 1))
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-6)
    assert dropped[0] == pytest.approx(dropped[1], rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gaussian_noise_is_normal(X, dtype):
    X = X.astype(dtype)
    n = (_trained_outputs([IDENTITY, fnn.GaussianNoise(2.0)], X) - X) / 2
    wanted = reference.gaussian_noise(np.zeros_like(X), 1.0, seed=0, step=0, layer=1)
    np.testing.assert_allclose(n, wanted, atol=3e-6 if dtype == "float32" else 1e-13)
    moments = [(n**k).mean() for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.04)
    for neighbour in (n[1:] * n[:-1], n[:, 1:] * n[:, :-1]):  # sine and cosine too
        assert abs(neighbour.mean()) < 0.01


def test_dropconnect_drops_weights_and_no_biases(rng):
    """One mask for all rows of the batch, another in the next step."""
    W, b = rng.normal(size=(300, 40)), rng.normal(size=300)
    layer = fnn.Dense(300, init=(W, b), dropconnect=0.3)
    X = np.concatenate([np.eye(40), np.zeros((1, 40))])
    y = _trained_outputs([layer], X)
    np.testing.assert_array_equal(y[-1], b)
    masked, mask = reference.dropconnect_forward(W, 0.3, seed=0, step=0)
    np.testing.assert_allclose((y[:-1] - b).T, masked, atol=1e-14)
    assert abs(mask.mean() - 0.7) < 0.01
    np.testing.assert_array_equal(_trained_outputs([layer], X), y)
    assert (_trained_outputs([layer], X, seed=1) != y).any()


def test_each_step_draws_anew(rng):
    X, y = classes(rng, 20)
    net = fnn.Sequential(fnn.Dense(3, dropconnect=0.5), dtype="float64").build(5)
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=1.0))
    zeros = set()
    for _ in range(8):
        before = net.state_dict()["0.weight"]
        trainer.step(X, y)
        zeros.add((net.state_dict()["0.weight"] == before).tobytes())
    assert len(zeros) == 8  # a weight that is left out is not moved


NOISY = {
    "alpha dropout": [fnn.Dense(9, "selu"), fnn.AlphaDropout(0.5), fnn.Dense(3)],
    "gaussian noise": [fnn.GaussianNoise(9.0), fnn.Dense(9, "tanh"), fnn.Dense(3)],
    "dropconnect": [fnn.Dense(9, "tanh", dropconnect=0.5), fnn.Dense(3)],
    "dropconnect and weight norm": [
        fnn.Dense(9, "tanh", dropconnect=0.5, weight_norm=True),
        fnn.Dense(3, dropconnect=0.1),
    ],
}


@pytest.mark.parametrize("optimizer", [fnn.Adam(0.02), fnn.LBFGS(max_iter=2)], ids=str)
@pytest.mark.parametrize("name", NOISY)
def test_validation_amid_training_sees_the_whole_network(rng, name, optimizer):
    data, validation = classes(rng, 60), classes(rng, 70)
    net = fnn.Sequential(*NOISY[name], dtype="float64")
    scores = []
    history = net.fit(
        *data,
        optimizer=optimizer,
        epochs=4,
        batch_size=16,
        validation_data=validation,
        callbacks=[lambda info: scores.append(info.net.evaluate(*validation)["loss"])],
    )
    np.testing.assert_allclose(history.history["val_loss"], scores, rtol=1e-12)


@pytest.mark.parametrize("rule", [fnn.EMA(0.9), fnn.SWA(1)], ids=str)
@pytest.mark.parametrize("name", NOISY)
def test_averages(rng, name, rule):
    """Statistics of a BatchNorm behind are those of passes with masks."""
    data, validation = classes(rng, 60), classes(rng, 70)
    results = []
    for n_threads in (1, 3):
        first, *rest = NOISY[name]
        net = fnn.Sequential(first, fnn.BatchNorm(), *rest, seed=2)
        net.fit(
            *data,
            epochs=4,
            batch_size=16,
            validation_data=validation,
            callbacks=[rule],
            n_threads=n_threads,
        )
        assert all(np.isfinite(a).all() for a in net.state_dict().values())
        results.append(bits(net))
    assert results[0] == results[1]


@pytest.mark.parametrize("name", NOISY)
def test_nothing_is_random_when_nothing_is_dropped(rng, name):
    """p = 0 and std = 0 are the plain network, to the last bit of the gradient."""
    plain, idle = [], []
    for layer in NOISY[name]:
        if isinstance(layer, fnn.Dense):
            options = {"weight_norm": layer.weight_norm}
            layer = fnn.Dense(layer.units, layer.activation, **options)  # noqa: PLW2901
            plain.append(layer)
            idle.append(layer)
        else:
            idle.append(type(layer)(0.0))
            plain.append(fnn.Identity())
    X, y = features(rng, 9), targets(rng, "classes", 9, 3)
    gradients = [
        fnn.Sequential(*layers, dtype="float64")
        .build(5)
        .loss_and_gradients(X, y, loss="cross_entropy", training=True)
        for layers in (plain, idle)
    ]
    assert gradients[0][0] == gradients[1][0]
    for a, b in zip(*(g[1].values() for g in gradients), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_lbfgs_goes_on_in_a_random_network(rng):
    """Noise in the loss is no reason to stop as if it were at a minimum."""
    X, y = classes(rng, 60)
    for layers in NOISY.values():
        net = fnn.Sequential(*layers, dtype="float64")
        history = net.fit(X, y, optimizer=fnn.LBFGS(max_iter=3), epochs=5)
        assert len(history.history["loss"]) == 5
