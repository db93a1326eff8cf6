"""Networks, data and losses that the tests of the engine share."""

import numpy as np

import fastnn as fnn

FEATURES = 5

# One of everything, in an order that makes each layer's gradient pass through others.
EVERYTHING = (
    fnn.Dense(12),
    fnn.BatchNorm(),
    fnn.ReLU(),
    fnn.Dropout(0.3),
    fnn.Dense(9, "gelu"),
    fnn.LayerNorm(),
    fnn.Tanh(),
    fnn.Dropout(0.2),
    fnn.Dense(3),
)

# And one of everything it has no room for.
MORE = (
    fnn.GaussianNoise(0.1),
    fnn.Dense(11, "tanh", weight_norm=True, dropconnect=0.2),
    fnn.RMSNorm(),
    fnn.PReLU(per_unit=True),
    fnn.Maxout(7, pieces=3),
    fnn.AlphaDropout(0.1),
    fnn.Dense(6, dropconnect=0.3, use_bias=False),
    fnn.PReLU(),
    fnn.Dense(3, weight_norm=True),
)

# Residual blocks with one of everything: within one another, with projections, first
# and last, rows that skip them.
BLOCKS = (
    fnn.Residual(fnn.Dense(12), fnn.BatchNorm(), fnn.ReLU(), survival=0.7),
    fnn.Residual(
        fnn.BatchNorm(),
        fnn.ReLU(),
        fnn.Residual(fnn.Dense(7, "gelu"), fnn.Dropout(0.2), fnn.LayerNorm()),
        fnn.Dense(12),
        survival=0.8,
    ),
    fnn.ReLU(),
    fnn.Residual(fnn.Dropout(0.1), fnn.Dense(12), projection=True),
    fnn.Residual(
        fnn.GaussianNoise(0.1),
        fnn.Maxout(8, pieces=3),
        fnn.RMSNorm(),
        fnn.Residual(fnn.Dense(8, weight_norm=True, dropconnect=0.2), fnn.PReLU()),
        fnn.AlphaDropout(0.1),
    ),
    fnn.Residual(fnn.Dense(3)),
)

# loss -> (outputs, targets). Every loss of the package in each form its targets take.
LOSSES = {
    "mse": (fnn.MSE(), 2, "values"),
    "squared_error": (fnn.losses.SquaredError(), 2, "values"),
    "mae": (fnn.MAE(), 2, "values"),
    "huber": (fnn.Huber(), 2, "values"),
    "huber-narrow": (fnn.Huber(delta=0.3), 1, "values"),
    "log_cosh": (fnn.LogCosh(), 2, "values"),
    "quantile": (fnn.Quantile(0.8), 2, "values"),
    "quantiles": (fnn.Quantile((0.1, 0.6)), 4, "means"),
    "gaussian": (fnn.GaussianNLL(), 4, "means"),
    "focal": (fnn.Focal(), 3, "classes"),
    "focal-soft": (fnn.Focal(0.5), 3, "probabilities"),
    "hinge": (fnn.Hinge(), 3, "labels"),
    "poisson": (fnn.PoissonNLL(), 3, "counts"),
    "poisson-sum": (fnn.PoissonNLL(sum_outputs=True), 3, "counts"),
    "cross_entropy": (fnn.CrossEntropy(), 3, "classes"),
    "cross_entropy-smooth": (fnn.CrossEntropy(0.2), 3, "classes"),
    "cross_entropy-soft": (fnn.CrossEntropy(), 3, "probabilities"),
    "cross_entropy-soft-smooth": (fnn.CrossEntropy(0.2), 3, "probabilities"),
    "binary": (fnn.BinaryCrossEntropy(), 1, "labels"),
    "binary-many": (fnn.BinaryCrossEntropy(), 3, "labels"),
    "binary-sum": (fnn.BinaryCrossEntropy(sum_outputs=True), 3, "labels"),
    "binary-smooth": (fnn.BinaryCrossEntropy(label_smoothing=0.2), 3, "labels"),
    "binary-weight": (fnn.BinaryCrossEntropy(pos_weight=3.0), 3, "labels"),
    "binary-weights": (
        fnn.BinaryCrossEntropy(pos_weight=(0.5, 1.0, 4.0), label_smoothing=0.1),
        3,
        "labels",
    ),
}


def features(rng, rows, columns=FEATURES):
    """Standard normal numbers (rows, columns)."""
    return rng.normal(size=(rows, columns))


def targets(rng, kind, rows, outputs):
    """Random y of one kind for a loss."""
    if kind == "classes":
        return rng.integers(0, outputs, size=rows)
    if kind == "probabilities":
        p = rng.uniform(0.05, 1.0, size=(rows, outputs))
        return p / p.sum(axis=1, keepdims=True)
    if kind == "labels":
        return rng.integers(0, 2, size=(rows, outputs)).astype(float)
    if kind == "means":
        return rng.normal(size=(rows, outputs // 2))
    if kind == "counts":
        return rng.poisson(2.0, size=(rows, outputs)).astype(float)
    return rng.normal(size=(rows, outputs))


def classes(rng, rows, columns=FEATURES, k=3):
    """Data (X, y) of k classes that a small network can learn."""
    X = features(rng, rows, columns)
    return X, np.argmax(X[:, :k] + 0.3 * rng.normal(size=(rows, k)), axis=1)


def settled(net, rng, columns=FEATURES):
    """Build the net and move every number off the special values it starts with."""
    net.build(columns)
    state = net.state_dict()
    for name, array in state.items():
        if name.endswith("running_var"):
            array[...] = rng.uniform(0.5, 2.0, size=array.shape)
        elif not name.endswith("num_batches_tracked"):
            array[...] += 0.3 * rng.normal(size=array.shape)
    net.load_state_dict(state)
    return net


def bits(net):
    """Return the bytes of all tensors of a network, by name."""
    return {name: array.tobytes() for name, array in net.state_dict().items()}


def curves(history):
    """Return a history without its clock."""
    return {k: v for k, v in history.history.items() if k != "seconds"}
