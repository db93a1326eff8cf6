"""`Ensemble` and `SnapshotEnsemble`: against their members, one by one."""

import copy
import functools
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes, curves
from fastnn._side_by_side import derived_seed

OPTIONS = {"epochs": 3, "batch_size": 16, "optimizer": fnn.Adam(0.01)}


def _by_hand(n, data, net_seed=4, dtype="float32", **options):
    """Return members trained one after the other, without any ensemble."""
    nets = [
        fnn.Sequential(*EVERYTHING, seed=derived_seed(net_seed, i), dtype=dtype)
        for i in range(n)
    ]
    histories = [net.fit(*data, **{**OPTIONS, **options}) for net in nets]
    return nets, histories


def _net(**options):
    return fnn.Sequential(*EVERYTHING, seed=4, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_threads", [None, 1, 2, 3])
def test_members_are_those_trained_alone(rng, dtype, n_threads):
    """With weights of rows, of classes, and validation: the same bits and curves."""
    X, y = classes(rng, 90)
    options = {
        "sample_weight": rng.uniform(0.5, 2, 90),
        "class_weight": "balanced",
        "validation_data": classes(rng, 40),
        "metrics": ("accuracy",),
        "early_stopping": fnn.EarlyStopping(patience=1),
        "callbacks": [fnn.EMA(0.9)],
    }
    ensemble = fnn.Ensemble(_net(dtype=dtype), 4)
    histories = ensemble.fit(X, y, n_threads=n_threads, **OPTIONS, **options)
    nets, wanted = _by_hand(4, (X, y), dtype=dtype, **options)
    assert [bits(net) for net in ensemble.members] == [bits(net) for net in nets]
    assert [curves(h) for h in histories] == [curves(h) for h in wanted]
    assert len({str(bits(net)) for net in nets}) == 4, "members that are all alike"


def test_predictions_are_means_over_members(rng):
    data = classes(rng, 90)
    ensemble = fnn.Ensemble(_net(dtype="float64"), 3)
    ensemble.fit(*data, **OPTIONS)
    nets, _ = _by_hand(3, data, dtype="float64")
    for name in ("predict", "predict_proba"):
        each = [getattr(net, name)(data[0]) for net in nets]
        mean, std = getattr(ensemble, name)(data[0], return_std=True)
        np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(std, np.std(each, axis=0), rtol=1e-12, atol=1e-15)
        assert (getattr(ensemble, name)(data[0]) == mean).all()
        assert std.min() > 0
    shares = ensemble.predict_proba(data[0])
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-14)


def test_by_hand():
    """Two constant networks: probabilities 1/2 and 9/10 have mean 0.7, spread 0.2."""
    ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(2, init="zeros")), 2)
    ensemble.fit([[0.0]], [0], epochs=1, optimizer=fnn.SGD(1e-30))
    ensemble.members[1].parameters[2:] = [np.log(9.0), 0.0]
    mean, std = ensemble.predict_proba([[5.0]], return_std=True)
    np.testing.assert_allclose(mean, [[0.7, 0.3]], rtol=1e-6)
    np.testing.assert_allclose(std, [[0.2, 0.2]], rtol=1e-6)
    report = ensemble.evaluate([[5.0], [5.0]], [0, 1], metrics=["accuracy"])
    wanted = -(np.log(0.7) + np.log(0.3)) / 2
    np.testing.assert_allclose(report["loss"], wanted, rtol=1e-6)
    assert report["accuracy"] == 0.5


