import numpy as np
import pytest

from fastnn.reference import (
    MLP,
    activation_forward,
    batchnorm_forward,
    dense_forward,
    dropout_forward,
    mse,
    softmax_cross_entropy,
)

RATE = 1e-3


def dense(rng, outputs, inputs, dtype=np.float64):
    w = rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)
    return ("dense", w.astype(dtype), rng.normal(size=outputs).astype(dtype))


def deep(rng, dtype=np.float64):
    """One of each layer, first and last ones dense; smooth activations."""
    return [
        dense(rng, 6, 4, dtype),
        ("batchnorm", np.ones(6, dtype), np.full(6, 0.1, dtype)),
        ("activation", "tanh"),
        ("dropout", 0.3),
        dense(rng, 5, 6, dtype),
        ("activation", "elu", 0.5),
        dense(rng, 5, 5, dtype),
        ("activation", "gelu"),
        dense(rng, 3, 5, dtype),
    ]


def blobs(rng, rows=240, dtype=np.float64):
    """Three clusters in four dimensions, far enough apart to be told apart."""
    y = rng.integers(0, 3, size=rows)
    centres = np.array([[3.0, 0, 0, 1], [0, 3.0, 0, -1], [0, 0, 3.0, 0]])
    return (centres[y] + rng.normal(size=(rows, 4))).astype(dtype), y


def classifier(rng, **keywords):
    layers = [dense(rng, 16, 4), ("activation", "relu"), dense(rng, 3, 16)]
    return MLP(layers, **keywords)


def test_a_step_by_hand():
    # 2-2-1 network, one row, mse, plain descent at rate 0.1
    w1, b1 = np.array([[1.0, -1.0], [2.0, 0.0]]), np.array([0.0, -1.0])
    w2, b2 = np.array([[1.0, -2.0]]), np.array([0.5])
    net = MLP(
        [("dense", w1, b1), ("activation", "relu"), ("dense", w2, b2)],
        loss="mse",
        rule="sgd",
        lr=0.1,
    )
    # z = (3 - 1, 6 - 1) = (2, 5); out = 2 - 10 + 0.5 = -7.5; y = -7; loss 0.25
    loss = net.step(np.array([[3.0, 1.0]]), np.array([[-7.0]]))
    assert loss == 0.25
    # d out = 2 (-0.5) = -1; dw2 = (-2, -5); db2 = -1
    # dz = -1 (1, -2) = (-1, 2); dw1 = ((-3, -1), (6, 2)); db1 = (-1, 2)
    np.testing.assert_allclose(
        net.parameters,
        [1.3, -0.9, 1.4, -0.2, 0.1, -1.2, 1.2, -1.5, 0.6],
        rtol=1e-14,
    )
    assert net.steps == 1


def test_the_step_is_the_gradient_of_the_whole(rng, check_gradient):
    layers = deep(rng)
    x, y = blobs(rng, rows=7)
    net = MLP(layers, rule="sgd", lr=RATE, seed=5)
    start = net.parameters.copy()
    net.step(x, y)
    gradient = (start - net.parameters) / RATE

    def loss(parameters):  # the same network, written out once more
        shapes = [a.shape for layer in layers for a in layer[1:] if np.ndim(a)]
        stops = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        pieces = np.split(parameters, stops)
        arrays = [p.reshape(s) for p, s in zip(pieces, shapes, strict=True)]
        w1, b1, gamma, beta, w2, b2, w3, b3, w4, b4 = arrays
        h, _, _ = batchnorm_forward(dense_forward(x, w1, b1), gamma, beta)
        h, _ = dropout_forward(np.tanh(h), 0.3, 5, 0, layer=3)
        h = dense_forward(h, w2, b2, "elu", alpha=0.5)
        h = activation_forward(dense_forward(h, w3, b3), "gelu")
        return softmax_cross_entropy(dense_forward(h, w4, b4), y)[0]

    check_gradient(loss, start, gradient)


def test_float32_follows_float64(rng):
    state = rng.bit_generator.state
    nets = []
    for dtype in (np.float32, np.float64):
        rng.bit_generator.state = state
        nets.append(MLP(deep(rng, dtype), rule="adam", lr=0.01))
    x, y = blobs(rng, rows=32)
    for _ in range(10):
        losses = [net.step(x.astype(net.parameters.dtype), y) for net in nets]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert nets[0].parameters.dtype == np.float32
    assert nets[0].predict(x.astype(np.float32)).dtype == np.float32


def test_the_arguments_are_copied(rng):
    layers = [dense(rng, 3, 4)]
    before = layers[0][1].copy()
    x, y = blobs(rng)
    x_before = x.copy()
    MLP(layers, lr=0.1).fit(x, y, epochs=1)
    np.testing.assert_array_equal(layers[0][1], before)
    np.testing.assert_array_equal(x, x_before)


def test_an_activation_first_leaves_the_data_alone(rng):
    x, y = blobs(rng)
    before = x.copy()
    net = MLP([("activation", "tanh"), dense(rng, 3, 4)])
    net.step(x, y)
    net.predict(x)
    np.testing.assert_array_equal(x, before)


