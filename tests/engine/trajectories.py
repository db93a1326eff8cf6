"""Training runs that PyTorch makes too: the table, and what both start from.

Every run makes 50 steps: ten epochs of five batches, the last of which is short. Data
and first parameters come from a frozen stream of numbers.
"""

import numpy as np

import fastnn as fnn
from fastnn import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    BatchNorm,
    Dense,
    LayerNorm,
    NAdam,
    RMSprop,
    Sequential,
)

ROWS, FEATURES, BATCH, EPOCHS = 37, 4, 8, 10

MLP = (Dense(6, "tanh"), Dense(5, "gelu"), Dense(3))
RELU = (Dense(7), fnn.ReLU(), Dense(3))
SPREAD = (Dense(6, "tanh"), Dense(4))
NORM = (Dense(6, use_bias=False), BatchNorm(), fnn.ReLU(), Dense(3))
LAYER = (Dense(6), LayerNorm(), fnn.SiLU(), Dense(3))
SLOW = (
    BatchNorm(eps=1e-3, momentum=0.03),
    Dense(5),
    fnn.ELU(0.5),
    BatchNorm(),
    Dense(3),
)
MIXED = (
    LayerNorm(eps=1e-2),
    Dense(6),
    BatchNorm(),
    fnn.Mish(),
    Dense(4, "celu"),
    Dense(3),
)
ODD = (fnn.Tanh(), Dense(5, "leaky_relu"), fnn.Softsign(), Dense(3, "selu"))
BLOCKS = (
    fnn.Residual(Dense(6), BatchNorm(), fnn.Tanh(), Dense(5)),
    fnn.Tanh(),
    fnn.Residual(LayerNorm(), fnn.Residual(Dense(5), fnn.SiLU()), Dense(5)),
    fnn.Residual(fnn.GELU(), Dense(5, use_bias=False), projection=True),
    Dense(3),
)
ONE = (Dense(6, "sigmoid"), Dense(1))

SLOPES = (Dense(6), fnn.PReLU(), Dense(5), fnn.PReLU(0.1, per_unit=True), Dense(3))
RMS = (fnn.RMSNorm(), Dense(6), fnn.RMSNorm(1e-2), fnn.SiLU(), Dense(3))
LENGTHS = (
    Dense(6, "tanh", weight_norm=True),
    Dense(5, "gelu", weight_norm=True, use_bias=False),
    Dense(3, weight_norm=True),
)
PIECES = (fnn.Maxout(6), fnn.Maxout(5, 3), Dense(3))

momentum = SGD(lr=0.1, momentum=0.9)

# name: layers, loss, optimizer, further options of fit
CASES = {
    "plain": (MLP, "cross_entropy", SGD(lr=0.3), {}),
    "adam": (MLP, "cross_entropy", Adam(lr=0.01), {}),
    "relu": (RELU, "cross_entropy", Adam(lr=0.03), {}),
    "batchnorm": (NORM, "cross_entropy", momentum, {}),
    "batchnorm, adam": (NORM, "cross_entropy", Adam(lr=0.01), {}),
    "batchnorm, slow": (SLOW, "mse", SGD(lr=0.05), {}),
    "layernorm": (LAYER, "cross_entropy", Adam(lr=0.01), {}),
    "both norms": (MIXED, "mse", AdamW(lr=0.01, eps=1e-3, weight_decay=0.1), {}),
    "odd orders": (ODD, "huber", momentum, {}),
    "blocks": (BLOCKS, "cross_entropy", momentum, {}),
    "blocks, adam": (BLOCKS, "mse", Adam(lr=0.01, eps=1e-3), {"weighted": True}),
    "prelu": (SLOPES, "cross_entropy", Adam(lr=0.02), {}),
    "prelu, decay and l2": (
        SLOPES,
        "mse",
        SGD(lr=0.05, momentum=0.9, weight_decay=0.02),
        {"l2": 0.05},
    ),
    "rmsnorm": (RMS, "cross_entropy", Adam(lr=0.02), {}),
    "weight norm": (LENGTHS, "cross_entropy", momentum, {}),
    "weight norm, adamw": (LENGTHS, "mse", AdamW(lr=0.02, weight_decay=0.1), {}),
    "weight norm, l1 and l2": (
        LENGTHS,
        "mse",
        Adam(lr=0.02),
        {"l1": 0.01, "l2": 0.05, "clip_norm": 0.5},
    ),
    "weight norm, max norm": (LENGTHS, "mse", SGD(lr=0.1), {"max_norm": 0.7}),
    "maxout": (PIECES, "cross_entropy", momentum, {}),
    "maxout, l2 and max norm": (
        PIECES,
        "mse",
        Adam(lr=0.02),
        {"l2": 0.02, "max_norm": 0.9},
    ),
    "mse": (MLP, "mse", momentum, {}),
    "mae": (MLP, "mae", SGD(lr=0.05), {}),
    "huber": (MLP, fnn.Huber(delta=0.4), RMSprop(lr=0.003), {}),
    "half, summed": (
        MLP,
        "squared_error",
        SGD(lr=0.03, momentum=0.9),  # at 0.1 the run magnifies roundings 50 times
        {"weighted": True},
    ),
    "poisson": (MLP, "poisson", Adam(lr=0.02), {"weighted": True}),
    "poisson, summed": (
        MLP,
        fnn.PoissonNLL(sum_outputs=True),
        SGD(lr=0.02),
        {"clip_norm": 1.0},
    ),
    "log cosh": (MLP, "log_cosh", momentum, {"weighted": True}),
    "quantile": (MLP, fnn.Quantile(0.8), SGD(lr=0.05), {}),
    "quantiles": (SPREAD, fnn.Quantile((0.2, 0.7)), momentum, {"weighted": True}),
    "gaussian": (SPREAD, "gaussian", Adam(lr=0.01), {"weighted": True}),
    "focal": (NORM, "focal", momentum, {"weighted": True}),
    "focal, soft labels": (MLP, fnn.Focal(0.7), Adam(lr=0.01), {"soft": True}),
    "hinge": (MLP, "hinge", SGD(lr=0.1), {"weighted": True}),
    "smoothing": (MLP, fnn.CrossEntropy(0.1), Adam(lr=0.01), {}),
    "soft labels": (RELU, fnn.CrossEntropy(0.2), Adagrad(lr=0.1), {"soft": True}),
    "binary": (ONE, "binary_cross_entropy", NAdam(lr=0.02), {}),
    "many labels": (
        MLP,
        fnn.BinaryCrossEntropy(pos_weight=(0.5, 1.0, 3.0)),
        Adadelta(lr=1.0),
        {},
    ),
    "many labels, summed": (
        MLP,
        fnn.BinaryCrossEntropy(sum_outputs=True),
        momentum,
        {"weighted": True},
    ),
    "nesterov": (LAYER, "mse", SGD(0.05, 0.9, nesterov=True, weight_decay=0.01), {}),
    "amsgrad": (MLP, "mse", Adam(lr=0.02, amsgrad=True, weight_decay=0.1), {}),
    "centered": (MLP, "mse", RMSprop(lr=0.01, centered=True, momentum=0.5), {}),
    "l2": (NORM, "cross_entropy", momentum, {"l2": 0.05}),
    "l1 and l2": (MLP, "mse", Adam(lr=0.01), {"l1": 0.01, "l2": 0.02}),
    "max norm": (RELU, "cross_entropy", SGD(lr=0.3), {"max_norm": 0.8}),
    "clip norm": (MLP, "mse", SGD(lr=0.5), {"clip_norm": 0.3}),
    "clip value": (NORM, "mse", SGD(lr=0.5), {"clip_value": 0.02}),
    "clip and l2": (MLP, "mse", Adam(lr=0.02), {"clip_norm": 0.2, "l2": 0.1}),
    "sample weights": (NORM, "cross_entropy", momentum, {"weighted": True}),
    "weighted numbers": (LAYER, "huber", momentum, {"weighted": True}),
    "class weights": (
        MLP,
        "cross_entropy",
        momentum,
        {"class_weight": [0.5, 1.0, 3.0]},
    ),
    "step decay": (MLP, "mse", momentum, {"schedule": fnn.StepDecay(3, gamma=0.5)}),
    "cosine": (MLP, "mse", Adam(lr=0.02), {"schedule": fnn.Cosine(10, min_lr=1e-3)}),
    "exponential, per step": (
        MLP,
        "mse",
        Adam(lr=0.02),
        {"schedule": fnn.Exponential(0.95, per="step")},
    ),
    "one cycle, per step": (
        RELU,
        "cross_entropy",
        SGD(lr=0.1),
        {"schedule": fnn.OneCycle(50, max_lr=0.5, per="step")},
    ),
}