def _labels(rng, n=80):
    X = rng.normal(size=(n, 5))
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    ("loss", "units", "metrics"),
    [
        ("cross_entropy", 3, ("accuracy", "auc")),
        (fnn.Focal(2.0), 3, ("accuracy",)),
        ("binary_cross_entropy", 1, ("accuracy", "auc")),
        ("mse", 1, ("mae", "r2")),
        (fnn.Hinge(), 1, ("accuracy",)),
        (fnn.GaussianNLL(), 2, ()),
        (fnn.Quantile(0.9), 1, ()),
    ],
    ids=str,
)
def test_evaluate_judges_the_mean(rng, loss, units, metrics):
    """An ensemble of copies of one network is that network; of others, their mean."""
    X, y = _labels(rng)
    if units == 3 and loss in ("cross_entropy", fnn.Focal(2.0)):
        X, y = classes(rng, 80)
    net = fnn.Sequential(fnn.Dense(8, "tanh"), fnn.Dense(units), dtype="float64")
    ensemble = fnn.Ensemble(net, 3)
    weight = rng.uniform(0.5, 2, 80)
    ensemble.fit(X, y, loss=loss, epochs=20, optimizer=fnn.Adam(0.03))
    first = ensemble.members[0]
    report = ensemble.evaluate(X, y, metrics=metrics, sample_weight=weight)
    members = [
        member.evaluate(X, y, metrics=metrics, sample_weight=weight)
        for member in ensemble.members
    ]
    assert report.keys() == members[0].keys()
    # Convex losses: Jensen. (Focal loss is not, of probabilities.)
    assert report["loss"] <= np.mean([m["loss"] for m in members]) + 1e-12
    for member in ensemble.members[1:]:
        member.load_state_dict(first.state_dict())
    report = ensemble.evaluate(X, y, metrics=metrics, sample_weight=weight)
    for name, value in members[0].items():
        np.testing.assert_allclose(report[name], value, rtol=1e-9)


@pytest.mark.parametrize(("units", "loss"), [(1, "binary_cross_entropy"), (2, None)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [5.0, 30.0, 100.0, 1e4])
def test_evaluate_of_certainty(rng, units, loss, dtype, size):
    """However sure the only member is, and of what: its loss, its order of rows."""
    X = rng.uniform(0.5, 1.0, (40, 1)) * np.where(np.arange(40) % 2, 1, -1)[:, None]
    y = (X[:, 0] > 0).astype(int)
    y[:6] = 1 - y[:6]
    net = fnn.Sequential(fnn.Dense(units), dtype=dtype)
    ensemble = fnn.Ensemble(net, 1)
    ensemble.fit(X, y, loss=loss or "cross_entropy", epochs=1)
    (member,) = ensemble.members
    member.parameters[:] = 0
    member.parameters[units - 1] = size  # of class 1
    wanted = member.evaluate(X, y, metrics=("auc", "accuracy"))
    assert wanted["loss"] > size * 6 / 40 * 0.5
    assert 0.5 < wanted["auc"] < 1
    found = ensemble.evaluate(X, y, metrics=("auc", "accuracy"))
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("units", "loss", "y"),
    [(1, "binary_cross_entropy", [1]), (2, "cross_entropy", [1])],
)
def test_evaluate_of_members_that_contradict_each_other(units, loss, y):
    """One says 1, the other e^-60 and surely: together half, whose loss is log 2."""
    ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(units)), 2)
    ensemble.fit([[1.0]], y, loss=loss, epochs=1)
    for net, logit in zip(ensemble.members, (60.0, -60.0), strict=True):
        net.parameters[:] = 0
        net.parameters[units - 1] = logit
    assert ensemble.evaluate([[1.0]], y)["loss"] == pytest.approx(np.log(2), rel=1e-12)


def test_the_network_that_describes_is_left_alone(rng):
    data = classes(rng, 60)
    net = _net()
    fnn.Ensemble(net, 2).fit(*data, **OPTIONS)
    assert net.in_features is None
    net.fit(*data, **OPTIONS)
    before, progress = bits(net), net._native.progress
    ensemble = fnn.Ensemble(net, 2)
    ensemble.fit(*data, **OPTIONS)
    assert bits(net) == before
    assert net._native.progress == progress
    fresh, _ = _by_hand(2, data)
    assert [bits(m) for m in ensemble.members] == [bits(m) for m in fresh]