def test_running_statistics(rng):
    x = rng.normal(loc=5.0, scale=3.0, size=(50, 2))
    net = MLP([("batchnorm", np.ones(2), np.zeros(2))], loss="mse", rule="sgd", lr=0.0)
    for _ in range(200):
        net.step(x, np.zeros((50, 2)))
    # after many steps on one batch: its mean and unbiased variance
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + 1e-5)
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-6, atol=1e-7)


def test_dropout_is_for_training_alone(rng):
    net = MLP([dense(rng, 3, 4), ("dropout", 0.9)], rule="sgd", lr=0.0)
    x, y = blobs(rng, rows=6)
    w, b = net.layers[0].parameters
    np.testing.assert_array_equal(net.predict(x), dense_forward(x, w, b))
    assert net.step(x, y) != net.step(x, y)  # another step, another mask


def test_masks_of_a_generator(rng):
    x, y = np.ones((2000, 4)), np.zeros((2000, 4))
    layers = [("dense", np.eye(4), np.zeros(4)), ("dropout", 0.25)]
    net = MLP(layers, loss="mse", rule="sgd", lr=0.0, generator=rng)
    # E[(1 / (1 - p))^2 (1 - p)] = 4 / 3, standard deviation 0.009
    assert net.step(x, y) == pytest.approx(4 / 3, abs=0.04)


@pytest.mark.parametrize("rule", ["adam", "sgd", "rmsprop", "lion"])
def test_learns(rule, rng):
    x, y = blobs(rng)
    net = classifier(rng, rule=rule, lr=0.1 if rule == "sgd" else 0.01)
    history = net.fit(x, y, epochs=20, batch_size=32)
    assert len(history["loss"]) == 20
    assert history["loss"][-1] < 0.4 * history["loss"][0]
    assert (net.predict(x).argmax(axis=1) == y).mean() > 0.9
    assert net.steps == 20 * 8  # 240 rows: seven batches of 32 and one of 16


def test_a_fit_is_reproducible(rng):
    x, y = blobs(rng)
    state = rng.bit_generator.state
    nets = []
    for seed in (0, 0, 1):
        rng.bit_generator.state = state
        net = MLP(deep(rng))
        net.fit(x, y, epochs=2, seed=seed)
        nets.append(net.parameters)
    np.testing.assert_array_equal(nets[0], nets[1])
    assert not np.array_equal(nets[0], nets[2])


def test_many_parameters_are_updated_in_blocks(rng):
    """Blocks change nothing: one large layer against a step by hand."""
    w = rng.normal(size=(200, 300))  # 60,200 parameters: two blocks
    x, y = rng.normal(size=(8, 300)), rng.normal(size=(8, 200))
    net = MLP([("dense", w, np.zeros(200))], loss="mse", rule="sgd", lr=0.5)
    net.step(x, y)
    _, d = mse(x @ w.T, y)
    expected = np.concatenate([(w - 0.5 * d.T @ x).ravel(), -0.5 * d.sum(axis=0)])
    np.testing.assert_allclose(net.parameters, expected, rtol=1e-10, atol=1e-12)


def test_the_loss_of_an_epoch_is_the_mean_over_rows(rng):
    x, y = blobs(rng, rows=50)  # a last batch of 2
    net = classifier(rng, rule="sgd", lr=0.0)
    history = net.fit(x, y, epochs=1, batch_size=16)
    assert history["loss"] == [pytest.approx(net.evaluate(x, y), rel=1e-13)]


def test_early_stopping_restores_the_best(rng):
    x, y = blobs(rng, rows=60)
    validation = blobs(rng, rows=90)
    net = MLP(deep(rng), lr=0.05)
    history = net.fit(
        x,
        y,
        epochs=200,
        batch_size=16,
        validation_data=validation,
        early_stopping_patience=4,
    )
    best = int(np.argmin(history["val_loss"]))
    assert len(history["loss"]) == len(history["val_loss"]) == best + 5 < 200
    # parameters and running statistics are those of the best epoch
    assert net.evaluate(*validation) == history["val_loss"][best]


TINY = ("dense", np.ones((1, 1)), np.ones(1))


@pytest.mark.parametrize(
    ("layers", "keywords", "message"),
    [
        ([("dens", np.ones((1, 1)), np.ones(1))], {}, "did you mean 'dense'"),
        ([("activation", "relu")], {}, "no parameters"),
        ([TINY], {"loss": "msee"}, "did you mean 'mse'"),
        ([TINY], {"rule": "radamm"}, "did you mean 'radam'"),
        ([("dense", np.ones((2, 1)), np.ones(1))], {}, "b has shape"),
        ([TINY, ("dropout", 1.0)], {}, "p must be"),
    ],
)
def test_errors_of_a_network(layers, keywords, message):
    with pytest.raises(ValueError, match=message):
        MLP(layers, **keywords)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"early_stopping_patience": 1}, "needs validation_data"),
    ],
)
def test_errors_of_a_fit(keywords, message, rng):
    net = classifier(rng)
    start = net.parameters.copy()
    with pytest.raises(ValueError, match=message):
        net.fit(*blobs(rng), **keywords)
    np.testing.assert_array_equal(net.parameters, start)
