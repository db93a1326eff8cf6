"""Classes of every kind, and what a classifier says of them."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import log_loss, roc_auc_score

import fastnn as fnn
from estimators.data import cancer, classifier, iris, labels

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_two_classes_have_one_logistic_output():
    X, y = cancer()
    fitted = classifier().fit(X, y)
    assert (fitted.n_outputs_, fitted.out_activation_) == (1, "logistic")
    logits = fitted.net_.predict(X)
    p = fitted.predict_proba(X)
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-logits[:, 0])))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(fitted.predict(X), logits[:, 0] > 0)
    assert fitted.score(X, y) > 0.97
    assert roc_auc_score(y, p[:, 1]) > 0.99


def test_more_classes_have_softmax():
    X, y = iris()
    fitted = classifier().fit(X, y)
    assert (fitted.n_outputs_, fitted.out_activation_) == (3, "softmax")
    p = fitted.predict_proba(X)
    np.testing.assert_array_equal(fitted.predict(X), p.argmax(axis=1))
    np.testing.assert_allclose(fitted.predict_log_proba(X), np.log(p))
    penalty = fitted.history_.history["penalty"][-1]
    assert log_loss(y, p) + penalty == pytest.approx(fitted.loss_, rel=0.2)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["setosa", "virginica", "versicolor"]),
        np.array(["b", "a", "c"], dtype=object),
        np.array([10, -3, 5]),
        np.array([0.0, 1.0, 7.0]),
    ],
    ids=["text", "objects", "numbers", "floats"],
)
def test_classes_of_any_type(names):
    X, y = iris()
    fitted = classifier(max_iter=100).fit(X, names[y])
    np.testing.assert_array_equal(fitted.classes_, np.unique(names))
    assert (fitted.predict(X) == names[y]).mean() > 0.95
    assert fitted.predict(X).dtype == names.dtype


def test_booleans_are_classes():
    X, y = cancer()
    assert classifier().fit(X, y == 1).predict(X).dtype == bool


def test_many_labels_a_row():
    X, y = labels()
    fitted = classifier(max_iter=100).fit(X, y)
    assert fitted.predict(X).shape == fitted.predict_proba(X).shape == y.shape
    np.testing.assert_array_equal(fitted.predict(X), fitted.predict_proba(X) > 0.5)
    np.testing.assert_array_equal(fitted.classes_, range(4))
    assert fitted.score(X, y) > 0.8
    sparse_y = classifier(max_iter=100).fit(X, sparse.csr_matrix(y))
    np.testing.assert_array_equal(sparse_y.predict(X), fitted.predict(X))


def test_a_single_class_is_all_there_is():
    X, _ = iris()
    fitted = classifier(max_iter=2).fit(X, ["only"] * len(X))
    assert set(fitted.predict(X)) == {"only"}
    np.testing.assert_array_equal(fitted.predict_proba(X), np.ones((len(X), 1)))
    np.testing.assert_array_equal(fitted.predict_log_proba(X), np.zeros((len(X), 1)))


def _brier(outputs, y):
    """Return (p - y)^2 of a probability p, and its slope by the logit."""
    p = 1 / (1 + np.exp(-outputs))
    return ((p - y) ** 2).sum(axis=1), 2 * (p - y) * p * (1 - p)


@pytest.mark.parametrize(
    "loss",
    [
        "cross_entropy",
        fnn.CrossEntropy(label_smoothing=0.1),
        "binary_cross_entropy",
        fnn.BinaryCrossEntropy(pos_weight=2.0),
        _brier,
    ],
    ids=repr,
)
def test_other_losses(loss):
    X, y = cancer()
    fitted = classifier(loss=loss).fit(X, y)
    assert fitted.score(X, y) > 0.95
    assert fitted.predict_proba(X).shape == (len(X), 2)
    soft = "cross_entropy" in repr(loss) and "binary" not in repr(loss)
    soft |= isinstance(loss, fnn.CrossEntropy)
    assert fitted.out_activation_ == ("softmax" if soft else "logistic")


@pytest.mark.parametrize(
    ("loss", "data", "message"),
    [
        ("mse", iris, "for numbers, not classes"),
        ("binary_cross_entropy", iris, "y has 3 classes"),
        ("cross_entropy", labels, "y is a matrix"),
        ("log_los", iris, "unknown name"),
    ],
)
def test_losses_that_do_not_suit(loss, data, message):
    with pytest.raises(ValueError, match=message):
        classifier(loss=loss).fit(*data())


def test_class_weight_is_a_sample_weight():
    X, y = iris()
    names = np.array(["a", "b", "c"])[y]
    by_class = classifier(class_weight={"b": 3.0, "c": 0.5}).fit(X, names)
    by_row = classifier().fit(X, names, np.array([1.0, 3.0, 0.5])[y])
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    both = classifier(class_weight={"b": 3.0}).fit(X, names, np.full(len(y), 2.0))
    assert both.loss_curve_ != by_class.loss_curve_


def test_balanced_classes_weigh_alike():
    X, y = iris()
    X, y = X[40:], y[40:]  # 10, 50, 50
    count = np.bincount(y)
    balanced = classifier(class_weight="balanced").fit(X, y)
    by_hand = classifier().fit(X, y, (len(y) / 3 / count)[y])
    np.testing.assert_array_equal(balanced.predict_proba(X), by_hand.predict_proba(X))


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balance", "did you mean 'balanced'"),
        (3.0, "must be 'balanced', a dict"),
        ({0: -1.0}, r"class_weight\[0\] must be finite and >= 0"),
        ({0: np.inf}, r"class_weight\[0\] must be finite and >= 0"),
        ({0: "1"}, r"class_weight\[0\] must be a number"),
        ({0: 1.0, "two": 1.0}, "names class 'two', which y does not hold"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, "class_weight is zero for every class"),
    ],
)
def test_class_weights_that_are_none(class_weight, message):
    with pytest.raises((ValueError, TypeError), match=message):
        classifier(class_weight=class_weight).fit(*iris())


def test_class_weight_has_no_meaning_for_many_labels():
    with pytest.raises(ValueError, match="class_weight needs one class a row"):
        classifier(class_weight="balanced").fit(*labels())


def test_a_fold_may_lack_a_class_that_the_dict_names():
    X, y = iris()
    classifier(class_weight={0: 1.0, 1: 2.0, 2: 3.0}).fit(X[:100], y[:100])


def test_targets_that_are_no_classes():
    X, y = iris()
    with pytest.raises(ValueError, match="Unknown label type"):
        classifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="several columns of classes"):
        classifier().fit(X, np.c_[y, y])
    with pytest.warns(DataConversionWarning):
        classifier().fit(X, y[:, None])


def test_before_a_fit():
    new = classifier()
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError):
            getattr(new, method)([[1.0]])
    for name in ("coefs_", "intercepts_"):
        assert not hasattr(new, name)


def test_weights_can_be_read_and_written():
    X, y = iris()
    fitted = classifier().fit(X, y)
    assert [w.shape for w in fitted.coefs_] == [(4, 16), (16, 3)]
    assert [b.shape for b in fitted.intercepts_] == [(16,), (3,)]
    hidden = np.maximum(X @ fitted.coefs_[0] + fitted.intercepts_[0], 0)
    outputs = hidden @ fitted.coefs_[1] + fitted.intercepts_[1]
    np.testing.assert_allclose(outputs, fitted.net_.predict(X), rtol=1e-9)

    fitted.coefs_[1][:] = 0.0
    fitted.intercepts_[1] = [0.0, 5.0, 0.0]
    assert set(fitted.predict(X)) == {1}
    fitted.intercepts_ = [np.zeros(16), [5.0, 0.0, 0.0]]
    assert set(fitted.predict(X)) == {0}
    with pytest.raises(ValueError, match=r"entry 0 must have shape \(4, 16\)"):
        fitted.coefs_[0] = np.zeros((16, 4))


def test_predictions_leave_the_estimator_as_it_is():
    X, y = iris()
    fitted = classifier().fit(X, y)
    before = dict(vars(fitted))
    for method in ("predict", "predict_proba", "predict_log_proba"):
        getattr(fitted, method)(X)
    fitted.score(X, y)
    assert vars(fitted).keys() == before.keys()
    assert all(vars(fitted)[name] is value for name, value in before.items())


@pytest.mark.parametrize("data", [iris, cancer, labels])
def test_a_row_predicts_the_same_bits_alone(data):
    X, y = data()
    fitted = classifier().fit(X, y)
    together = fitted.predict_proba(X)
    alone = np.vstack([fitted.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_array_equal(together[:20], alone)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_threads_do_not_change_a_bit(n_threads):
    X, y = cancer()
    one = classifier(hidden_layer_sizes=(200,), max_iter=5)
    other = classifier(hidden_layer_sizes=(200,), max_iter=5, n_threads=n_threads)
    np.testing.assert_array_equal(
        one.fit(X, y).predict_proba(X), other.fit(X, y).predict_proba(X)
    )


def test_layers_and_comforts():
    X, y = iris()
    fitted = classifier(
        layers=[fnn.Dense(8), fnn.LayerNorm(), fnn.SiLU(), fnn.Dropout(0.1)],
        optimizer=fnn.AdamW(lr=0.05),
        schedule=fnn.Cosine(30),
        clip_norm=1.0,
        l1=0.01,
        max_iter=60,
    ).fit(X, y)
    assert [type(layer).__name__ for layer in fitted.net_.layers] == [
        "Dense",
        "LayerNorm",
        "SiLU",
        "Dropout",
        "Dense",
    ]
    assert fitted.history_.history["lr"][0] == 0.05 > fitted.history_.history["lr"][1]
    assert fitted.score(X, y) > 0.9
    assert len(fitted.coefs_) == 2
    assert fitted.n_layers_ == 3


def test_dropout_normalisation_and_an_activation_for_each_layer():
    X, y = iris()
    fitted = classifier(
        hidden_layer_sizes=[8, 6, 4],
        activation=["logistic", "gelu", fnn.LeakyReLU(0.2)],
        dropout=[0.0, 0.1, 0.0],
        batch_norm=True,
        max_iter=60,
    ).fit(X, y)
    assert repr(fitted.net_.layers) == repr(
        (
            fnn.Dense(8, init="glorot_uniform"),
            fnn.BatchNorm(),
            fnn.Sigmoid(),
            fnn.Dense(6, init="glorot_uniform"),
            fnn.BatchNorm(),
            fnn.GELU(),
            fnn.Dropout(0.1),
            fnn.Dense(4, init="glorot_uniform"),
            fnn.BatchNorm(),
            fnn.LeakyReLU(0.2),
            fnn.Dense(3, init="glorot_uniform"),
        )
    )
    assert fitted.score(X, y) > 0.8


def test_the_dtype_follows_that_of_the_rows():
    X, y = iris()
    for given, wanted in [(X, "float64"), (X.astype("f4"), "float32")]:
        fitted = classifier(max_iter=2).fit(given, y)
        assert fitted.net_.dtype == wanted
        assert fitted.predict_proba(X).dtype == wanted
    assert classifier(max_iter=2).fit(X.astype(int), y).net_.dtype == "float64"
    assert classifier(max_iter=2, dtype="float32").fit(X, y).net_.dtype == "float32"


def test_dates_and_masks_are_refused():
    X, y = iris()
    dates = X.astype("datetime64[s]")
    masked = np.ma.masked_array(X, mask=X > 1)
    for bad, message in [(dates, "dates or durations"), (masked, "masked array")]:
        with pytest.raises(TypeError, match=message):
            classifier().fit(bad, y)
        with pytest.raises(TypeError, match=message):
            classifier(max_iter=1).fit(X, y).predict(bad)


def test_every_callback_is_called():
    X, y = iris()
    seen = []

    def stop_at_four(info):
        seen.append((info.epoch, info.logs["loss"]))
        return info.epoch == 3

    fitted = classifier(callbacks=[stop_at_four]).fit(X, y)
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3]
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 4
    assert fitted.history_.stop_reason == "callback"


def test_verbose_prints_loss_and_score(capsys):
    classifier(max_iter=2, verbose=True, early_stopping=True).fit(*iris())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = ")
    assert lines[1].startswith("Validation score: ")
    assert len(lines) == 4
    classifier(max_iter=2).fit(*iris())
    assert capsys.readouterr().out == ""


def test_custom_losses_may_say_what_they_judge():
    loss = fnn.losses.CustomLoss(_brier, targets="labels")
    X, y = cancer()
    assert classifier(loss=loss).fit(X, y).score(X, y) > 0.95
    with pytest.raises(ValueError, match="for numbers"):
        classifier(loss=dataclasses.replace(loss, targets="values")).fit(X, y)


@pytest.mark.parametrize("loss", ["hinge", fnn.losses.Hinge()])
def test_a_hinge_gives_classes_but_no_probabilities(loss):
    X, y = cancer()
    unfitted = classifier(loss=loss)
    fitted = classifier(loss=loss).fit(X, y)
    assert fitted.score(X, y) > 0.95
    assert fitted.out_activation_ == "identity"
    for estimator in (unfitted, fitted):
        for method in ("predict_proba", "predict_log_proba"):
            assert not hasattr(estimator, method)
            with pytest.raises(AttributeError, match=method) as error:
                getattr(estimator, method)
            assert "hinge" in str(error.value.__cause__).lower()
            assert "margins" in str(error.value.__cause__)


def test_of_other_losses_probabilities_are_there_before_a_fit():
    X, y = cancer()
    for loss in ("log_loss", "cross_entropy", "binary_cross_entropy"):
        assert hasattr(classifier(loss=loss), "predict_proba")
        with pytest.raises(NotFittedError):
            classifier(loss=loss).predict_proba(X)
        assert hasattr(classifier(loss=loss).fit(X, y), "predict_log_proba")
