import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from fastnn import reference
from fastnn.reference import init_slots
from fastnn.reference.optimizers import SLOTS

GOLDEN = json.loads(Path(__file__).with_name("torch_trajectories.json").read_text())
RULES = sorted(SLOTS)
# settings under which a rule uses all its slots
ALL_SLOTS = {
    "sgd": {"momentum": 0.9},
    "rmsprop": {"momentum": 0.9, "centered": True},
    "adam": {"amsgrad": True},
    "adamw": {"amsgrad": True},
}


def update(rule, *arrays, **hyper):
    getattr(reference, f"{rule}_update")(*arrays, **hyper)


def run(rule, gradients, start, record=(), **hyper):
    """Return params and slots after all gradients, and params at recorded steps."""
    params = np.array(start)
    slots = init_slots(rule, params, **hyper)
    recorded = {}
    for step, gradient in enumerate(gradients, start=1):
        grads = np.array(gradient)
        update(rule, params, grads, *slots, step=step, **hyper)
        np.testing.assert_array_equal(grads, gradient)
        if step in record:
            recorded[step] = params.copy()
    return params, slots, recorded


@pytest.mark.parametrize(
    "case", GOLDEN["cases"], ids=lambda case: f"{case['rule']}-{case['hyper']}"
)
def test_trajectory_is_torch_s(case):
    expected = dict(case["params"])
    average = expected.pop("ax", None)
    _, slots, recorded = run(
        case["rule"],
        np.array(GOLDEN["gradients"]),
        np.array(GOLDEN["start"]),
        record=[int(step) for step in expected],
        **case["hyper"],
    )
    for step, params in expected.items():
        np.testing.assert_allclose(recorded[int(step)], params, rtol=1e-11)
    if average is not None:
        np.testing.assert_allclose(slots[0], average, rtol=1e-11)


def test_every_rule_of_torch_has_a_trajectory():
    assert {case["rule"] for case in GOLDEN["cases"]} == set(RULES) - {"lion"}
    assert np.shape(GOLDEN["gradients"]) == (100, 3)


def test_lion_follows_the_paper():
    gradients = np.array(GOLDEN["gradients"])[:, :1]
    params, (m,), _ = run(
        "lion", gradients, np.array([2.0]), lr=0.1, betas=(0.8, 0.7), weight_decay=0.3
    )
    theta, momentum = 2.0, 0.0
    for g in gradients[:, 0].tolist():  # algorithm 2 on one number
        c = 0.8 * momentum + 0.2 * g
        theta -= 0.1 * ((c > 0) - (c < 0) + 0.3 * theta)
        momentum = 0.7 * momentum + 0.3 * g
    assert params[0] == pytest.approx(theta, rel=1e-12)
    assert m[0] == pytest.approx(momentum, rel=1e-12)


def test_sgd_by_hand():
    params, buffer = np.array([1.0]), np.array([99.0])  # the buffer's past is nothing
    hyper = {"lr": 0.1, "momentum": 0.5, "dampening": 0.2, "weight_decay": 1.0}
    reference.sgd_update(params, np.array([2.0]), buffer, step=1, **hyper)
    # g = 2 + 1 = 3; m = 3; 1 - 0.3
    assert (buffer[0], params[0]) == pytest.approx((3.0, 0.7))
    reference.sgd_update(params, np.array([1.0]), buffer, step=2, **hyper)
    # g = 1 + 0.7 = 1.7; m = 1.5 + 0.8 * 1.7 = 2.86; 0.7 - 0.286
    assert (buffer[0], params[0]) == pytest.approx((2.86, 0.414))


def test_adam_by_hand():
    params, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    hyper = {"lr": 0.1, "betas": (0.5, 0.75), "eps": 0.0}
    reference.adam_update(params, np.array([4.0]), m, v, step=1, **hyper)
    # m = 2, v = 4; m / 0.5 = 4, v / 0.25 = 16; 1 - 0.1 * 4 / 4
    assert (m[0], v[0], params[0]) == pytest.approx((2.0, 4.0, 0.9))
    reference.adam_update(params, np.array([-2.0]), m, v, step=2, **hyper)
    # m = 0, v = 3 + 1 = 4: no move
    assert (m[0], v[0], params[0]) == pytest.approx((0.0, 4.0, 0.9))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3, 2)])
def test_any_shape_and_dtype(rule, dtype, shape, rng):
    hyper = ALL_SLOTS.get(rule, {})
    flat = rng.normal(size=(9, int(np.prod(shape)))).astype(dtype)
    start = np.asarray(rng.normal(size=shape), dtype=dtype)
    params, slots, _ = run(rule, flat.reshape(9, *shape), start, **hyper)
    assert {array.dtype for array in (params, *slots)} == {np.dtype(dtype)}
    for i in range(flat.shape[1]):  # an element does not know its neighbours
        alone, _, _ = run(rule, flat[:, i : i + 1], start.ravel()[i : i + 1], **hyper)
        np.testing.assert_allclose(params.ravel()[i], alone[0], rtol=2e-6)


@pytest.mark.parametrize("rule", RULES)
def test_updates_views_in_place(rule, rng):
    gradient = rng.normal(size=(3, 4))
    start = rng.normal(size=(3, 4))
    expected, _, _ = run(rule, [gradient], start)
    whole = np.zeros((6, 8))
    params = whole[::2, ::2]
    params[...] = start
    slots = init_slots(rule, start)
    assert update(rule, params, gradient[:, ::-1][:, ::-1], *slots, step=1) is None
    np.testing.assert_allclose(whole[::2, ::2], expected, rtol=1e-14)
    assert not whole[1::2].any()
    assert not whole[:, 1::2].any()


