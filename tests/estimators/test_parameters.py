"""Parameters that are none, by whom and when they are refused, and what is kept."""

import inspect
import re

import numpy as np
import pytest
from sklearn.base import clone

import fastnn as fnn
from estimators.data import classifier, diabetes, iris, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WRONG = [
    ("hidden_layer_sizes", 0, ValueError),
    ("hidden_layer_sizes", (10, -1), ValueError),
    ("hidden_layer_sizes", (2.5,), TypeError),
    ("hidden_layer_sizes", "100", TypeError),
    ("hidden_layer_sizes", None, TypeError),
    ("activation", "rellu", ValueError),
    ("activation", ["relu", "tanh"], ValueError),
    ("activation", None, TypeError),
    ("solver", "adamw", ValueError),
    ("solver", fnn.Adam(), TypeError),
    ("alpha", -1e-4, ValueError),
    ("alpha", np.nan, ValueError),
    ("alpha", "1", TypeError),
    ("batch_size", 0, ValueError),
    ("batch_size", "all", ValueError),
    ("batch_size", 2.0, TypeError),
    ("learning_rate", "constnat", ValueError),
    ("learning_rate_init", 0, ValueError),
    ("power_t", -1, ValueError),
    ("max_iter", 0, ValueError),
    ("max_iter", 1.5, TypeError),
    ("shuffle", 1, TypeError),
    ("random_state", "seed", ValueError),
    ("tol", -1, ValueError),
    ("verbose", "yes", TypeError),
    ("warm_start", None, TypeError),
    ("momentum", 1.1, ValueError),
    ("nesterovs_momentum", 2, TypeError),
    ("early_stopping", "yes", TypeError),
    ("early_stopping", None, None),
    ("validation_fraction", 1, ValueError),
    ("beta_1", 1.0, ValueError),
    ("beta_2", -0.1, ValueError),
    ("epsilon", 0.0, ValueError),
    ("n_iter_no_change", 0, ValueError),
    ("n_iter_no_change", 2.5, TypeError),
    ("max_fun", 0, ValueError),
    ("layers", fnn.ReLU(), TypeError),
    ("layers", [fnn.ReLU], TypeError),
    ("layers", ["relu"], TypeError),
    ("optimizer", "admm", ValueError),
    ("optimizer", fnn.Adam, TypeError),
    ("schedule", "cosine", TypeError),
    ("schedule", {"dropout": 0.5}, TypeError),
    ("schedule", {"p": fnn.Cosine(3)}, ValueError),
    ("schedule", {"dropout": fnn.Cosine(3)}, ValueError),
    ("loss", "mean", ValueError),
    ("dropout", 1.0, ValueError),
    ("dropout", [0.1, 0.2], ValueError),
    ("dropout", "0.1", TypeError),
    ("batch_norm", 1, TypeError),
    ("l1", -1, ValueError),
    ("max_norm", 0.0, ValueError),
    ("max_norm", "1", TypeError),
    ("clip_norm", 0.0, ValueError),
    ("scoring", "f1_marco", ValueError),
    ("scoring", 3, TypeError),
    ("callbacks", [3], TypeError),
    ("n_threads", 0, ValueError),
    ("dtype", "float16", ValueError),
]


