"""`cross_validate`: against the same fits by hand, fold by fold."""

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes, curves
from fastnn._side_by_side import derived_seed

OPTIONS = {
    "epochs": 3,
    "batch_size": 16,
    "optimizer": fnn.Adam(0.01),
    "metrics": ("accuracy",),
}


def _net(seed=4, **options):
    return fnn.Sequential(*EVERYTHING, seed=seed, **options)


def _by_hand(result, X, y, weight=None, **options):
    """Check a result against one fit after another on its folds."""
    for i, (train, held) in enumerate(result.indices):
        net = _net(seed=derived_seed(4, i))
        weights = (None, ()) if weight is None else (weight[train], (weight[held],))
        history = net.fit(
            X[train],
            y[train],
            sample_weight=weights[0],
            validation_data=(X[held], y[held], *weights[1]),
            **{**OPTIONS, **options},
        )
        scores = net.evaluate(
            X[held],
            y[held],
            metrics=("accuracy",),
            sample_weight=None if weight is None else weight[held],
        )
        assert scores == {name: v[i] for name, v in result.scores.items()}
        assert curves(history) == curves(result.histories[i])
        np.testing.assert_array_equal(result.out_of_fold[held], net.predict(X[held]))
        np.testing.assert_array_equal(
            result.out_of_fold_proba[held], net.predict_proba(X[held])
        )


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_folds_are_fits_alone(rng, n_threads):
    X, y = classes(rng, 90)
    X = X.astype("f4")
    weight = rng.uniform(0.5, 2, 90).astype("f4")
    options = {
        "class_weight": "balanced",
        "early_stopping": fnn.EarlyStopping(patience=1),
        "l2": 1e-3,
    }
    result = fnn.cross_validate(
        *(_net(), X, y, 4),
        sample_weight=weight,
        n_threads=n_threads,
        **OPTIONS,
        **options,
    )
    assert len(result.indices) == 4
    counts = [np.bincount(y[held], minlength=3) for _, held in result.indices]
    assert np.ptp(counts, axis=0).max() <= 1, "not stratified"
    _by_hand(result, X, y, weight, **options)


def test_mean_deviation_and_epochs(rng):
    X, y = classes(rng, 60)
    result = fnn.cross_validate(_net(), X, y, 3, early_stopping=True, **OPTIONS)
    for name, values in result.scores.items():
        assert values.shape == (3,)
        assert result.mean[name] == pytest.approx(sum(values) / 3)
        assert result.std[name] == pytest.approx(np.std(values))
    bests = [history.best_epoch for history in result.histories]
    assert result.best_epoch == round(sum(bests) / 3)
    assert result.epochs == result.best_epoch + 1
    plain = fnn.cross_validate(_net(), X, y, 3, **OPTIONS)
    assert plain.epochs == OPTIONS["epochs"]


def test_early_stopping_stops_each_fold_by_itself(rng):
    X, y = classes(rng, 60)
    stop = fnn.EarlyStopping(patience=2)
    result = fnn.cross_validate(
        _net(), X, y, 4, **{**OPTIONS, "epochs": 200}, early_stopping=stop
    )
    for history in result.histories:
        assert history.stop_reason == "early_stopping"
        assert len(history.epoch) == history.best_epoch + 3
    assert len({len(h.epoch) for h in result.histories}) > 1
    best = [min(h.history["val_loss"]) for h in result.histories]
    np.testing.assert_allclose(result.scores["loss"], best, rtol=1e-6)


def test_a_split_of_the_training_rows_is_watched_instead(rng):
    """Then the fold's rows only score: the curves are of other rows."""
    X, y = classes(rng, 90)
    result = fnn.cross_validate(
        _net(), X, y, 3, validation_split=0.2, early_stopping=True, **OPTIONS
    )
    train, held = result.indices[0]
    net = _net(seed=derived_seed(4, 0))
    history = net.fit(
        X[train], y[train], validation_split=0.2, early_stopping=True, **OPTIONS
    )
    assert curves(history) == curves(result.histories[0])
    assert net.evaluate(X[held], y[held])["loss"] == result.scores["loss"][0]