def test_a_larger_ensemble_begins_with_the_smaller_one(rng):
    data = classes(rng, 60)
    small, large = fnn.Ensemble(_net(), 2), fnn.Ensemble(_net(), 5)
    small.fit(*data, **OPTIONS)
    large.fit(*data, **OPTIONS)
    assert [bits(m) for m in small.members] == [bits(m) for m in large.members[:2]]


def test_a_second_fit_goes_on(rng):
    data = classes(rng, 60)
    ensemble = fnn.Ensemble(_net(), 2)
    ensemble.fit(*data, **OPTIONS)
    ensemble.fit(*data, **OPTIONS)
    nets, _ = _by_hand(2, data)
    for net in nets:
        net.fit(*data, **OPTIONS)
    assert [bits(m) for m in ensemble.members] == [bits(m) for m in nets]


def test_bootstrap_draws_with_replacement(rng):
    """About 63 % of the rows, others for each member, each with its own weight."""
    n = 200
    X = rng.normal(size=(n, 2))
    y = np.arange(float(n))
    seen = []

    def spy(outputs, targets):
        if len(targets) == n:
            seen.append(targets.ravel().copy())
        return np.zeros(len(targets)), np.zeros_like(outputs)

    ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(1)), 3, bootstrap=True)
    ensemble.fit(X, y, loss=spy, epochs=1, batch_size=n, n_threads=1)
    assert len(seen) == 3
    for rows in seen:
        assert len(rows) == n
        assert 0.5 < len(np.unique(rows)) / n < 0.75
    assert len({tuple(np.sort(rows)) for rows in seen}) == 3


def test_bootstrap_never_draws_rows_that_validate(rng):
    """Of pure chance nothing can be learnt but by heart; each row is in one part."""
    X, y = rng.normal(size=(300, 5)), rng.integers(0, 2, 300)
    net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(2))
    ensemble = fnn.Ensemble(net, 4, bootstrap=True)
    histories = ensemble.fit(
        *(X, y),
        optimizer=fnn.Adam(0.02),
        epochs=60,
        batch_size=30,
        validation_split=0.3,
        metrics=("accuracy",),
    )
    found = [h.history["val_accuracy"][-1] for h in histories]
    known = [h.history["accuracy"][-1] for h in histories]
    assert np.mean(known) > 0.85, "learnt by heart"
    assert 0.4 < np.mean(found) < 0.6, found


def test_bootstrap_validates_on_the_rows_of_a_fit_alone(rng):
    """The rows held back are the split's of the member's seed, with their weights."""
    seen = []
    X, y, weight = rng.normal(size=(50, 2)), np.arange(50.0), np.arange(50.0) % 7

    def spy(outputs, targets):
        seen.append(set(targets.ravel()))
        return np.zeros(len(targets)), np.zeros_like(outputs)

    options = {"loss": spy, "epochs": 1, "batch_size": 50, "validation_split": 0.2}
    ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(1)), 1, bootstrap=True)
    ensemble.fit(X, y, sample_weight=weight, n_threads=1, **options)
    drawn, held = seen
    seen.clear()
    alone = fnn.Sequential(fnn.Dense(1), seed=ensemble.members[0].seed)
    alone.fit(X, y, sample_weight=weight, **options)
    assert len(held) == 10
    assert held == seen[1]
    assert drawn < seen[0], "some rows twice, others never"
    with pytest.raises(ValueError, match="validation_split must be"):
        ensemble.fit(X, y, **{**options, "validation_split": 1.5})
    with pytest.raises(ValueError, match="both given"):
        ensemble.fit(X, y, validation_data=(X, y), **options)