@pytest.mark.parametrize(("name", "value", "error"), WRONG)
@pytest.mark.parametrize(("make", "data"), [(classifier, iris), (regressor, diabetes)])
def test_wrong_values_are_told_by_fit(make, data, name, value, error):
    """The constructor stores; fit names the parameter and changes nothing."""
    estimator = make(max_iter=2).fit(*data())
    estimator.set_params(**{name: value})
    if error is None:
        estimator.fit(*data())
        return
    before = dict(vars(estimator))
    word = "seed" if name == "random_state" else name
    with pytest.raises(error, match=word):
        estimator.fit(*data())
    assert vars(estimator).keys() == before.keys()
    assert all(vars(estimator)[key] is value for key, value in before.items())
    if name == "n_threads":  # which predictions need as well
        estimator.set_params(n_threads=None)
    assert len(estimator.predict(data()[0])) == len(data()[0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layers": [fnn.ReLU()], "dropout": 0.5}, "layers is given together with"),
        ({"layers": [fnn.ReLU()], "batch_norm": True}, "layers is given together with"),
        (
            {
                "schedule": fnn.Cosine(3),
                "solver": "sgd",
                "learning_rate": "adaptive",
            },
            "schedule and learning_rate='adaptive' are both given",
        ),
        (
            {"early_stopping": True, "callbacks": [fnn.EarlyStopping()]},
            "are both given",
        ),
        ({"early_stopping": True, "callbacks": [fnn.EMA()]}, "are both given"),
        ({"solver": "lbfgs", "clip_norm": 1.0}, "clip_norm must be None with LBFGS"),
        ({"solver": "lbfgs", "max_norm": 1.0}, "max_norm must be None with LBFGS"),
        (
            {"early_stopping": fnn.EarlyStopping(monitor="val_r3")},
            "no value of this fit|unknown name",
        ),
    ],
)
def test_what_does_not_go_together(parameters, message):
    with pytest.raises(ValueError, match=message):
        classifier(**parameters).fit(*iris())


@pytest.mark.parametrize("sizes", [(20, 10), [20], 20])
def test_layers_where_the_loss_stands(sizes):
    """scikit-learn put the loss first, where older code has the layers."""
    with pytest.raises(TypeError, match=r"loss must be .* write hidden_layer_sizes="):
        fnn.MLPRegressor(sizes).fit(*diabetes())