@pytest.mark.parametrize("k", ["n", 24])
def test_leave_one_out(rng, k):
    X = rng.normal(size=(24, 2))
    y = X @ [1.0, -2.0]
    net = fnn.Sequential(fnn.Dense(1))
    result = fnn.cross_validate(
        net,
        X,
        y,
        k,
        loss="mse",
        epochs=30,
        optimizer=fnn.Adam(0.1),
        metrics=("mae", "r2"),
    )
    assert [held.tolist() for _, held in result.indices] == [[i] for i in range(24)]
    errors = np.abs(result.out_of_fold[:, 0] - y)
    np.testing.assert_allclose(result.scores["mae"], errors, rtol=1e-4, atol=1e-6)
    assert result.pooled["mae"] == pytest.approx(errors.mean())
    shares = (
        1 - ((result.out_of_fold[:, 0] - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    )
    assert result.pooled["r2"] == pytest.approx(shares)
    assert not result.scores["r2"].any(), "of one row it says nothing"
    assert result.out_of_fold_proba is None
    assert str(result).count("\n") == 1 + 20 + 2, "a long table is cut"


def test_by_time_and_groups(rng):
    X, y = classes(rng, 60)
    result = fnn.cross_validate(_net(), X, y, 4, time=True, **OPTIONS)
    assert [len(train) for train, _ in result.indices] == [12, 24, 36, 48]
    assert np.isnan(result.out_of_fold[:12]).all()
    assert np.isnan(result.out_of_fold_proba[:12]).all()
    assert np.isfinite(result.out_of_fold[12:]).all()
    right = result.out_of_fold[12:].argmax(axis=1) == y[12:]
    assert result.pooled["accuracy"] == pytest.approx(right.mean())
    groups = np.arange(60) // 6
    result = fnn.cross_validate(_net(), X, y, 5, groups=groups, **OPTIONS)
    for train, held in result.indices:
        assert not set(groups[train]) & set(groups[held])
    _by_hand(result, X, y)


def test_splitters_and_folds_of_ones_own(rng):
    selection = pytest.importorskip("sklearn.model_selection")
    X, y = classes(rng, 60)
    splitter = selection.GroupKFold(3)
    groups = np.arange(60) // 5
    result = fnn.cross_validate(_net(), X, y, splitter, groups=groups, **OPTIONS)
    _by_hand(result, X, y)
    pairs = list(splitter.split(X, y, groups))
    again = fnn.cross_validate(_net(), X, y, pairs, **OPTIONS)
    np.testing.assert_array_equal(again.out_of_fold, result.out_of_fold)
    generated = fnn.cross_validate(_net(), X, y, (p for p in pairs), **OPTIONS)
    np.testing.assert_array_equal(generated.out_of_fold, result.out_of_fold)


def test_rows_that_validate_twice_get_the_mean(rng):
    X, y = classes(rng, 30)
    half, rest = np.arange(15), np.arange(15, 30)
    each = [
        fnn.cross_validate(_net(), X, y, pairs, **OPTIONS).out_of_fold
        for pairs in ([(half, rest)], [(half, rest), (half[:10], rest[:5])])
    ]
    once, twice = each
    assert np.isnan(twice[:15]).all()
    np.testing.assert_array_equal(once[20:], twice[20:])
    assert (once[15:20] != twice[15:20]).any()
    net = _net(seed=derived_seed(4, 1))
    net.fit(X[:10], y[:10], **OPTIONS)
    mean = (once[15:20] + net.predict(X[15:20])) / 2
    np.testing.assert_allclose(twice[15:20], mean, rtol=1e-6, atol=1e-7)


def test_warm_folds_keep_what_is_frozen(rng):
    """In every fold the frozen layer is the network's own: all predict through it."""
    X, y = classes(rng, 60)
    net = fnn.Sequential(fnn.Dense(6, "relu"), fnn.Dense(3))
    net.fit(X, y, epochs=1)
    net.freeze(0)
    with pytest.raises(ValueError, match=r"layer 0 frozen.* warm=True keeps those"):
        fnn.cross_validate(net, X, y, 3)
    seen = []
    fnn.cross_validate(
        *(net, X, y, 3),
        warm=True,
        epochs=2,
        callbacks=[lambda info: seen.append(bits(info.net))],
    )
    assert len(seen) == 6
    wanted = bits(net)
    assert all(one["0.weight"] == wanted["0.weight"] for one in seen)
    assert all(one["1.weight"] != wanted["1.weight"] for one in seen)


def test_warm_folds_start_from_the_weights(rng):
    X, y = classes(rng, 60)
    net = _net()
    with pytest.raises(fnn.NotBuiltError, match="warm: this network has no weights"):
        fnn.cross_validate(net, X, y, warm=True)
    net.fit(X, y, **OPTIONS)
    before = bits(net)
    result = fnn.cross_validate(net, X, y, 3, warm=True, **OPTIONS)
    assert bits(net) == before
    train, held = result.indices[1]
    twin = net.copy()
    twin.fit(X[train], y[train], **OPTIONS)
    np.testing.assert_array_equal(result.out_of_fold[held], twin.predict(X[held]))
    cold = fnn.cross_validate(net, X, y, 3, **OPTIONS)
    fresh = fnn.cross_validate(_net(), X, y, 3, **OPTIONS)
    np.testing.assert_array_equal(cold.out_of_fold, fresh.out_of_fold)
    assert bits(net) == before


def test_the_seed_draws_the_folds(rng):
    X, y = classes(rng, 60)
    same, other = (
        fnn.cross_validate(_net(), X, y, 3, seed=seed, **OPTIONS) for seed in (4, 5)
    )
    plain = fnn.cross_validate(_net(), X, y, 3, **OPTIONS)
    np.testing.assert_array_equal(plain.out_of_fold, same.out_of_fold)
    assert (plain.indices[0][1] != other.indices[0][1]).any()
    loose = fnn.cross_validate(_net(), X, y, 3, stratify=False, **OPTIONS)
    assert (plain.indices[0][1] != loose.indices[0][1]).any()


def test_yes_and_no_are_stratified_numbers_are_not(rng):
    X = rng.normal(size=(40, 3))
    y = np.arange(40) < 8
    net = fnn.Sequential(fnn.Dense(1))
    result = fnn.cross_validate(net, X, y, 4, loss="binary_cross_entropy", epochs=1)
    assert [int(y[held].sum()) for _, held in result.indices] == [2, 2, 2, 2]
    with pytest.raises(ValueError, match="stratify: y of loss 'mse' holds no class"):
        fnn.cross_validate(net, X, y * 1.0, loss="mse", stratify=True)


def test_sparse_rows_and_frames(rng):
    pandas = pytest.importorskip("pandas")
    X, y = classes(rng, 60)
    X[X < 0] = 0
    results = [
        fnn.cross_validate(_net(), given, y, 3, **OPTIONS).out_of_fold
        for given in (
            X,
            scipy.sparse.coo_array(X),
            pandas.DataFrame(X).add_prefix("x"),
        )
    ]
    assert results[0].tobytes() == results[1].tobytes() == results[2].tobytes()


def test_tables(rng):
    X, y = classes(rng, 30)
    result = fnn.cross_validate(_net(), X, y, 3, **OPTIONS)
    assert repr(result).startswith("CrossValidation(k=3, loss=")
    assert "±" in repr(result)
    lines = str(result).splitlines()
    assert lines[0].split() == ["fold", "rows", "best_epoch", "loss", "accuracy"]
    assert [line.split()[0] for line in lines[1:]] == ["0", "1", "2", "mean", "std"]
    assert len({len(line) for line in lines}) == 1
    assert "<table" in result._repr_html_()
    frame = result.to_frame()
    assert frame.columns.tolist() == ["rows", "best_epoch", "loss", "accuracy"]
    np.testing.assert_array_equal(frame["loss"], result.scores["loss"])


def test_it_prints_a_line_for_each_fold(rng, capsys):
    fnn.cross_validate(_net(), *classes(rng, 40), 3, verbose=2, **OPTIONS)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["fold 1/3 ", "fold 2/3 ", "fold 3/3 "]
    assert all("val_accuracy" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"k": 1}, ValueError, "k must be >= 2, got 1"),
        ({"k": 31}, ValueError, "k must be <= 30, the number of rows, got 31"),
        ({"k": 2.0}, TypeError, "k must be a number of folds, 'n' to leave"),
        ({"k": "all"}, TypeError, "k must be a number of folds.* got str 'all'"),
        ({"k": None}, TypeError, "k must be a number of folds"),
        ({"k": True}, TypeError, "k must be a number of folds"),
        ({"k": len}, TypeError, "k must be a number of folds"),
        ({"k": 29}, ValueError, "k=29 folds stratified by class need 29 rows of each"),
        ({"groups": [1] * 29}, ValueError, "groups must have shape"),
        ({"groups": [1, 2] * 15}, ValueError, "k=5 folds need at least 5 groups"),
        ({"time": [2, 1] * 15}, ValueError, "time must not fall"),
        ({"time": True, "groups": [1] * 30}, ValueError, "groups and time are both"),
        ({"time": True, "stratify": True}, ValueError, "folds by time cannot"),
        ({"stratify": 1}, TypeError, "stratify must be True or False"),
        ({"k": [([0], [1])], "groups": [1] * 30}, ValueError, "k holds the folds"),
        ({"verbose": 3}, ValueError, "verbose must be 0"),
        ({"seed": -1}, ValueError, "seed must be >= 0"),
        ({"warm": 1}, TypeError, "warm must be True or False"),
        ({"epochs": 0}, ValueError, "fold 0: epochs must be >= 1"),
        ({"epoch": 3}, TypeError, "fit has no option 'epoch'"),
        ({"validation_data": ([], [])}, ValueError, "validation_data: the folds"),
        ({"callbacks": [fnn.CSVLogger("x.csv")]}, ValueError, "CSVLogger serves one"),
        ({"optimizer": fnn.SGD(1e30)}, fnn.DivergedError, r"^fold \d: training div"),
        ({"metrics": ["mae"]}, ValueError, r"^fold 0: metrics: 'mae' does not suit"),
    ],
)
def test_unusable_arguments(rng, options, error, text):
    net = _net()
    with pytest.raises(error, match=text):
        fnn.cross_validate(net, *classes(rng, 30), **{"epochs": 1, **options})
    assert net.in_features is None