def test_bootstrap_keeps_weights_with_their_rows(rng):
    """Rows of weight 0, with targets far away, move nothing in any member."""
    X = rng.normal(size=(60, 2)).astype("f4")
    y = X[:, 0].copy()
    weight = np.ones(60)
    y[::3], weight[::3] = 1e6, 0
    ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(1)), 4, bootstrap=True)
    ensemble.fit(X, y, loss="mse", sample_weight=weight, epochs=5)
    assert np.abs(ensemble.predict(X)).max() < 100


def test_sparse_rows_and_frames_are_converted_once(rng):
    X, y = classes(rng, 60)
    X[X < 0] = 0
    pandas = pytest.importorskip("pandas")
    results = []
    for given in (X, scipy.sparse.csr_array(X), pandas.DataFrame(X).add_prefix("x")):
        ensemble = fnn.Ensemble(_net(), 3, bootstrap=True)
        ensemble.fit(given, y, validation_data=(given, y), **OPTIONS)
        results.append(bits(ensemble.members[2]))
        assert ensemble.predict(given).shape == (60, 3)
        assert ensemble.evaluate(given, y)["loss"] > 0
    assert results[0] == results[1] == results[2]


def _pickled(ensemble):
    return pickle.loads(pickle.dumps(ensemble))  # noqa: S301


def test_pictures_are_augmented_as_in_a_fit_alone(rng):
    """Members and folds get flat rows, and still know what these show."""
    X, y = rng.normal(size=(40, 4, 5)).astype("f4"), rng.integers(0, 3, 40)
    options = {**OPTIONS, "augment": [fnn.augment.Shift(1), fnn.augment.Noise(0.1)]}
    ensemble = fnn.Ensemble(_net(), 2)
    ensemble.fit(X, y, **options)
    nets, _ = _by_hand(2, (X, y), **options)
    plain, _ = _by_hand(2, (X, y))
    assert [bits(m) for m in ensemble.members] == [bits(m) for m in nets]
    assert bits(nets[0]) != bits(plain[0])
    assert fnn.cross_validate(_net(), X, y, 2, **options).out_of_fold.shape == (40, 3)
    assert fnn.SnapshotEnsemble(_net(), 3).fit(X, y, **options).stop_reason == "epochs"
    study = fnn.batch_size_study(
        *(_net(), X, y, (8, 32)), epochs=1, augment=options["augment"]
    )
    assert len(study.histories) == 2


def test_it_survives_pickling(rng):
    data = classes(rng, 60)
    for make in (
        lambda: fnn.Ensemble(_net(), 2),
        lambda: fnn.SnapshotEnsemble(_net(), 3, last=2),
    ):
        ensemble = make()
        _pickled(ensemble).fit(*data, **OPTIONS)
        ensemble.fit(*data, **OPTIONS)
        twin = _pickled(ensemble)
        assert (twin.predict_proba(data[0]) == ensemble.predict_proba(data[0])).all()
        twin.fit(*data, **OPTIONS)
        ensemble.fit(*data, **OPTIONS)
        assert bits(twin.members[-1]) == bits(ensemble.members[-1])