def test_rows_that_are_none():
    X, y = iris()
    fitted = classifier(max_iter=2).fit(X, y)
    before = fitted.predict_proba(X)
    for bad_X, bad_y, bad_weight, message in [
        (X[:, 0], y, None, "2D array"),
        (X[:-1], y, None, "inconsistent numbers of samples"),
        (np.where(X > 2, np.nan, X), y, None, "NaN"),
        (np.where(X > 2, np.inf, X), y, None, "infinity"),
        (X, y.astype(object) * 1j, None, "Unknown label type|omplex"),
        (X, y, -np.ones(150), "sample_weight must be >= 0"),
        (X, y, np.zeros(150), "sample_weight is zero for every row"),
        (X, y, np.ones(149), r"sample_weight must have shape \(150,\)"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            fitted.fit(bad_X, bad_y, bad_weight)
        np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_a_batch_larger_than_the_data():
    with pytest.warns(UserWarning, match="batch_size=1000 is more than the 150 rows"):
        classifier(batch_size=1000, max_iter=1).fit(*iris())


def test_divergence_is_an_error_and_no_fit():
    X, y = diabetes()
    wild = regressor(optimizer=fnn.SGD(lr=1e6), hidden_layer_sizes=(30, 30))
    for kind in (fnn.DivergedError, ValueError):
        with pytest.raises(kind, match=r"non-finite .* diverged") as info:
            wild.fit(X, y)
    assert not hasattr(wild, "net_")
    assert info.value.lr == 1e6
    assert "as it was before" in str(info.value)

    calm = regressor(max_iter=3).fit(X, y)
    before = calm.predict(X)
    with pytest.raises(fnn.DivergedError):
        calm.set_params(optimizer=fnn.SGD(lr=1e6)).fit(X, y)
    np.testing.assert_array_equal(calm.predict(X), before)
    with pytest.raises(fnn.DivergedError, match="last finite epoch"):
        calm.partial_fit(X, y).partial_fit(X, y).partial_fit(X, y)
    assert np.isfinite(calm.predict(X)).all()


def test_parameters_are_kept_and_cloned_as_they_are():
    given = {
        "layers": [fnn.Dense(4, "tanh", init=(np.ones((4, 4)), np.zeros(4)))],
        "optimizer": fnn.SGD(lr=0.1, momentum=0.5),
        "schedule": fnn.Warmup(3, then=fnn.Cosine(10)),
        "loss": fnn.CrossEntropy(label_smoothing=0.1),
        "early_stopping": fnn.EarlyStopping(patience=2),
        "callbacks": (print,),
    }
    estimator = classifier(**given)
    assert all(estimator.get_params()[name] is value for name, value in given.items())
    twin = clone(estimator)
    for name, value in given.items():
        assert repr(twin.get_params()[name]) == repr(value)
    assert twin.set_params(optimizer="adam").get_params()["optimizer"] == "adam"
    assert repr(estimator).startswith("MLPClassifier(")


@pytest.mark.parametrize("kind", [fnn.MLPClassifier, fnn.MLPRegressor])
def test_every_parameter_and_attribute_is_documented(kind):
    """Each with its default, in the order of the signature."""
    signature = inspect.signature(kind)
    section = inspect.getdoc(kind).split("Attributes\n")[0]  # 3.13 has no indentation
    documented = re.findall(r"^(\w[\w, ]*) : (.*)$", section, re.MULTILINE)
    names = [name for group, _ in documented for name in group.split(", ")]
    assert set(names) == set(signature.parameters)
    for group, text in documented:
        defaults = [signature.parameters[n].default for n in group.split(", ")]
        if "optional" in text:
            assert defaults == [None]
        else:
            wanted = ", ".join(
                f'"{d}"' if isinstance(d, str) else repr(d) for d in defaults
            )
            shown = text.split("default ")[1].replace("0.0001", "0.0001")
            assert shown == wanted.replace("1e-08", "1e-8"), group

    fitted = kind(max_iter=1)
    fitted.fit(*(iris() if kind is fnn.MLPClassifier else diabetes()))
    public = {name for name in vars(fitted) if name.endswith("_") and name[0] != "_"}
    assert public | {"coefs_", "intercepts_"} <= set(
        re.findall(r"\b\w+_\b", kind.__doc__)
    )


def test_a_named_optimizer_takes_the_learning_rate():
    X, y = iris()

    def rates(**parameters):
        return set(classifier(**parameters).fit(X, y).history_.history["lr"])

    assert rates(optimizer="adamw", learning_rate_init=0.02) == {0.02}
    assert rates(optimizer="lion", learning_rate_init=0.001) == {fnn.Lion().lr}
    assert rates(optimizer=fnn.AdamW(0.03), learning_rate_init=0.02) == {0.03}


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize(("make", "data"), [(classifier, iris), (regressor, diabetes)])
def test_max_norm_bounds_the_weights_of_each_unit(make, data, solver):
    X, y = data()

    def norms(estimator):
        return np.concatenate([np.linalg.norm(w, axis=0) for w in estimator.coefs_])

    bounded = {"solver": solver, "max_norm": 0.5}
    for fitted in (
        make(**bounded).fit(X, y),
        make(**bounded, max_iter=1).fit(X, y).partial_fit(X, y),
        make(solver=solver).fit(X, y).set_params(max_norm=0.5).partial_fit(X, y),
    ):
        assert norms(fitted).max() <= 0.5 + 1e-12
        assert np.isclose(norms(fitted), 0.5).any()
    assert norms(make(solver=solver).fit(X, y)).max() > 0.6


def test_a_loss_that_learns_a_variance_is_for_networks():
    with pytest.raises(ValueError, match=r"fastnn\.Sequential with two outputs"):
        regressor(loss=fnn.GaussianNLL()).fit(*diabetes())


def test_several_schedules():
    """Of a rate that learning_rate="adaptive" changes, all but "lr"."""
    X, y = iris()
    fall = fnn.Linear(1.0, 0.0, 4)
    estimator = classifier(schedule={"dropout": fall}, dropout=0.4, max_iter=3)
    estimator.fit(X, y)
    assert estimator.history_.history["dropout"] == [fall.at(t, 0.4) for t in range(3)]
    adaptive = {"solver": "sgd", "learning_rate": "adaptive", "max_iter": 3}
    decay = {"momentum": fnn.Exponential(0.5)}
    estimator = classifier(schedule=decay, **adaptive).fit(X, y)
    assert estimator.history_.history["momentum"] == [0.9, 0.45, 0.225]
    with pytest.raises(ValueError, match="are both given"):
        classifier(schedule={"lr": fall}, **adaptive).fit(X, y)
