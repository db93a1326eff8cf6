"""Networks and losses whose curvature is checked, and the difference that checks it."""

import numpy as np

import fastnn as fnn
from engine.problems import LOSSES, features, settled, targets

ACTIVATIONS = [cls() for cls in dict.fromkeys(fnn.layers.ACTIVATIONS.values())]
ACTIVATIONS += [fnn.LeakyReLU(0.3), fnn.ELU(0.5), fnn.CELU(2.0), fnn.GELU("tanh")]

# Each layer first, last and between others; alone, fused and with parameters before it.
NETS = {
    "linear": [fnn.Dense(3)],
    "no bias": [fnn.Dense(4, "tanh", use_bias=False), fnn.Dense(3, use_bias=False)],
    "mlp": [fnn.Dense(7, "tanh"), fnn.Dense(6, "silu"), fnn.Dense(3)],
    "one and two units": [fnn.Dense(1, "tanh"), fnn.Dense(2, "tanh"), fnn.Dense(3)],
    "wide": [fnn.Dense(40, "tanh"), fnn.Dense(33, "gelu"), fnn.Dense(3)],
    "activation last": [fnn.Dense(7, "tanh"), fnn.Dense(3, "softplus")],
    "activation first": [fnn.Tanh(), fnn.Dense(4, "tanh"), fnn.Dense(3)],
    "two activations": [fnn.Dense(6), fnn.Tanh(), fnn.SiLU(), fnn.Dense(3)],
    "activations alone at the end": [fnn.Dense(3), fnn.Softsign(), fnn.GELU()],
    "batchnorm first": [fnn.BatchNorm(), fnn.Dense(3, "tanh"), fnn.Dense(3)],
    "batchnorm last": [fnn.Dense(4, "tanh"), fnn.Dense(3), fnn.BatchNorm()],
    "batchnorm fused": [fnn.Dense(6), fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(3)],
    "batchnorm twice": [fnn.BatchNorm(), fnn.BatchNorm(), fnn.SiLU(), fnn.Dense(3)],
    "layernorm first": [fnn.LayerNorm(), fnn.Dense(3, "tanh"), fnn.Dense(3)],
    "layernorm last": [fnn.Dense(3), fnn.LayerNorm(eps=0.1)],
    "layernorm fused": [fnn.Dense(6), fnn.LayerNorm(), fnn.SiLU(), fnn.Dense(3)],
    "layernorm twice": [fnn.LayerNorm(), fnn.LayerNorm(), fnn.Tanh(), fnn.Dense(3)],
    "dropout": [
        fnn.Dropout(0.4),
        fnn.Dense(6, "tanh"),
        fnn.Dropout(0.3),
        fnn.Dense(3),
        fnn.Dropout(0.1),
    ],
    "rmsnorm first": [fnn.RMSNorm(), fnn.Dense(3, "tanh"), fnn.Dense(3)],
    "rmsnorm fused": [fnn.Dense(6), fnn.RMSNorm(), fnn.SiLU(), fnn.Dense(3)],
    "rmsnorm last": [fnn.Dense(4, "tanh"), fnn.Dense(3), fnn.RMSNorm(eps=0.1)],
    "prelu": [fnn.Dense(6), fnn.PReLU(), fnn.Dense(3), fnn.PReLU()],
    "prelu per unit": [
        fnn.PReLU(per_unit=True),
        fnn.Dense(6),
        fnn.PReLU(per_unit=True),
        fnn.Dense(3),
    ],
    "maxout": [fnn.Maxout(4), fnn.Maxout(3, pieces=3), fnn.Dense(3)],
    "maxout last": [fnn.Dense(4, "tanh"), fnn.Maxout(3)],
    "weight norm": [
        fnn.Dense(6, "tanh", weight_norm=True),
        fnn.Dense(5, "gelu", weight_norm=True, use_bias=False),
        fnn.Dense(3, weight_norm=True),
    ],
    "noise": [
        fnn.GaussianNoise(0.3),
        fnn.Dense(6, "selu", dropconnect=0.3),
        fnn.AlphaDropout(0.2),
        fnn.Dense(3, dropconnect=0.1, weight_norm=True),
    ],
    "residual": [
        fnn.Dense(6, "tanh"),
        fnn.Residual(fnn.Dense(6, "tanh"), fnn.Dense(6)),
        fnn.Tanh(),
        fnn.Dense(3),
    ],
    "residual of everything, twice": [
        fnn.Residual(fnn.BatchNorm(), fnn.Dense(5, "tanh"), fnn.Dropout(0.2)),
        fnn.Residual(fnn.LayerNorm(), fnn.Dense(7, "silu"), fnn.Dense(5)),
        fnn.GELU(),
        fnn.Residual(fnn.Maxout(5), survival=0.5),
        fnn.Dense(3),
    ],
    "residual within residual": [
        fnn.Dense(4),
        fnn.Residual(
            fnn.Dense(4, "tanh"),
            fnn.Residual(fnn.Tanh(), fnn.Dense(4)),
            fnn.Dense(4),
        ),
        fnn.Residual(fnn.SiLU()),
        fnn.Dense(3),
    ],
    "residual without parameters first": [
        fnn.Residual(fnn.Tanh()),
        fnn.Dense(3, "tanh"),
        fnn.Dense(3),
    ],
    "residual last": [fnn.Dense(3), fnn.Residual(fnn.Tanh(), fnn.Dense(3))],
    "everything": [
        fnn.Dense(12),
        fnn.BatchNorm(),
        fnn.Tanh(),
        fnn.Dropout(0.3),
        fnn.Dense(9, "gelu"),
        fnn.LayerNorm(),
        fnn.Sigmoid(),
        fnn.Dense(3),
    ],
}

__all__ = ["ACTIVATIONS", "LOSSES", "NETS", "features", "make", "slope", "targets"]


def make(layers, rng, *, dtype="float64", columns=5):
    """Return the built network with every number moved off its special value."""
    return settled(fnn.Sequential(*layers, dtype=dtype, seed=3), rng, columns)


def slope(net, X, y, **options):
    """Return the gradient as one vector."""
    _, gradients = net.loss_and_gradients(X, y, **options)
    return np.concatenate([g.reshape(-1) for g in gradients.values()])


def difference(net, X, y, v, *, h=1e-4, **options):
    """Return d/dt gradient(w + t v) at 0 by differences, with an error O(h**4)."""
    start, total = net.parameters.copy(), 0.0
    h /= max(np.abs(v).max(), 1e-300)
    for steps, factor in ((-2, 1.0), (-1, -8.0), (1, 8.0), (2, -1.0)):
        net.parameters[:] = start + steps * h * v
        total = total + factor * slope(net, X, y, **options)
    net.parameters[:] = start
    return total / (12 * h)


def assert_product(net, X, y, v, *, rtol=1e-7, **options):
    """Fail unless the product is how the gradient changes along v."""
    product = fnn.hessian_vector_product(net, X, y, v, **options)
    expected = difference(net, X, y, v, **options)
    assert product.shape == expected.shape
    scale = max(np.abs(expected).max(), np.abs(v).max() * 1e-2)
    np.testing.assert_allclose(product, expected, rtol=0, atol=rtol * scale)
