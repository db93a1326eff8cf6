"""Against scikit-learn's networks: the same first weights, steps, curves, stops."""

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

import fastnn as fnn

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SGD = {"solver": "sgd", "learning_rate_init": 0.1}
SOLVERS = {
    "momentum": SGD | {"nesterovs_momentum": False},
    "nesterov": SGD,
    "no momentum": SGD | {"momentum": 0.0},
    "invscaling": SGD | {"learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": SGD | {"learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 2},
    "strong penalty": SGD | {"alpha": 5.0},
    # Their Adam adds epsilon before the correction of the bias: as good as none.
    "adam": {"solver": "adam", "epsilon": 1e-15},
}


def digits(n_classes=10):
    X, y = load_digits(n_class=n_classes, return_X_y=True)
    kept = slice(0, 330)
    return scale(X[kept])[:, X[kept].std(axis=0) > 0], y[kept]


def diabetes(n_outputs=1):
    X, y = load_diabetes(return_X_y=True)
    y = scale(y)
    return scale(X)[:330], y[:330] if n_outputs == 1 else np.c_[y, y**2][:330]


def many_labels():
    X, y = make_multilabel_classification(330, random_state=0)
    return scale(X), y


TASKS = {
    "many classes": ("MLPClassifier", digits, {}),
    "two classes": ("MLPClassifier", lambda: digits(2), {}),
    "many labels": ("MLPClassifier", many_labels, {}),
    "one number": ("MLPRegressor", diabetes, {}),
    "two numbers": ("MLPRegressor", lambda: diabetes(2), {}),
    "counts": (
        "MLPRegressor",
        lambda: (diabetes()[0], np.round(np.exp(diabetes()[1]))),
        {"loss": "poisson"},
    ),
}


def pair(kind, **parameters):
    """Return scikit-learn's estimator and ours with the same parameters."""
    if not parameters.keys() <= getattr(theirs, kind)().get_params().keys():
        pytest.skip(f"this scikit-learn's {kind} has not all of {list(parameters)}")
    return [getattr(module, kind)(**parameters) for module in (theirs, fnn)]


def fitted(kind, data, **parameters):
    return [estimator.fit(*data) for estimator in pair(kind, **parameters)]


@pytest.mark.parametrize("batch_size", [330, 100], ids=["one batch", "four batches"])
@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS.keys())
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_the_loss_curves_agree(task, solver, batch_size):
    kind, data, loss = task
    parameters = {
        "hidden_layer_sizes": (12, 7),
        "activation": "tanh",
        "alpha": 1e-2,
        "batch_size": batch_size,
        "shuffle": False,
        "max_iter": 50 if batch_size == 330 else 15,
        "random_state": 3,
    }
    parameters |= solver | loss
    if kind == "MLPRegressor" and solver["solver"] == "sgd":
        parameters["learning_rate_init"] = 0.01
    their, our = fitted(kind, data(), **parameters)
    assert our.n_iter_ == their.n_iter_
    np.testing.assert_allclose(our.loss_curve_, their.loss_curve_, rtol=1e-8)
    assert our.loss_curve_[-1] < our.loss_curve_[0]
    for mine, reference in zip(our.coefs_, their.coefs_, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-7)
    X = data()[0]
    np.testing.assert_allclose(our.predict(X), their.predict(X), atol=1e-5)
    if kind == "MLPClassifier":
        for method in ("predict_proba", "predict_log_proba"):
            np.testing.assert_allclose(
                getattr(our, method)(X), getattr(their, method)(X), atol=1e-5
            )


def test_the_usual_epsilon_of_adam_changes_little():
    """Steps differ while sqrt(v) is near epsilon, which weights soon leave behind."""
    data = digits()
    their, our = fitted(
        "MLPClassifier", data, shuffle=False, max_iter=50, random_state=0
    )
    np.testing.assert_allclose(our.loss_curve_, their.loss_curve_, rtol=1e-3)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_the_first_weights_are_theirs(activation):
    X, y = digits()
    parameters = {
        "hidden_layer_sizes": (5, 4),
        "activation": activation,
        "solver": "sgd",
        "learning_rate_init": 1e-300,
        "max_iter": 1,
        "random_state": 7,
    }
    their, our = fitted("MLPClassifier", (X, y), **parameters)
    for ours, reference in zip(
        our.coefs_ + our.intercepts_, their.coefs_ + their.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(ours, reference)


@pytest.mark.parametrize(
    ("n_outputs", "parameters"),
    [
        (1, {"tol": 1e-2}),
        (1, {"tol": 1e-2, "solver": "sgd", "learning_rate_init": 0.01}),
        (1, {"early_stopping": True, "tol": 1e-3}),
        (2, {"early_stopping": True, "n_iter_no_change": 3}),
    ],
)
def test_training_stops_in_the_same_epoch(n_outputs, parameters):
    """Held-out rows are the same ones, and so is what counts as no progress."""
    parameters = {
        "hidden_layer_sizes": (30,),
        "learning_rate_init": 0.01,
        "epsilon": 1e-15,
        "shuffle": False,
        "random_state": 1,
        "max_iter": 300,
    } | parameters
    their, our = fitted("MLPRegressor", diabetes(n_outputs), **parameters)
    assert our.n_iter_ == their.n_iter_ < 300
    assert our.t_ == their.t_
    assert our.converged_
    np.testing.assert_allclose(our.loss_, their.loss_, rtol=1e-6)
    for name in ("best_loss_", "best_validation_score_"):
        mine, reference = getattr(our, name), getattr(their, name)
        assert mine == reference or mine == pytest.approx(reference, rel=1e-6)
    if parameters.get("early_stopping"):
        np.testing.assert_allclose(
            our.validation_scores_, their.validation_scores_, rtol=1e-5, atol=1e-7
        )
    else:
        assert our.validation_scores_ is None
    X = diabetes()[0]
    np.testing.assert_allclose(our.predict(X), their.predict(X), atol=1e-5)


def test_sample_weights_count_as_theirs():
    X, y = digits(2)
    weight = np.random.default_rng(0).exponential(size=len(y))
    their, our = pair(
        "MLPClassifier",
        hidden_layer_sizes=(6,),
        alpha=1.0,
        batch_size=len(y),
        epsilon=1e-15,
        max_iter=50,
        random_state=0,
        shuffle=False,
    )
    our.fit(X, y, weight)
    try:
        their.fit(X, y, weight)
    except TypeError:
        pytest.skip("this scikit-learn has no sample_weight")
    np.testing.assert_allclose(our.loss_curve_, their.loss_curve_, rtol=1e-8)


# scikit-learn 1.6 calls SciPy 1.16 in a way that is deprecated.
@pytest.mark.filterwarnings("ignore:scipy.optimize:DeprecationWarning")
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_lbfgs_finds_a_minimum_as_low(kind):
    data = digits() if kind == "MLPClassifier" else diabetes()
    their, our = fitted(
        kind,
        data,
        hidden_layer_sizes=(8,),
        activation="tanh",
        solver="lbfgs",
        alpha=3.0,
        random_state=0,
        max_iter=3000,
    )
    assert our.converged_
    assert our.loss_ <= their.loss_ * 1.02
    assert our.loss_ == our.loss_curve_[-1]


def test_lbfgs_keeps_to_max_iter_and_max_fun():
    data = digits()
    for limits in ({"max_iter": 3}, {"max_fun": 3}):
        our = fnn.MLPClassifier(solver="lbfgs", random_state=0, **limits)
        with pytest.warns(ConvergenceWarning, match="had not converged"):
            our.fit(*data)
        assert our.n_iter_ <= 3
        assert not our.converged_


def test_partial_fit_goes_on_as_theirs():
    """Optimizer, curve and rows seen go on; n_iter_ counts the call's one epoch."""
    X, y = digits()
    their, our = pair(
        "MLPClassifier",
        hidden_layer_sizes=(12,),
        solver="sgd",
        learning_rate="invscaling",
        learning_rate_init=0.2,
        batch_size=100,
        shuffle=False,
        random_state=0,
    )
    for estimator in (their, our):
        for k in range(6):
            rows = slice(0, 150) if k % 2 else slice(150, 330)
            estimator.partial_fit(X[rows], y[rows], classes=np.arange(10))
    np.testing.assert_allclose(our.loss_curve_, their.loss_curve_, rtol=1e-9)
    assert (our.n_iter_, our.t_) == (their.n_iter_, their.t_) == (1, 990)


def test_warm_start_goes_on_as_theirs():
    X, y = diabetes()
    their, our = pair(
        "MLPRegressor", solver="sgd", shuffle=False, warm_start=True, random_state=0
    )
    for estimator in (their, our):
        for _ in range(3):
            estimator.set_params(max_iter=4).fit(X, y)
    np.testing.assert_allclose(our.loss_curve_, their.loss_curve_, rtol=1e-9)
    assert (our.n_iter_, our.t_) == (their.n_iter_, their.t_) == (4, 12 * 330)


def test_all_their_parameters_and_attributes_are_here():
    for kind in ("MLPClassifier", "MLPRegressor"):
        their, our = pair(kind)
        defaults = their.get_params()
        assert {k: our.get_params()[k] for k in defaults} == defaults
        data = digits() if kind == "MLPClassifier" else diabetes()
        for early_stopping in (False, True):
            for estimator in (their, our):
                estimator.set_params(
                    max_iter=3, random_state=0, early_stopping=early_stopping
                ).fit(*data)
            public = [name for name in vars(their) if name[0] != "_"]
            for name in public:
                mine, reference = getattr(our, name), getattr(their, name)
                assert isinstance(mine, type(reference)) or np.isscalar(reference), name
            for name in ("n_layers_", "n_outputs_", "out_activation_", "n_iter_"):
                assert getattr(our, name) == getattr(their, name)