def state(layers):
    """Return the first parameters, by name."""
    draw = np.random.RandomState(99)  # the legacy stream never changes
    net = Sequential(*layers, dtype="float64").build(FEATURES)
    numbers = {}
    for name, array in net.state_dict().items():
        if name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            numbers[name] = array
        else:
            shift = 1.0 if array.ndim == 1 and name.endswith("weight") else 0.0
            numbers[name] = shift + 0.5 * draw.standard_normal(array.shape)
    return numbers


def data(loss, outputs, *, soft=False):
    """Return X, y and sample weights (a few of which are 0)."""
    draw = np.random.RandomState(7)
    X = draw.standard_normal((ROWS, FEATURES))
    score = np.tanh(X @ draw.standard_normal((FEATURES, outputs)))
    score += 0.3 * draw.standard_normal((ROWS, outputs))
    weight = draw.uniform(0.1, 3.0, size=ROWS) * (draw.uniform(size=ROWS) > 0.1)
    if isinstance(loss, (fnn.CrossEntropy, fnn.Focal)):
        p = np.exp(score)
        y = p / p.sum(axis=1, keepdims=True) if soft else score.argmax(axis=1)
    elif isinstance(loss, (fnn.BinaryCrossEntropy, fnn.Hinge)):
        y = (score > 0).astype(float)
    elif isinstance(loss, fnn.PoissonNLL):
        y = np.floor(3 * np.exp(score))
    elif isinstance(loss, fnn.GaussianNLL):
        y = score[:, : outputs // 2]
    else:
        y = 2 * score[:, : loss.target_width(outputs)]
    return X, y, weight


def problem(name):
    """Return (layers, loss, optimizer, data, options of fit) of a case."""
    layers, loss, optimizer, options = CASES[name]
    loss = fnn.losses.resolve_loss(loss)
    options = dict(options)
    outputs = next(x.units for x in reversed(layers) if isinstance(x, Dense))
    X, y, weight = data(loss, outputs, soft=options.pop("soft", False))
    if not options.pop("weighted", False):
        weight = None
    return layers, loss, optimizer, (X, y, weight), options


def fit(name, dtype="float64", **more):
    """Run a case here; return the net and its history."""
    layers, loss, optimizer, (X, y, weight), options = problem(name)
    net = Sequential(*layers, dtype=dtype).build(FEATURES)
    numbers = net.state_dict()
    net.load_state_dict(
        {k: v.astype(numbers[k].dtype) for k, v in state(layers).items()}
    )
    history = net.fit(
        X,
        y,
        loss=loss,
        optimizer=optimizer,
        sample_weight=weight,
        epochs=EPOCHS,
        batch_size=BATCH,
        shuffle=False,
        **options,
        **more,
    )
    return net, history
