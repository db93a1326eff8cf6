"""L-BFGS on plain functions: its minima, its line search, and what it refuses."""

import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastnn as fnn
from fastnn import reference
from optim.minimization import (
    Recorded,
    iterates,
    logistic_regression,
    quadratic,
    rosenbrock,
)

GOLDENS = Path(__file__).parents[1] / "goldens"
LONG = {"max_iter": 5000, "max_eval": 20_000}
EXACT = {**LONG, "tolerance_grad": 0.0, "tolerance_change": 0.0}


def _square(x):
    return (x**2).sum(), 2 * x


# -- worked by hand -------------------------------------------------------------------


def test_by_hand():
    """f = (x - 3)^2 from 0. Slope -6, so d = 6 and the first step is 1/6, to x = 1.

    There the slope along d is -24, flat enough beside -36. Then s = 1, y = 2, H = 1/2
    and d = 2: a step of 1 leads to 3, where the gradient is 0.
    """
    fun = Recorded(lambda x: (float((x[0] - 3) ** 2), 2 * (x - 3)))
    result = fnn.LBFGS().minimize(fun, [0.0])
    np.testing.assert_allclose([p.x[0] for p in fun.points], [0, 1, 3], rtol=1e-15)
    assert (result.fun, result.gradient_norm) == (0.0, 0.0)
    assert (result.n_iter, result.n_eval, result.converged) == (2, 3, True)
    assert "tolerance_grad" in result.message


def test_fixed_steps_by_hand():
    fun = Recorded(lambda x: (float(x[0] ** 2), 2 * x))
    opt = fnn.LBFGS(lr=0.5, max_iter=3, max_eval=9, line_search_fn=None)
    result = opt.minimize(fun, [4.0])
    # Gradient 8, first step min(1, 1/8)/2 of it: 3.5. Then H = 1/2: half way, twice.
    assert [p.x[0] for p in fun.points] == [4.0, 3.5, 1.75, 0.875]
    assert (result.fun, result.n_iter, result.converged) == (0.875**2, 3, False)


# -- minima ---------------------------------------------------------------------------

PROBLEMS = {
    "rosenbrock-2": (rosenbrock, [-1.2, 1.0]),
    "rosenbrock-10": (rosenbrock, [-1.2, 1.0] * 5),
    "rosenbrock-100": (rosenbrock, np.random.RandomState(5).standard_normal(100)),
    "quadratic": (quadratic(), np.zeros(40)),
    "logistic": (logistic_regression(), np.zeros(10)),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_meets_scipys_minimum_in_as_many_evaluations(name, record_property):
    optimize = pytest.importorskip("scipy.optimize")
    fun, x0 = PROBLEMS[name]
    options = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-8}
    scipys = optimize.minimize(
        fun, x0, jac=True, method="L-BFGS-B", options={**options, "maxcor": 30}
    )
    ours = fnn.LBFGS(
        **LONG, history_size=30, tolerance_grad=1e-8, tolerance_change=1e-15
    ).minimize(fun, x0)
    record_property("evaluations", f"{ours.n_eval}, SciPy {scipys.nfev}")
    assert ours.converged
    scale = max(abs(scipys.fun), fun(np.asarray(x0))[0] * 1e-6)
    assert ours.fun <= scipys.fun + 1e-8 * scale
    assert ours.n_eval <= 1.5 * scipys.nfev


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_a_scaled_function_has_the_same_minimum(scale):
    def fun(x):
        value, gradient = rosenbrock(x)
        return scale * value, scale * gradient

    result = fnn.LBFGS(**EXACT).minimize(fun, [-1.2, 1.0])
    np.testing.assert_allclose(result.x, 1.0, atol=1e-7)
    assert result.n_iter < 60


def test_float32_stays_float32():
    seen = set()

    def fun(x):
        seen.add(x.dtype.name)
        return _square(x - 1)

    result = fnn.LBFGS().minimize(fun, np.zeros((2, 3), np.float32))
    assert seen == {"float32"}
    assert result.x.dtype == np.float32
    assert result.x.shape == (2, 3)
    np.testing.assert_allclose(result.x, 1.0, atol=1e-6)


@pytest.mark.parametrize(
    "x0",
    [3.0, [1, 2], np.ones((2, 1, 3)), np.ones(3, ">f8"), np.ones(4, np.int8)],
    ids=["scalar", "integers", "3-d", "big_endian", "int8"],
)
def test_any_start(x0):
    before = np.array(x0)
    result = fnn.LBFGS().minimize(_square, x0)
    assert result.x.shape == np.shape(x0)
    assert result.x.dtype == np.float64
    np.testing.assert_allclose(result.x, 0.0, atol=1e-7)
    np.testing.assert_array_equal(x0, before)


