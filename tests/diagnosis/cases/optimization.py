"""Networks that could fit the data, but whose training fails."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import fastnn as fnn
from diagnosis.cases.made_of import (
    MSE,
    arguments,
    circles,
    draw,
    mnist,
    net,
    scaled,
    standardised,
    wave,
)
from diagnosis.cases.registry import case

Dense = fnn.Dense


@case("optimization")
def digits_penalised() -> Any:
    """Digits, an L2 penalty of 10."""
    return arguments(net(Dense(64, "relu"), Dense(10)), scaled("digits"), l2=10.0)


@case("optimization")
def digits_dropped() -> Any:
    """Digits, dropout of 0.95 after two layers."""
    layers = (Dense(64, "relu"), fnn.Dropout(0.95))
    return arguments(net(*layers, *layers, Dense(10)), scaled("digits"))


@case("optimization")
def digits_frozen() -> Any:
    """Digits, the first two layers frozen as drawn, 4 and 64 units."""
    network = net(Dense(4, "relu"), Dense(64, "relu"), Dense(10)).build(64)
    return arguments(network.freeze(0, 1), scaled("digits"))


@case("optimization")
def counts_zeros() -> Any:
    """Counts, Poisson loss, all weights 0."""
    random, X = draw(10, 2000, 5)
    y = random.poisson(np.exp(1 + 0.5 * X[:, 0] - 0.5 * np.abs(X[:, 1])))
    layers = (Dense(16, "tanh", init="zeros"), Dense(16, "tanh", init="zeros"))
    return arguments(net(*layers, Dense(1, init="zeros")), (X, y), loss="poisson")


def sigmoids(outputs: int, depth: int = 10) -> fnn.Sequential:
    return net(*(Dense(64, "sigmoid") for _ in range(depth)), Dense(outputs))


@case("optimization")
def digits_sigmoids() -> Any:
    """Digits, ten layers of sigmoids."""
    return arguments(sigmoids(10), scaled("digits"))


@case("optimization")
def wine_sigmoids() -> Any:
    """Wine, ten layers of sigmoids."""
    return arguments(sigmoids(3), scaled("wine"), optimizer=fnn.SGD(0.1))


@case("optimization")
def mnist_sigmoids() -> Any:
    """MNIST subset, twelve layers of sigmoids."""
    return arguments(sigmoids(10, 12), mnist())


def dead(outputs: int, width: int, features: int) -> fnn.Sequential:
    random = np.random.default_rng(0)
    W = random.standard_normal((width, features)) * np.sqrt(2 / features)
    return net(Dense(width, "relu", init=(W, np.full(width, -10.0))), Dense(outputs))


@case("optimization")
def digits_dead() -> Any:
    """Digits, ReLU with biases of -10."""
    return arguments(dead(10, 64, 64), scaled("digits"), optimizer=fnn.SGD(0.1))


@case("optimization")
def wine_dead() -> Any:
    """Wine, ReLU with biases of -10."""
    return arguments(dead(3, 32, 13), scaled("wine"))


@case("optimization")
def digits_slow() -> Any:
    """Digits, SGD at 1e-6."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), scaled("digits"), optimizer=fnn.SGD(1e-6)
    )


@case("optimization")
def diabetes_slow() -> Any:
    """Diabetes, Adam at 1e-6."""
    return arguments(
        net(Dense(16, "relu"), Dense(1)),
        scaled("diabetes"),
        **MSE,
        optimizer=fnn.Adam(1e-6),
        epochs=100,
    )


@case("optimization")
def mnist_slow() -> Any:
    """MNIST subset, SGD at 1e-5."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), mnist(), optimizer=fnn.SGD(1e-5)
    )


@case("optimization")
def digits_fast() -> Any:
    """Digits, SGD at 10."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), scaled("digits"), optimizer=fnn.SGD(10.0)
    )


@case("optimization")
def cancer_fast() -> Any:
    """Breast cancer, SGD at 10 through two hidden layers."""
    return arguments(
        net(Dense(32, "relu"), Dense(32, "relu"), Dense(2)),
        scaled("breast_cancer"),
        optimizer=fnn.SGD(10.0),
        epochs=60,
    )


@case("optimization")
def digits_fast_adam() -> Any:
    """Digits, Adam at 1."""
    return arguments(
        net(Dense(64, "relu"), Dense(64, "relu"), Dense(10)),
        scaled("digits"),
        optimizer=fnn.Adam(1.0),
    )


@case("optimization")
def wave_fast() -> Any:
    """A sine, SGD at 10."""
    return arguments(
        net(Dense(32, "tanh"), Dense(1)), wave(), **MSE, optimizer=fnn.SGD(10.0)
    )