def test_errors_leave_the_members_as_they_were(rng):
    data = classes(rng, 60)
    ensemble = fnn.Ensemble(_net(), 3)
    ensemble.fit(*data, **OPTIONS)
    before = [bits(m) for m in ensemble.members]
    calls = []

    def late(info):
        calls.append(info.net.seed)
        if len(calls) > 4:
            raise RuntimeError("late")

    for options, error, text in (
        ({"callbacks": [late]}, RuntimeError, r"^member \d: late"),
        ({"epochs": 0}, ValueError, "^member 0: epochs must be >= 1"),
        ({"verbose": "1"}, ValueError, "^verbose must be 0"),
        ({"epoch": 1}, TypeError, "fit has no option 'epoch'; did you mean 'epochs'"),
        ({"optimizer": fnn.SGD(1e30)}, fnn.DivergedError, r"^member \d: training div"),
        ({"checkpoint": "x"}, TypeError, "fit has no option 'checkpoint'"),
    ):
        with pytest.raises(error, match=text):
            ensemble.fit(*data, **{**OPTIONS, **options})
    assert len(set(calls)) > 1, "one member only was trained"
    assert [bits(m) for m in ensemble.members] == before


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda net: fnn.Ensemble(net, 0), ValueError, "n must be >= 1, got 0"),
        (lambda net: fnn.Ensemble(net, 2.5), TypeError, "n must be an integer"),
        (
            lambda _: fnn.Ensemble(3),
            TypeError,
            "net must be a fastnn.Sequential, got i",
        ),
        (
            lambda _: fnn.Ensemble(fnn.Sequential),
            TypeError,
            "net must be a fastnn.Sequential, got the class Sequential",
        ),
        (lambda net: fnn.Ensemble(net, bootstrap=1), TypeError, "bootstrap must be"),
        (
            lambda net: fnn.SnapshotEnsemble(net, 3, last=4),
            ValueError,
            "last must be <= cycles=3",
        ),
        (lambda net: fnn.SnapshotEnsemble(net, 0), ValueError, "cycles must be >= 1"),
        (
            lambda net: fnn.Ensemble(net).predict([[1.0] * 5]),
            fnn.NotBuiltError,
            "predict: this ensemble was not fitted yet",
        ),
        (
            lambda net: fnn.SnapshotEnsemble(net).predict_proba([[1.0] * 5]),
            fnn.NotBuiltError,
            "predict_proba: this ensemble",
        ),
        (
            lambda net: fnn.Ensemble(net).evaluate([[1.0] * 5], [0]),
            fnn.NotBuiltError,
            "evaluate: this ensemble",
        ),
        (
            lambda net: fnn.Ensemble(net).fit([[1.0] * 4] * 3, [0, 1, np.nan]),
            ValueError,
            "y holds NaN",
        ),
        (
            lambda net: fnn.Ensemble(net).fit(
                np.ones((4, 5)), [0] * 4, callbacks=[fnn.CSVLogger("never.csv")]
            ),
            ValueError,
            "callbacks: the members of an ensemble train side by side, and CSVLogger",
        ),
    ],
)
def test_unusable_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call(_net())


def test_probabilities_of_numbers_are_refused(rng):
    ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(1)), 2)
    ensemble.fit(rng.normal(size=(9, 2)), np.ones(9), loss="mse")
    with pytest.raises(ValueError, match="predict_proba: the network was fitted with"):
        ensemble.predict_proba(np.ones((1, 2)))
    with pytest.raises(TypeError, match="return_std must be True or False"):
        ensemble.predict(np.ones((1, 2)), return_std=1)
    with pytest.raises(ValueError, match="X holds NaN"):
        ensemble.predict(np.full((1, 2), np.nan))


def test_a_progress_bar_or_a_line_for_each_member(rng, capsys):
    fnn.Ensemble(_net(), 3).fit(*classes(rng, 40), verbose=2, n_threads=2, **OPTIONS)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines] == [f"member {i}/3  "[:11] for i in (1, 2, 3)]
    assert all(" loss " in line for line in lines)
    fnn.Ensemble(_net(), 3).fit(*classes(rng, 40), verbose=1, n_threads=2, **OPTIONS)
    assert "3/3" in capsys.readouterr().err


def test_repr():
    assert repr(fnn.Ensemble(_net(), 2)).endswith("), n=2, bootstrap=False)")
    assert repr(fnn.SnapshotEnsemble(_net(), 3)).endswith("), cycles=3, last=3)")


@pytest.mark.parametrize(
    "fit_all",
    [
        lambda net, *data, **options: fnn.Ensemble(net, 3).fit(*data, **options),
        lambda net, *data, **options: fnn.cross_validate(net, *data, 3, **options),
        lambda net, *data, **options: fnn.batch_size_study(
            net, *data, (5, 8, 9), **options
        ),
    ],
)
def test_callbacks_of_an_iterator_are_called_in_every_fit(rng, fit_all):
    calls = []
    one_way = iter([calls.append, fnn.EarlyStopping(monitor="loss")])
    fit_all(_net(), *classes(rng, 60), epochs=2, callbacks=one_way)
    assert len(calls) == 6
    with pytest.raises(ValueError, match="CSVLogger"):
        fnn.Ensemble(_net(), 2).fit(
            *classes(rng, 60), callbacks=(c for c in [fnn.CSVLogger("never.csv")])
        )