def test_a_function_may_write_to_its_argument():
    def fun(x):
        value, gradient = _square(x)
        x.fill(np.nan)
        return value, gradient

    assert fnn.LBFGS().minimize(fun, [1.0, 2.0]).fun < 1e-12


# -- the line search ------------------------------------------------------------------


def _waves(rng, n):
    """A smooth function with many minima, bounded below."""
    matrix = rng.standard_normal((n, n)) / n
    matrix = matrix @ matrix.T + 0.1 * np.eye(n)
    waves, phase = 2 * rng.standard_normal((3, n)), rng.standard_normal(3)

    def fun(x):
        inner = waves @ x + phase
        value = x @ matrix @ x / 2 + np.cos(inner).sum()
        return float(value), matrix @ x - np.sin(inner) @ waves

    return fun


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 8), lr=st.floats(1e-3, 1e3))
def test_every_step_meets_the_strong_wolfe_conditions(seed, n, lr):
    rng = np.random.default_rng(seed)
    fun = _waves(rng, n)
    opt = fnn.LBFGS(
        lr=lr, max_iter=30, max_eval=10_000, tolerance_grad=1e-5, tolerance_change=0.0
    )
    points = list(iterates(opt, fun, 3 * rng.standard_normal(n)))
    assert len(points) > 1
    for (a, _), (b, evaluations) in itertools.pairwise(points):
        s = b.x - a.x  # d up to its length, which cancels
        slope, after = a.gradient @ s, b.gradient @ s
        assert slope < 0
        assert b.value <= a.value + 1e-4 * slope + 1e-12 * abs(a.value)
        assert abs(after) <= -0.9 * slope * (1 + 1e-6) or evaluations >= 25


