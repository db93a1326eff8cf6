"""A training step allocates nothing: extra epochs cost the same few log entries."""

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import BLOCKS, EVERYTHING, MORE, classes, features, targets
from fastnn._native import core
from sanitized import counts_new

OPTIONS = {
    "bare": {"optimizer": "sgd"},
    "clipped": {"clip_norm": 0.5, "clip_value": 0.1, "l1": 1e-4, "l2": 1e-4},
    "constrained": {"optimizer": fnn.NAdam(), "max_norm": 1.0},
    "full batch": {"optimizer": fnn.LBFGS(history_size=1)},
    "scheduled": {"schedule": fnn.Cosine(1000, per="step"), "optimizer": "rmsprop"},
    "all scheduled": {
        "schedule": {
            "weight_decay": fnn.Cosine(1000, per="step"),
            "momentum": fnn.Warmup(9, fnn.Cosine(1000, per="step"), per="step"),
            "dropout": fnn.Cyclic(0.1, 0.5, 7, per="step"),
        },
    },
    "noisy": {"gradient_noise": 0.1},
}


def _allocations(run):
    before = core.allocation_count()
    run()
    return core.allocation_count() - before


def _per_epoch(rows, n_threads, name, layers=EVERYTHING, form=None, **options):
    """Allocations of an epoch, from fits of two and of five."""
    rng = np.random.default_rng(1)
    X, y = classes(rng, rows)
    X = X if form is None else form(X)
    counts = []
    for epochs in (2, 2, 5):  # the first one pays for what the process does once
        net = fnn.Sequential(*layers).build(5)
        trainer = fnn.Trainer(net, n_threads=n_threads, **OPTIONS[name])
        counts.append(
            _allocations(
                lambda trainer=trainer, epochs=epochs: trainer.fit(
                    X, y, epochs=epochs, batch_size=16, **options
                )
            )
        )
    return (counts[2] - counts[1]) / 3


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("layers", [EVERYTHING, MORE])
@pytest.mark.parametrize("name", OPTIONS)
def test_steps_allocate_nothing(name, layers, n_threads):
    """Ten times the steps in an epoch: not one allocation more."""
    few, many = (_per_epoch(rows, n_threads, name, layers) for rows in (35, 350))
    assert few == many


@pytest.mark.parametrize("n_threads", [1, 2])
def test_steps_of_blocks_allocate_nothing(n_threads):
    few, many = (_per_epoch(rows, n_threads, "bare", BLOCKS) for rows in (35, 350))
    assert few == many


@pytest.mark.parametrize(
    "layers", [EVERYTHING, MORE[1:], (fnn.BatchNorm(), fnn.Dense(3))]
)
def test_steps_on_sparse_rows_allocate_nothing(layers):
    """Whether the first layer reads them, or they are written out for it."""
    few, many = (
        _per_epoch(rows, 1, "bare", layers, scipy.sparse.csr_array)
        for rows in (35, 350)
    )
    assert few == many


@pytest.mark.parametrize("n_threads", [1, 2])
def test_epochs_allocate_their_logs_alone(n_threads):
    """The names and numbers of an epoch, kept for the history: a handful."""
    assert _per_epoch(35, n_threads, "bare") <= 8


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("rule", [fnn.EMA(0.9), fnn.SWA(0)], ids=str)
def test_averaging_allocates_nothing_in_a_step(rule, n_threads):
    few, many = (
        _per_epoch(rows, n_threads, "bare", callbacks=[rule]) for rows in (35, 350)
    )
    assert few == many


def test_validation_allocates_nothing(rng):
    few, many = (
        _per_epoch(35, 1, "bare", validation_data=classes(rng, rows))
        for rows in (20, 2000)
    )
    assert few == many


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_cross_entropy"])
def test_every_loss(rng, loss):
    kind = "labels" if loss.startswith("binary") else "values"
    counts = []
    for rows in (32, 320):
        X, y = features(rng, rows), targets(rng, kind, rows, 3)
        weight = rng.uniform(size=rows)
        runs = []
        for epochs in (1, 1, 4):
            net = fnn.Sequential(*EVERYTHING).build(5)
            trainer = fnn.Trainer(net, loss=loss, n_threads=1)
            runs.append(
                _allocations(
                    lambda t=trainer, e=epochs, data=(X, y), w=weight: t.fit(
                        *data, sample_weight=w, epochs=e, batch_size=8
                    )
                )
            )
        counts.append(runs[2] - runs[1])
    assert counts[0] == counts[1]


def _five_steps(X, y, augment):
    trainer = fnn.Trainer(fnn.Sequential(*EVERYTHING), clip_norm=1.0, n_threads=1)
    return [_allocations(lambda: trainer.step(X, y, augment=augment)) for _ in range(5)]


@pytest.mark.parametrize("augment", [None, [fnn.augment.Mixup()]])
def test_single_steps(rng, augment):
    """After the first, a step costs what the border costs, whatever the batch."""
    costs = set()
    for rows in (16, 2000):
        first, *others = _five_steps(*classes(rng, rows), augment)
        assert first > max(others)
        costs.update(others)
    assert len(costs) == 1
    assert max(costs) <= 8 + (augment is not None)  # the list of them


@counts_new
def test_the_counter_counts(rng):
    """A network, and a batch of another size, need memory: the tests above can fail."""
    net = fnn.Sequential(*EVERYTHING)
    assert _allocations(lambda: net.build(5)) > 3
    trainer = fnn.Trainer(net)
    X, y = classes(rng, 16)
    trainer.step(X, y)
    same = _allocations(lambda: trainer.step(X, y))
    other = _allocations(lambda: trainer.step(X[:15], y[:15]))
    assert other > same + 10
    assert _allocations(lambda: None) == 0