@pytest.mark.parametrize(
    "use",
    [
        lambda net, *_: fnn.Ensemble(net, 2),
        lambda net, *_: fnn.SnapshotEnsemble(net, 2),
        lambda net, *data: fnn.cross_validate(net, *data, 2),
        lambda net, *data: fnn.batch_size_study(net, *data, (8, 9)),
        lambda net, *data: fnn.depth_study(net, *data, (1, 2)),
        lambda net, *data: fnn.depth_study(lambda _: net, *data, (1, 2)),
    ],
)
def test_frozen_layers_are_refused_where_weights_are_drawn(rng, use):
    data = classes(rng, 40)
    net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(8), fnn.Dense(3))
    net.fit(*data, epochs=1)
    net.freeze(0, 1)
    with pytest.raises(ValueError, match=r"^net: layers 0, 1 frozen.*unfreeze\(\)"):
        use(net, *data)
    assert net.frozen == (0, 1)
    use(net.copy().unfreeze(), *data)


# -- snapshots -------------------------------------------------------------------------


@pytest.mark.parametrize("split", [0.0, 0.25, np.float32(0.25)])
def test_snapshots_are_the_ends_of_cycles_of_one_run(rng, split):
    X, y = classes(rng, 90)
    seen, rates = [], []
    steps = -(-int(90 * (1 - split)) // 16)
    net = _net()

    def look(info):
        seen.append(bits(info.net))
        rates.append(info.logs["lr"])

    net.fit(
        X,
        y,
        epochs=6,
        batch_size=16,
        schedule=fnn.CosineRestarts(2 * steps, per="step"),
        validation_split=split,
        callbacks=[look],
    )
    ensemble = fnn.SnapshotEnsemble(_net(), cycles=3, last=2)
    history = ensemble.fit(X, y, epochs=6, batch_size=16, validation_split=split)
    assert [bits(m) for m in ensemble.members] == [seen[3], seen[5]]
    assert history.history["lr"] == rates
    assert rates[0] == rates[2] == rates[4] > 10 * rates[1] == 10 * rates[3] > 0
    mean = np.mean([m.predict_proba(X) for m in ensemble.members], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), mean, atol=1e-7)
    assert ensemble.evaluate(X, y)["loss"] > 0


def test_snapshots_of_a_second_fit_replace_the_first(rng):
    data = classes(rng, 60)
    ensemble = fnn.SnapshotEnsemble(_net(), 2)
    ensemble.fit(*data, epochs=4, callbacks=fnn.EMA(0.9))
    last = ensemble.members[-1]
    ensemble.fit(*data, epochs=2)
    assert len(ensemble.members) == 2
    assert ensemble.members[-1]._native.progress[0] == last._native.progress[0] + 2


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"epochs": 7}, ValueError, "multiple of cycles=3, got 7: take 6 or 9"),
        ({"epochs": 2}, ValueError, "multiple of cycles=3, got 2: take 3"),
        ({"schedule": fnn.Cosine(3)}, ValueError, "schedule: a snapshot ensemble has"),
        ({"early_stopping": True}, ValueError, "early_stopping: a snapshot ensemble"),
        ({"callbacks": [fnn.EarlyStopping()]}, ValueError, "early_stopping: a snapsh"),
        ({"callbacks": [fnn.SWA(1)]}, ValueError, "callbacks: SWA averages along one"),
        ({"callbacks": fnn.SWA(1)}, ValueError, "callbacks: SWA .* or take EMA"),
        ({"callbacks": [lambda _: True]}, RuntimeError, "ended after 1 epochs, before"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1"),
        ({"optimizer": "lbfgs"}, ValueError, "LBFGS"),
    ],
)
def test_unusable_options_of_snapshots(rng, options, error, text):
    ensemble = fnn.SnapshotEnsemble(_net(), 3)
    with pytest.raises(error, match=text):
        ensemble.fit(*classes(rng, 30), **{"epochs": 6, **options})
    assert ensemble.members == ()