@pytest.mark.parametrize("rule", RULES)
def test_maximize_is_descent_on_the_negative(rule, rng):
    gradients, start = rng.normal(size=(8, 5)), rng.normal(size=5)
    up, _, _ = run(rule, gradients, start, maximize=True)
    down, _, _ = run(rule, -gradients, start)
    np.testing.assert_array_equal(up, down)


@pytest.mark.parametrize("rule", RULES)
def test_descends_a_parabola(rule):
    settings = {
        "adadelta": {"eps": 1e-2},
        "adagrad": {"lr": 0.5},
        "radam": {"lr": 0.05},
        "sgd": {"lr": 0.05},
    }
    hyper = settings.get(rule, {"lr": 0.02})
    params = np.array([1.0, -2.0])
    slots = init_slots(rule, params, **hyper)
    for step in range(1, 301):
        update(rule, params, 2.0 * params, *slots, step=step, **hyper)
    assert np.abs(params).max() < 0.05


def test_nadam_takes_the_product_it_would_compute(rng):
    gradients, start = rng.normal(size=(5, 3)), rng.normal(size=3)
    expected, _, _ = run("nadam", gradients, start)
    params, (m, v) = start.copy(), init_slots("nadam", start)
    product = 1.0
    for step, gradient in enumerate(gradients, start=1):
        product *= 0.9 * (1.0 - 0.5 * 0.96 ** (step * 4e-3))
        reference.nadam_update(params, gradient, m, v, step=step, mu_product=product)
    np.testing.assert_allclose(params, expected, rtol=1e-14)


def test_slots_stand_in_the_order_of_the_signature():
    for rule, names in SLOTS.items():
        signature = inspect.signature(getattr(reference, f"{rule}_update"))
        assert tuple(signature.parameters)[: len(names) + 3] == (
            "params",
            "grads",
            *names,
            "step",
        )


def test_init_slots():
    params = np.ones(2, np.float32)
    assert init_slots("sgd", params) == (None,)
    assert init_slots("rmsprop", params, centered=True)[1] is None
    for slot, value in (
        (init_slots("sgd", params, momentum=0.9)[0], 0.0),
        (init_slots("rprop", params)[1], 1e-2),
        (init_slots("rprop", params, lr=0.5)[1], 0.5),
        (init_slots("adagrad", params, initial_accumulator_value=0.1)[0], 0.1),
        (init_slots("adam", params, amsgrad=True)[2], 0.0),
    ):
        np.testing.assert_array_equal(slot, np.full(2, value, np.float32))
        assert slot.dtype == np.float32
    with pytest.raises(ValueError, match="did you mean 'nadam'"):
        init_slots("nadamm", params)


ONE = np.ones(2)


@pytest.mark.parametrize(
    ("rule", "hyper", "message"),
    [
        ("sgd", {"lr": -1.0}, "lr must be at least 0"),
        ("sgd", {"lr": np.nan}, "lr must be at least 0"),
        ("sgd", {"nesterov": True}, "nesterov needs momentum"),
        ("sgd", {"momentum": 0.9, "dampening": 0.1, "nesterov": True}, "dampening=0.1"),
        ("adagrad", {"eps": -1.0}, "eps must be"),
        ("rmsprop", {"alpha": 1.5}, "alpha must be"),
        ("adadelta", {"rho": -0.1}, "rho must be"),
        ("adam", {"betas": (1.0, 0.9)}, r"betas\[0\] must be in \[0, 1\)"),
        ("adamw", {"weight_decay": -1.0}, "weight_decay must be"),
        ("adamax", {"betas": (0.9, -0.1)}, r"betas\[1\] must be"),
        ("nadam", {"momentum_decay": -1.0}, "momentum_decay must be"),
        ("radam", {"lr": np.inf}, "lr must be"),
        ("rprop", {"etas": (1.5, 1.2)}, r"etas\[0\] must be"),
        ("rprop", {"etas": (0.5, 0.9)}, r"etas\[1\] must be"),
        ("asgd", {"lambd": -1.0}, "lambd must be"),
        ("lion", {"betas": (0.9, 1.0)}, r"betas\[1\] must be"),
        ("adam", {"step": 0}, "steps count from 1"),
    ],
)
def test_errors_name_the_setting_and_change_nothing(rule, hyper, message):
    params = ONE.copy()
    slots = [ONE.copy() for _ in SLOTS[rule]]
    with pytest.raises(ValueError, match=message):
        update(rule, params, ONE, *slots, **{"step": 1, **hyper})
    for array in (params, *slots):
        np.testing.assert_array_equal(array, ONE)


@pytest.mark.parametrize("rule", RULES)
def test_a_missing_slot_is_named(rule):
    name = SLOTS[rule][-1]
    slots = [ONE.copy() for _ in SLOTS[rule][:-1]]
    params = ONE.copy()
    with pytest.raises(ValueError, match=f"slot {name} is None"):
        update(rule, params, ONE, *slots, step=1, **ALL_SLOTS.get(rule, {}))
    for array in (params, *slots):  # nothing has begun
        np.testing.assert_array_equal(array, ONE)


@pytest.mark.parametrize("rule", RULES)
def test_arrays_must_agree(rule):
    hyper = ALL_SLOTS.get(rule, {})
    slots = init_slots(rule, ONE, **hyper)
    with pytest.raises(ValueError, match="grads has shape"):
        update(rule, ONE.copy(), np.ones(3), *slots, step=1, **hyper)
    with pytest.raises(TypeError, match="grads is float32 but params is float64"):
        update(rule, ONE.copy(), np.ones(2, np.float32), *slots, step=1, **hyper)
    with pytest.raises(ValueError, match=f"{SLOTS[rule][0]} has shape"):
        update(rule, ONE.copy(), ONE, np.ones(3), *slots[1:], step=1, **hyper)