@case("optimization")
def digits_zeros() -> Any:
    """Digits, all weights 0."""
    layers = (Dense(64, "tanh", init="zeros"), Dense(10, init="zeros"))
    return arguments(net(*layers), scaled("digits"))


@case("optimization")
def circles_zeros() -> Any:
    """Points and a circle, all weights 0."""
    layers = (Dense(32, "tanh", init="zeros"), Dense(2, init="zeros"))
    return arguments(net(*layers), circles(), optimizer=fnn.SGD(0.1))


@case("optimization")
def cancer_far_off() -> Any:
    """Breast cancer, MSE after a sigmoid that starts at 1."""
    layers = (
        Dense(16, "tanh"),
        Dense(1, "sigmoid", init=(np.zeros((1, 16)), np.array([15.0]))),
    )
    X, y = scaled("breast_cancer")
    return arguments(net(*layers), (X, y.astype(float)), **MSE, optimizer=fnn.SGD(0.1))


@case("optimization")
def circles_far_off() -> Any:
    """Points and a circle, MSE after a sigmoid that starts at 0."""
    random = np.random.default_rng(3)
    layers = (
        Dense(32, "relu"),
        Dense(1, "sigmoid", init=(random.standard_normal((1, 32)) / 9, [-20.0])),
    )
    X, y = circles()
    return arguments(net(*layers), (X, y.astype(float)), **MSE, optimizer=fnn.SGD(0.1))


@case("optimization")
def digits_saturated() -> Any:
    """Digits, tanh with weights of spread 30."""
    random = np.random.default_rng(0)
    layers = [
        Dense(64, "tanh", init=(30 * random.standard_normal((64, 64)), np.zeros(64)))
        for _ in range(4)
    ]
    return arguments(net(*layers, Dense(10)), scaled("digits"), optimizer=fnn.SGD(0.01))


@case("optimization")
def mnist_deep() -> Any:
    """MNIST subset, forty plain layers of ReLU."""
    layers = [Dense(32, "relu") for _ in range(40)]
    return arguments(
        net(*layers, Dense(10)), mnist(), optimizer=fnn.SGD(0.01, momentum=0.9)
    )


@case("optimization")
def digits_one_batch() -> Any:
    """Digits, all rows in one batch, 30 epochs."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), scaled("digits"), batch_size=1797, epochs=30
    )


@case("optimization")
def noise_of_single_rows() -> Any:
    """Linear targets with noise, batches of a single row, SGD at 0.03."""
    random, X = draw(11, 2000, 20)
    y = X @ random.standard_normal(20) + 2 * random.standard_normal(2000)
    return arguments(
        net(Dense(1)),
        (X, standardised(y)),
        **MSE,
        optimizer=fnn.SGD(0.03),
        batch_size=1,
        epochs=20,
    )


def leaping(rate: float) -> Any:
    random, X = draw(16, 800, 6)
    seen = X @ [1.0, -1.0, 0.5, 2.0, 0.0, 1.0] + 2 * random.standard_normal(800)
    return arguments(
        net(Dense(1)),
        (X, (seen > 0).astype(int)),
        loss="binary_cross_entropy",
        optimizer=fnn.SGD(rate),
        batch_size=800,
        epochs=300,
    )


@case("optimization")
def leaping_over_the_valley() -> Any:
    """Noisy labels, a linear network, SGD at 50 over all rows."""
    return leaping(50.0)


@case("optimization")
def leaping_past_good_weights() -> Any:
    """Noisy labels, a linear network, SGD at 20 over all rows."""
    return leaping(20.0)


@case("optimization")
def faint_signal_diverges() -> Any:
    """Targets that are mostly noise, SGD at 5 through two hidden layers."""
    random, X = draw(12, 400, 30)
    y = 0.3 * X[:, 0] + random.standard_normal(400)
    layers = (Dense(64, "relu"), Dense(64, "relu"), Dense(1, init="zeros"))
    return arguments(
        net(*layers), (X, standardised(y)), **MSE, optimizer=fnn.SGD(5.0), epochs=60
    )


@case("optimization")
def wine_exploding() -> Any:
    """Wine, thirty layers of tanh with weights four times too large."""
    random = np.random.default_rng(0)
    widths = [13, *[32] * 30]
    layers = [
        Dense(
            n,
            "tanh",
            init=(4 * random.standard_normal((n, m)) / np.sqrt(m), np.zeros(n)),
        )
        for m, n in itertools.pairwise(widths)
    ]
    return arguments(
        net(*layers, Dense(3)), scaled("wine"), optimizer=fnn.SGD(0.01), epochs=100
    )
