"""Where people meet the diagnosis: fits, errors, histories, estimators."""

import copy

import numpy as np
import pytest

import fastnn as fnn

X = np.random.default_rng(0).standard_normal((400, 6))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(*layers):
    return fnn.Sequential(*(layers or (fnn.Dense(32, "relu"), fnn.Dense(2))))


def test_a_bad_fit_ends_with_the_lines_that_matter(capsys):
    network().fit(X, Y, optimizer=fnn.SGD(1e-6), epochs=20, diagnose="3s")
    lines = capsys.readouterr().out.splitlines()
    assert 2 <= len(lines) <= 3
    assert lines[0].startswith("optimization: ")
    assert "learning rate" in lines[1] or "Adam" in lines[1]


def test_a_good_fit_ends_with_none(capsys):
    options = {"optimizer": fnn.Adam(0.01), "epochs": 60}
    history = network().fit(X, Y, **options, diagnose="3s")
    assert capsys.readouterr().out == ""
    plain = network().fit(X, Y, **options)
    assert history.history["loss"] == plain.history["loss"]  # the same fit


@pytest.mark.parametrize("diagnose", ["soon", 0, None])
def test_a_budget_that_is_none(diagnose):
    net = network()
    with pytest.raises((TypeError, ValueError), match="budget must be"):
        net.fit(X, Y, diagnose=diagnose)
    assert net.in_features is None


def test_every_option_of_fit_is_taken_along(capsys):
    history = network().fit(
        X,
        Y,
        schedule={"lr": fnn.Cosine(5), "momentum": fnn.Linear(1.0, 0.5, 5)},
        optimizer=fnn.SGD(0.1, momentum=0.9),
        epochs=5,
        batch_size=64,
        validation_split=0.2,
        class_weight="balanced",
        metrics=("accuracy",),
        early_stopping=fnn.EarlyStopping("val_accuracy", patience=3),
        l1=1e-4,
        l2=1e-4,
        max_norm=3.0,
        clip_norm=1.0,
        gradient_noise=0.01,
        augment=[fnn.augment.Noise(0.01)],
        diagnose="2s",
    )
    assert history.epoch  # and no warning that the diagnosis failed
    capsys.readouterr()


def test_a_fit_that_diverges_is_diagnosed_before_its_error(capsys):
    wild = {"loss": "mse", "optimizer": fnn.SGD(1e6), "epochs": 20}
    with pytest.raises(fnn.DivergedError, match=r"fnn\.diagnose\(net, X, y"):
        network(fnn.Dense(8), fnn.Dense(1)).fit(X, X[:, 0], **wild, diagnose="3s")
    assert capsys.readouterr().out.startswith("optimization: ")


def test_histories_that_came_to_rest_point_to_it():
    def history(losses):
        return fnn.History({"loss": losses}, len(losses) - 1, "epochs")

    stuck = history([2.3] * 10)
    assert stuck.plateaued
    assert "fnn.diagnose(net, X, y" in repr(stuck)
    assert "fnn.diagnose(net, X, y" in stuck._repr_html_()
    for losses in ([2.3, 2.2], [2.3 * 0.5**i for i in range(10)], [], [0.0] * 20):
        fine = history(losses)
        assert not fine.plateaued
        assert "diagnose" not in repr(fine)
    converged = history([2.3, 1.0, 0.5, *[0.2] * 10])
    assert not converged.plateaued


def test_estimators():
    pytest.importorskip("sklearn")
    names = np.array(["no", "yes"])[Y]
    slow = fnn.MLPClassifier(
        (16,), optimizer=fnn.SGD(1e-6), random_state=0, scoring="f1_macro"
    )
    before = copy.deepcopy(vars(slow))
    report = slow.diagnose(X, names, budget="3s", verbose=0)
    assert report.verdict == "optimization"
    assert vars(slow) == before
    fitted = fnn.MLPRegressor("squared_error", (16,), random_state=0, max_iter=300).fit(
        X, X[:, 0]
    )
    weights = [w.copy() for w in fitted.coefs_]
    report = fitted.diagnose(
        X, X[:, 0], X_val=X + 9, y_val=X[:, 0], budget="3s", verbose=0
    )
    assert report.verdict == "mismatch"
    assert all(
        np.array_equal(a, b) for a, b in zip(weights, fitted.coefs_, strict=True)
    )