# -- threads --------------------------------------------------------------------------

ENSEMBLES = {
    "members": lambda: fnn.Ensemble(_net(), 2),
    "snapshots": lambda: fnn.SnapshotEnsemble(_net(), 2),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_while_one_call_fits_others_see_what_was_and_do_not_fit(rng, name):
    data = classes(rng, 60)
    ensemble = ENSEMBLES[name]()
    ensemble.fit(*data, epochs=2)
    before = ensemble.predict(data[0])
    twin = copy.deepcopy(ensemble)
    begun, go_on = threading.Event(), threading.Event()

    def wait(_):
        begun.set()
        assert go_on.wait(60)

    fit = functools.partial(ensemble.fit, *data, epochs=2, callbacks=[wait])
    with ThreadPoolExecutor(1) as pool:
        fitted = pool.submit(fit)
        try:
            assert begun.wait(60)
            for use in (ensemble.fit, functools.partial(ensemble.fit, epochs=2)):
                with pytest.raises(RuntimeError, match="being fitted by another call"):
                    use(*data)
            for same in (ensemble, copy.deepcopy(ensemble)):
                np.testing.assert_array_equal(same.predict(data[0]), before)
            copy.deepcopy(ensemble).fit(*data, epochs=2)
        finally:
            go_on.set()
        fitted.result()
    twin.fit(*data, epochs=2)
    assert list(map(bits, ensemble.members)) == list(map(bits, twin.members))
    ensemble.fit(*data, epochs=2)  # and it is free again


@pytest.mark.parametrize("name", ENSEMBLES)
def test_a_fit_that_fails_leaves_the_ensemble_as_it_was(rng, name):
    data = classes(rng, 60)
    ensemble = ENSEMBLES[name]()
    ensemble.fit(*data, epochs=2)
    before = list(map(bits, ensemble.members))

    def fail(info):
        if info.epoch == 1:
            raise LookupError("as I please")

    with pytest.raises(LookupError, match="as I please"):
        ensemble.fit(*data, epochs=2, loss=fnn.Focal(), callbacks=[fail])
    assert list(map(bits, ensemble.members)) == before
    assert ensemble.evaluate(*data) == ensemble.evaluate(*data, loss="cross_entropy")
    ensemble.fit(*data, epochs=2)


def test_eight_threads_predict_while_an_ensemble_is_fitted(rng):
    """What each of them gets is of one fit, whole."""
    data = classes(rng, 60)
    ensemble, seen = ENSEMBLES["members"](), []
    fits = []
    for _ in range(4):
        ensemble.fit(*data, epochs=1)
        fits.append(ensemble.predict(data[0]).tobytes())
    ensemble = ENSEMBLES["members"]()
    ensemble.fit(*data, epochs=1)
    looked, enough = threading.Barrier(9), threading.Event()

    def look(_):
        seen.append(ensemble.predict(data[0]).tobytes())
        looked.wait(60)
        while not enough.is_set():
            seen.append(ensemble.predict(data[0]).tobytes())

    with ThreadPoolExecutor(8) as pool:
        looking = [pool.submit(look, i) for i in range(8)]
        try:
            looked.wait(60)
            for _ in range(3):
                ensemble.fit(*data, epochs=1)
        finally:
            enough.set()
    assert [thread.result() for thread in looking] == [None] * 8
    assert set(seen) <= set(fits)
    assert fits[0] in seen
