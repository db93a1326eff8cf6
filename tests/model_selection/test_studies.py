"""`batch_size_study` and `depth_study`: against the same fits by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes, curves
from fastnn._validation import split_rows

OPTIONS = {"epochs": 3, "optimizer": fnn.Adam(0.01), "metrics": ("accuracy",)}


def _net():
    return fnn.Sequential(fnn.Dense(12, "relu"), fnn.Dropout(0.1), fnn.Dense(3), seed=4)


def _check(study, i, net, train, held, **options):
    history = net.fit(*train, validation_data=held, **{**OPTIONS, **options})
    assert curves(history) == curves(study.histories[i])
    wanted = net.evaluate(*train, metrics=("accuracy",))
    validation = net.evaluate(*held, metrics=("accuracy",))
    wanted |= {f"val_{name}": value for name, value in validation.items()}
    assert {name: values[i] for name, values in study.scores.items()} == wanted
    assert study.parameters[i] == net.n_parameters
    assert study.seconds[i] == np.median(study.histories[i].history["seconds"])


def test_batch_sizes_are_fits_of_one_network(rng):
    X, y = classes(rng, 100)
    net = _net()
    net.fit(X, y, epochs=1)
    before = bits(net)
    study = fnn.batch_size_study(net, X, y, (50, 7), **OPTIONS)
    assert bits(net) == before
    assert (study.setting, study.values) == ("batch_size", [50, 7])
    train, held = split_rows(100, 0.2, y, 4)
    for i, size in enumerate((50, 7)):
        parts = (X[train], y[train]), (X[held], y[held])
        _check(study, i, _net(), *parts, batch_size=size)


def test_depths_repeat_what_stands_before_the_last_layer(rng):
    X, y = classes(rng, 60)
    held = classes(rng, 40)
    study = fnn.depth_study(_net(), X, y, (0, 1, 3), validation_data=held, **OPTIONS)
    block = [fnn.Dense(12, "relu"), fnn.Dropout(0.1)]
    for i, depth in enumerate((0, 1, 3)):
        net = fnn.Sequential(*block * depth, fnn.Dense(3), seed=4)
        _check(study, i, net, (X, y), held)
    assert study.parameters == [18, 111, 423]


def test_a_declared_width_is_the_first_layers_alone(rng):
    net = fnn.Sequential(fnn.Dense(12, "relu", in_features=5), fnn.Dense(3))
    study = fnn.depth_study(net, *classes(rng, 60), (1, 2), **OPTIONS)
    assert study.parameters == [111, 267]


def test_declared_widths_within_a_block_go_too():
    """Of Maxout, of what a Residual holds at any depth, and of the head."""
    X = np.random.default_rng(0).normal(size=(40, 5))
    y = (X[:, 0] > 0).astype(int)
    block = fnn.Residual(
        fnn.Dense(12, in_features=5),
        fnn.Residual(fnn.Maxout(12, in_features=12), survival=0.9),
        survival=0.8,
    )
    net = fnn.Sequential(
        fnn.Maxout(5, in_features=5), block, fnn.Dense(2, in_features=12)
    )
    study = fnn.depth_study(net, X, y, (0, 1, 2), epochs=1)
    free = fnn.Residual(
        fnn.Dense(12), fnn.Residual(fnn.Maxout(12), survival=0.9), survival=0.8
    )
    by_hand = [
        fnn.Sequential(*[fnn.Maxout(5), free] * depth, fnn.Dense(2)).build(5)
        for depth in (0, 1, 2)
    ]
    assert study.parameters == [one.n_parameters for one in by_hand]
    alike = fnn.depth_study(lambda depth: by_hand[depth], X, y, (0, 1, 2), epochs=1)
    assert study.scores == alike.scores
    with pytest.raises(ValueError, match="3 features, but the network expects 5"):
        fnn.depth_study(net, X[:, :3], y, (1, 2), epochs=1)


def test_a_maxout_is_a_head(rng):
    data = classes(rng, 60)
    block = [fnn.Dense(6, "relu"), fnn.Dense(5, "tanh")]
    net = fnn.Sequential(*block, fnn.Maxout(3), seed=4)
    study = fnn.depth_study(net, *data, (0, 2), **OPTIONS)
    by_hand = [
        fnn.Sequential(*block * depth, fnn.Maxout(3), seed=4) for depth in (0, 1, 2)
    ]
    alike = fnn.depth_study(lambda depth: by_hand[depth], *data, (0, 2), **OPTIONS)
    assert study.scores == alike.scores
    assert study.parameters == alike.parameters


def test_depths_by_a_function(rng):
    asked = []

    def build(depth):
        asked.append(depth)
        return fnn.Sequential(*[fnn.Dense(4 * depth, "tanh")] * depth, fnn.Dense(3))

    study = fnn.depth_study(build, *classes(rng, 60), (1, 2), **OPTIONS)
    assert asked == [1, 2]
    assert study.parameters == [39, 147]
    with pytest.raises(TypeError, match=r"must return a fastnn\.Sequential, got int"):
        fnn.depth_study(lambda depth: depth, *classes(rng, 60))


def test_a_run_that_diverges_has_no_scores(rng):
    """Of a rate of 1e20 nothing comes; what came of the others stays."""
    X = rng.normal(size=(60, 5))

    def build(depth):
        hidden = fnn.Dense(12, "tanh", lr_scale=1e20**depth)
        return fnn.Sequential(hidden, fnn.Dense(1, lr_scale=1e20**depth))

    study = fnn.depth_study(
        build, X, X[:, 0], (0, 2), loss="mse", optimizer=fnn.SGD(0.3), epochs=40
    )
    assert study.histories[1].stop_reason == "diverged"
    assert np.isnan(study.scores["val_loss"][1])
    assert study.scores["loss"][0] < 0.1
    assert " -" in repr(study)
    for ax in study.plot():
        assert ax.lines
    plt.close("all")


def test_table_and_frame(rng):
    study = fnn.batch_size_study(_net(), *classes(rng, 60), (8, 64), **OPTIONS)
    names = ["loss", "val_loss", "accuracy", "val_accuracy"]
    head, *rows = repr(study).splitlines()
    assert head.split() == ["batch_size", "parameters", "epochs", "seconds", *names]
    assert [row.split()[0] for row in rows] == ["8", "64"]
    assert "<table" in study._repr_html_()
    frame = study.to_frame()
    assert frame.index.tolist() == [8, 64]
    assert frame["val_loss"].tolist() == study.scores["val_loss"]


def test_plot(rng):
    study = fnn.batch_size_study(_net(), *classes(rng, 60), (64, 8), **OPTIONS)
    cost, gain = study.plot("accuracy")
    np.testing.assert_array_equal(cost.lines[0].get_xdata(), [8, 64])
    np.testing.assert_array_equal(
        gain.lines[1].get_ydata(), study.scores["val_accuracy"][::-1]
    )
    assert [t.get_text() for t in gain.get_legend().get_texts()] == [
        "accuracy",
        "val_accuracy",
    ]
    with pytest.raises(ValueError, match="this study has no score 'acc'; it has loss"):
        study.plot("acc")
    plt.close("all")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda net, d: fnn.batch_size_study(net, *d, ()), ValueError, "is empty"),
        (
            lambda net, d: fnn.batch_size_study(net, *d, 8),
            TypeError,
            "must be a sequen",
        ),
        (lambda net, d: fnn.batch_size_study(net, *d, "8"), TypeError, "a sequence of"),
        (
            lambda net, d: fnn.batch_size_study(net, *d, (8, 0)),
            ValueError,
            r"batch_sizes\[1\] must be >= 1, got 0",
        ),
        (
            lambda net, d: fnn.batch_size_study(net, *d, (8, 8)),
            ValueError,
            "holds a value twice",
        ),
        (
            lambda net, d: fnn.batch_size_study(net, *d, batch_size=3),
            TypeError,
            "batch_size: this study varies it",
        ),
        (
            lambda net, d: fnn.batch_size_study(net, *d, validation_split=0.0),
            ValueError,
            "validation_split must be a finite number > 0",
        ),
        (
            lambda net, d: fnn.batch_size_study(
                net, *d, validation_split=0.5, validation_data=d
            ),
            ValueError,
            "both given",
        ),
        (lambda _, d: fnn.batch_size_study(3, *d), TypeError, "net must be a fastnn"),
        (lambda _, d: fnn.depth_study(3, *d), TypeError, "net must be a fastnn"),
        (
            lambda _, d: fnn.depth_study(fnn.Sequential(fnn.Dense(3)), *d),
            ValueError,
            r"\(Dense\) has nothing before it: give one with a hidden layer",
        ),
        (
            lambda _, d: fnn.depth_study(
                fnn.Sequential(fnn.Residual(fnn.Dense(5)), fnn.ReLU()), *d
            ),
            ValueError,
            r"\(Residual, ReLU\) has no such layer: give one with .* and a head",
        ),
        (lambda net, d: fnn.depth_study(net, *d, (-1,)), ValueError, "must be >= 0"),
        (lambda net, d: fnn.depth_study(net, *d, epoch=1), TypeError, "no option 'epo"),
        (
            lambda net, d: fnn.depth_study(net, *d, metrics=["r2"]),
            ValueError,
            "'r2' does not suit",
        ),
    ],
)
def test_unusable_arguments(rng, call, error, text):
    with pytest.raises(error, match=text):
        call(_net(), classes(rng, 30))