@pytest.mark.parametrize("first", [1e-3, 0.3, 1.0, 4.0, 1e3])
@pytest.mark.parametrize(
    "phi",
    {
        "quadratic": lambda t: ((t - 1) ** 2, 2 * (t - 1)),
        "quartic": lambda t: ((t - 2) ** 4, 4 * (t - 2) ** 3),
        # Moré and Thuente (1994), their first and second function
        "rational": lambda t: (-t / (t**2 + 2), (t**2 - 2) / (t**2 + 2) ** 2),
        "flat": lambda t: (
            (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
            5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
        ),
        "barrier": lambda t: (
            (t - np.log(3 - t), 1 + 1 / (3 - t)) if t < 3 else (np.nan, np.nan)
        ),
    }.items(),
    ids=lambda item: item[0] if isinstance(item, tuple) else None,
)
def test_search_of_the_specification(phi, first):
    name, phi = phi
    if name == "barrier":  # falls towards 3, and is not there beyond
        phi = lambda t: (  # noqa: E731
            (-np.log(1 + t) - 1e-3 * np.log(3 - t), -1 / (1 + t) + 1e-3 / (3 - t))
            if t < 3
            else (np.nan, np.nan)
        )
    value, slope = phi(0.0)
    end = reference.optimizers.wolfe.wolfe_search(phi, value, slope, first)
    assert end.t > 0
    assert (end.value, end.slope) == phi(end.t)
    assert end.value <= value + 1e-4 * end.t * slope
    assert abs(end.slope) <= -0.9 * slope


# -- the specification and torch ------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"max_iter": 20, "max_eval": 1000},
        {"max_iter": 25, "max_eval": 1000, "history_size": 2, "lr": 0.7},
        {"max_iter": 9},
        {"max_iter": 30, "line_search_fn": None, "lr": 0.01, "max_eval": 12},
        {"max_iter": 100, "tolerance_change": 1e-3},
        {"max_iter": 100, "max_eval": 1000, "tolerance_grad": 1.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", PROBLEMS)
def test_follows_the_specification(name, options):
    """Evaluation by evaluation; after some dozens rounding has grown too large."""
    fun, x0 = PROBLEMS[name]
    ours, spec = Recorded(fun), Recorded(fun)
    result = fnn.LBFGS(**options).minimize(ours, x0)
    x, value, n_iter = reference.lbfgs_minimize(spec, np.array(x0, float), **options)
    assert result.n_eval == len(ours.points)
    for a, b in itertools.islice(zip(ours.points, spec.points, strict=False), 30):
        np.testing.assert_allclose(a.x, b.x, rtol=1e-7, atol=1e-9)
    if len(ours.points) <= 30:
        assert len(spec.points) == result.n_eval
        assert result.n_iter == n_iter
        np.testing.assert_allclose(result.x, x, rtol=1e-7, atol=1e-9)
        assert result.fun == pytest.approx(value, rel=1e-7, abs=1e-12)


def _load(name):
    spec = importlib.util.spec_from_file_location(name, GOLDENS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recorder = _load("record_lbfgs")
RECORDED = json.loads(recorder.FILE.read_text())
SOURCES = ["recorded"]
if importlib.util.find_spec("torch"):  # the same cases, by torch itself
    SOURCES.append("live")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("case", RECORDED[:-1], ids=lambda case: str(case["settings"]))
def test_a_fit_has_torchs_losses(case, source):
    """One epoch is one step of torch's; rounding grows from step to step."""
    wanted = case["losses"]
    if source == "live":
        wanted = recorder.torch_losses(case["settings"])
    problem = recorder.problem()
    net = fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(2), dtype="float64").build(3)
    net.load_state_dict({name: a for name, a in problem.items() if "." in name})
    history = net.fit(
        problem["X"],
        problem["y"],
        loss="mse",
        optimizer=fnn.LBFGS(**case["settings"]),
        epochs=recorder.STEPS,
    )
    losses = history.history["loss"]
    np.testing.assert_allclose(losses[:5], wanted[:5], rtol=1e-12)
    np.testing.assert_allclose(losses, wanted, rtol=1e-7)


@pytest.mark.parametrize("source", SOURCES)
def test_evaluates_where_torch_does(source):
    case = RECORDED[-1]
    wanted = case["points"]
    if source == "live":
        wanted = recorder.torch_points(case["settings"])
    fun = Recorded(rosenbrock)
    options = {**case["settings"], "max_iter": 25}
    fnn.LBFGS(**options).minimize(fun, recorder.START)
    assert len(fun.points) == len(wanted)
    points = [p.x for p in fun.points]
    np.testing.assert_allclose(points[:12], wanted[:12], rtol=1e-9)
    np.testing.assert_allclose(points, wanted, rtol=1e-5)


# -- functions that are no joy --------------------------------------------------------


def _log(x):
    with np.errstate(all="ignore"):
        return (x - np.log(x)).sum(), 1 - 1 / x


def _abyss(x):
    return -x.sum(), -np.ones_like(x)


def _noise(x):
    draw = np.random.default_rng(abs(hash(x.tobytes())))
    return draw.normal(), draw.normal(size=x.shape)


def _wrong(x):
    return (x**2).sum(), -2 * x


def _walls(x):
    return (0.0 if x[0] == 1 else np.inf), np.ones_like(x)


def _coarse(x):
    return float(np.float32(rosenbrock(x)[0])), rosenbrock(x)[1]


# name: function, start, settings, words of the message
AWKWARD = {
    "constant": (lambda x: (3.0, 0 * x), [1.0, 2.0], {}, "tolerance_grad"),
    "constant, no tolerance": (lambda x: (3.0, 0 * x), [1.0], EXACT, "tolerance_grad"),
    "at the minimum": (_square, [0.0, 0.0], {}, "tolerance_grad"),
    "unbounded": (_abyss, [0.0, 0.0], LONG, "unbounded"),
    "unbounded float32": (_abyss, np.zeros(2, np.float32), LONG, "unbounded"),
    "log": (_log, [1e-3, 50.0], LONG, "converged"),
    "log, no tolerance": (_log, [1e-3, 50.0], EXACT, ""),
    "walls": (_walls, [1.0], LONG, "no further progress"),
    "wrong gradient": (_wrong, [1.0, 2.0], LONG, "no further progress"),
    "noise": (_noise, [1.0, 2.0], EXACT, ""),
    "kinks": (lambda x: (np.abs(x).sum(), np.sign(x)), [1.3, -2.7], EXACT, ""),
    "float32": (_coarse, np.array([-1.2, 1, 1], np.float32), EXACT, ""),
    "float64": (rosenbrock, [-1.2, 1, 1], EXACT, ""),
    "one iteration": (_square, [3.0, 4.0], {"max_iter": 1}, "max_iter"),
    "one evaluation": (_square, [3.0, 4.0], {"max_eval": 1}, "max_eval"),
    "one pair": (rosenbrock, [-1.2, 1], {**LONG, "history_size": 1}, "converged"),
    "one parameter": (_square, [3.0], {}, "converged"),
    "huge": (lambda x: (1e300 * (x @ x), 2e300 * x), [1.0, 2.0], LONG, ""),
    "tiny": (lambda x: (1e-300 * (x @ x), 2e-300 * x), [1.0, 2.0], EXACT, ""),
    "blows up": (_square, [1.0], {"line_search_fn": None, "lr": 1e200}, "not finite"),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_functions_come_to_an_end(name):
    fun, x0, options, words = AWKWARD[name]
    with np.errstate(over="ignore"):
        result = fnn.LBFGS(**options).minimize(fun, x0)
        start = fun(np.array(x0))[0]
    assert words in result.message
    assert result.converged == result.message.startswith("converged")
    assert np.isfinite(result.x).all()
    assert np.isfinite(result.fun)
    assert result.fun <= start
    assert result.n_eval < 1000
    if result.converged and fun is not _abyss:
        assert result.gradient_norm < 1e-2


def test_rounding_ends_a_run_near_the_minimum():
    """With tolerances of zero only rounding is left to end it."""
    for dtype, close in ((np.float32, 1e-3), (np.float64, 1e-7)):
        x0 = np.array([-1.2, 1.0], dtype)
        result = fnn.LBFGS(**EXACT).minimize(
            lambda x: rosenbrock(x.astype(np.float64)), x0
        )
        np.testing.assert_allclose(result.x, 1.0, atol=close)


# -- errors ---------------------------------------------------------------------------


class _MineError(Exception):
    pass


def _raises(x):
    if x[0] != 1:
        raise _MineError
    return _square(x)


def _returns(outcome):
    return lambda x: outcome(x) if callable(outcome) else outcome


# name: call of minimize, exception, words
ERRORS = {
    "fun": ((3, [1.0]), TypeError, ["fun", "callable", "int"]),
    "its exception": ((_raises, [1.0, 2.0]), _MineError, []),
    "no pair": ((_returns(1.0), [1.0]), TypeError, ["(value, gradient)", "float"]),
    "triple": ((_returns((1.0, 2.0, 3.0)), [1.0]), TypeError, ["(value, gradient)"]),
    "value": ((_returns(lambda x: (x, x)), [1.0]), TypeError, ["value", "(1,)"]),
    "no value": ((_returns((None, [1.0])), [1.0]), TypeError, ["value", "NoneType"]),
    "complex": ((_returns((1.0, [1j])), [1.0]), TypeError, ["gradient", "complex"]),
    "shape": (
        (_returns((1.0, np.ones(3))), [1.0, 2.0]),
        ValueError,
        ["gradient", "(2,)", "(3,)"],
    ),
    "nan": ((_returns((np.nan, [1.0])), [1.0]), ValueError, ["x0", "nan", "start"]),
    "inf gradient": ((_returns((1.0, [np.inf])), [1.0]), ValueError, ["x0", "1 "]),
    "x0 nan": ((_square, [np.nan]), ValueError, ["x0", "finite"]),
    "x0 empty": ((_square, []), ValueError, ["x0", "(0,)"]),
    "x0 text": ((_square, ["a"]), TypeError, ["x0", "real numbers"]),
    "x0 complex": ((_square, [1j]), TypeError, ["x0", "complex"]),
    "x0 masked": ((_square, np.ma.array([1.0, 2.0])), TypeError, ["x0", "masked"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    arguments, exception, words = ERRORS[name]
    with pytest.raises(exception) as error:
        fnn.LBFGS().minimize(*arguments)
    assert all(word in str(error.value) for word in words), error.value


SETTINGS = {
    "lr": (0.0, ValueError, ["lr", "> 0", "0"]),
    "max_iter": (0, ValueError, ["max_iter", ">= 1", "0"]),
    "max_eval": (-1, ValueError, ["max_eval", ">= 1", "-1"]),
    "tolerance_grad": (-1.0, ValueError, ["tolerance_grad", ">= 0", "-1"]),
    "tolerance_change": (np.nan, ValueError, ["tolerance_change", "nan"]),
    "history_size": (1.5, TypeError, ["history_size", "integer", "1.5"]),
    "line_search_fn": ("wolfe", ValueError, ["'strong_wolfe' or None", "'wolfe'"]),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name):
    value, exception, words = SETTINGS[name]
    with pytest.raises(exception) as error:
        fnn.LBFGS(**{name: value})
    assert all(word in str(error.value) for word in ["LBFGS", *words]), error.value


@pytest.mark.parametrize("method", ["init", "update"])
def test_says_that_one_gradient_is_not_enough(method):
    with pytest.raises(TypeError, match=r"LBFGS has no .*minimize.*fit"):
        getattr(fnn.LBFGS(), method)(np.ones(2), np.ones(2), None)


def test_has_torchs_names_and_defaults():
    torch = pytest.importorskip("torch")
    group = torch.optim.LBFGS([torch.zeros(1)]).defaults
    ours = fnn.LBFGS().to_native()
    assert ours.pop("kind") == "lbfgs"
    assert ours.pop("line_search_fn") == "strong_wolfe"
    assert ours.pop("max_eval") is None  # 25, as torch has it
    assert ours == {name: group[name] for name in ours}
    assert set(fnn.LBFGS().to_native()) - {"kind"} == set(group)
