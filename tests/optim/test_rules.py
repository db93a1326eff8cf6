"""What holds for every update rule: one table of rules, walked by every test."""

import copy
import pickle

import numpy as np
import pytest

import fastnn as fnn
from fastnn import kernels, reference
from fastnn.optim import RULES as REGISTRY

SIZES = (0, 1, 2, 3, 7, 16, 17, 31, 33, 64, 65, 127, 513)
DTYPES = (np.float32, np.float64)

# (name, settings): every set of slots and every element function at least once
RULES = [
    ("sgd", {"weight_decay": 0.1}),
    ("sgd", {"momentum": 0.9, "dampening": 0.3, "maximize": True}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
    ("adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    ("rmsprop", {}),
    ("rmsprop", {"momentum": 0.9}),
    ("rmsprop", {"centered": True}),
    ("rmsprop", {"momentum": 0.9, "centered": True}),
    ("adadelta", {"lr": 30.0}),
    ("adam", {"weight_decay": 0.1}),
    ("adam", {"amsgrad": True}),
    ("adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("adamw", {}),
    ("adamax", {}),
    ("nadam", {}),
    ("radam", {}),
    ("rprop", {}),
    ("asgd", {"t0": 3.0, "lambd": 0.1}),
    ("lion", {"weight_decay": 0.1}),
]


def _name(value):
    return None if isinstance(value, str) else ",".join(value) or "default"


every_rule = pytest.mark.parametrize(("rule", "settings"), RULES, ids=_name)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def _numbers(size, dtype, seed):
    return np.random.RandomState(seed).standard_normal(size).astype(dtype)


def _run(opt, params, steps=9):
    """Some steps on seeded gradients, in place; the state afterwards."""
    state = opt.init(params)
    for step in range(steps):
        opt.update(params, _numbers(params.shape, params.dtype, step), state)
    return state


def test_table_names_every_rule():
    assert {rule for rule, _ in RULES} == set(REGISTRY)


@every_rule
@every_dtype
def test_agrees_with_the_specification(rule, settings, dtype):
    tolerance = {"rtol": 1e-12, "atol": 1e-13}
    if dtype == np.float32:
        tolerance = {"rtol": 3e-5, "atol": 1e-5}
    for size in SIZES:
        w, spec_w = _numbers(size, dtype, 99), _numbers(size, dtype, 99)
        slots = kernels.init_slots(rule, w, **settings)
        spec_slots = reference.init_slots(rule, spec_w, **settings)
        for step in range(1, 10):
            g = _numbers(size, dtype, step)
            getattr(kernels, f"{rule}_update")(w, g, *slots, step=step, **settings)
            getattr(reference, f"{rule}_update")(
                spec_w, g, *spec_slots, step=step, **settings
            )
        for got, wanted in zip((w, *slots), (spec_w, *spec_slots), strict=True):
            assert (got is None) == (wanted is None)
            if got is not None:
                assert got.dtype == dtype
                np.testing.assert_allclose(got, wanted, **tolerance)


@every_rule
@every_dtype
def test_parts_have_the_bits_of_the_whole(rule, settings, dtype):
    opt = REGISTRY[rule](**settings)
    whole = _numbers(513, dtype, 99)
    _run(opt, whole)
    for cut in (1, 5, 16, 200, 511):
        parts = _numbers(513, dtype, 99)
        head, tail = opt.init(parts[:cut]), opt.init(parts[cut:])
        for step in range(9):
            g = _numbers(513, dtype, step)
            opt.update(parts[:cut], g[:cut], head)
            opt.update(parts[cut:], g[cut:], tail)
        np.testing.assert_array_equal(parts, whole)


@every_rule
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (5,), (3, 4), (2, 3, 4)])
def test_any_shape(rule, settings, shape):
    opt = REGISTRY[rule](**settings)
    params = _numbers(int(np.prod(shape)), np.float64, 99).reshape(shape)
    grads = [_numbers(params.size, np.float64, step).reshape(shape) for step in (1, 2)]
    flat, flat_grads = params.ravel().copy(), [g.ravel().copy() for g in grads]
    state, flat_state = opt.init(params), opt.init(flat)
    for g, flat_g in zip(grads, flat_grads, strict=True):
        opt.update(params, g, state)
        opt.update(flat, flat_g, flat_state)
    np.testing.assert_array_equal(params.ravel(), flat)
    assert state.step == 2
    assert all(slot.shape == shape for slot in state.slots.values())


def _unaligned(a):
    bytes_ = np.zeros(a.nbytes + 1, np.uint8)
    view = bytes_[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


LAYOUTS = {
    "fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "swapped": lambda a: np.ascontiguousarray(a.swapaxes(0, 1)).swapaxes(0, 1),
    "unaligned": _unaligned,
}


@every_rule
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_has_the_bits_of_a_plain_copy(rule, settings, layout):
    opt = REGISTRY[rule](**settings)
    plain = _numbers((4, 6), np.float32, 99)
    laid_out = LAYOUTS[layout](plain)
    for arrange_grads in (np.ascontiguousarray, LAYOUTS[layout]):
        w, v = plain.copy(), laid_out.copy(order="K")
        v = LAYOUTS[layout](v)
        w_state, v_state = opt.init(w), opt.init(v)
        for step in range(3):
            g = _numbers((4, 6), np.float32, step)
            opt.update(w, g, w_state)
            opt.update(v, arrange_grads(g), v_state)
        np.testing.assert_array_equal(v, w)
        for name, slot in w_state.slots.items():
            np.testing.assert_array_equal(v_state.slots[name], slot)


@every_rule
def test_gradients_are_left_alone_and_may_be_read_only(rule, settings):
    opt = REGISTRY[rule](**settings)
    params, g = _numbers(20, np.float64, 1), _numbers(20, np.float64, 2)
    before = g.copy()
    g.flags.writeable = False
    opt.update(params, g, opt.init(params))
    np.testing.assert_array_equal(g, before)


@every_rule
def test_gradients_may_be_the_parameters_or_overlap_them(rule, settings):
    opt = REGISTRY[rule](**settings)
    for offset in (0, 1, 3):
        both = _numbers(100, np.float64, 1)
        params, grads = both[: 100 - offset], both[offset:]
        apart, apart_grads = params.copy(), grads.copy()
        opt.update(params, grads, opt.init(params))
        opt.update(apart, apart_grads, opt.init(apart))
        np.testing.assert_array_equal(params, apart)


@every_rule
def test_nan_in_the_gradient_reaches_the_parameter_and_no_other(rule, settings):
    opt = REGISTRY[rule](**settings)
    params = np.ones(40, np.float32)
    g = np.ones(40, np.float32)
    g[17] = np.nan
    opt.update(params, g, opt.init(params))
    assert np.flatnonzero(np.isnan(params)).tolist() == [17]


@every_rule
def test_state_resumes_with_the_same_bits(rule, settings):
    opt = REGISTRY[rule](**settings)
    params = _numbers(33, np.float32, 99)
    state = _run(opt, params, steps=7)
    for again in (
        pickle.loads(pickle.dumps((opt, params, state))),  # noqa: S301
        copy.deepcopy((opt, params, state)),
        (REGISTRY[rule](**settings), params.copy(), state.copy()),
    ):
        opt2, params2, state2 = again
        assert opt2 == opt
        expected, expected_state = params.copy(), state.copy()
        # The optimizer of the first run has meanwhile been at another step.
        opt.update(np.ones(1), np.ones(1), opt.init(np.ones(1)))
        for step in range(3):
            g = _numbers(33, np.float32, 50 + step)
            opt.update(expected, g, expected_state)
            opt2.update(params2, g, state2)
        np.testing.assert_array_equal(params2, expected)
        assert state2.step == expected_state.step == 10


@every_rule
def test_repeats_bit_for_bit(rule, settings):
    first, second = _numbers(65, np.float32, 1), _numbers(65, np.float32, 1)
    _run(REGISTRY[rule](**settings), first)
    _run(REGISTRY[rule](**settings), second)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("rule", sorted(set(REGISTRY) - {"rprop"}))
def test_lr_of_a_step_overrides_the_optimizers(rule):
    own, given = np.ones(5), np.ones(5)
    REGISTRY[rule](lr=0.25).update(own, np.ones(5), REGISTRY[rule]().init(own))
    opt = REGISTRY[rule](lr=0.5)
    opt.update(given, np.ones(5), opt.init(given), lr=0.25)
    np.testing.assert_array_equal(own, given)
    assert not np.array_equal(own, np.ones(5))


@pytest.mark.parametrize("rule", sorted(REGISTRY))
def test_minimizes_a_bowl(rule):
    lr = {"adadelta": 50.0, "adagrad": 0.3, "sgd": 0.05, "asgd": 0.05}.get(rule, 0.02)
    opt = REGISTRY[rule](lr=lr)
    scale = np.array([1.0, 3.0, 10.0])
    w = np.array([1.0, -1.0, 0.5])
    state = opt.init(w)
    for step in range(600):
        opt.update(w, scale * w, state, lr=lr * (1 - step / 600))
    assert np.sum(scale * w**2) < 1e-2


def test_nadam_takes_the_product_of_its_momenta():
    w, v = np.ones(3), np.ones(3)
    slots = [kernels.init_slots("nadam", w) for _ in range(2)]
    product = 1.0
    for step in range(1, 6):
        product *= 0.9 * (1 - 0.5 * 0.96 ** (step * 4e-3))
        g = _numbers(3, np.float64, step)
        kernels.nadam_update(w, g, *slots[0], step=step)
        kernels.nadam_update(v, g, *slots[1], step=step, mu_product=product)
    np.testing.assert_array_equal(w, v)


def test_nadam_does_not_go_on_from_another_callers_product():
    """Equal settings share one rule: its bits must not tell who came before."""
    g = np.linspace(-1, 1, 9)
    steps = []
    for stranger in ({}, {"mu_product": 0.123}):
        other = kernels.init_slots("nadam", g)
        kernels.nadam_update(np.zeros(9), g, *other, step=5, **stranger)
        w = np.zeros(9)
        kernels.nadam_update(w, g, *kernels.init_slots("nadam", g), step=6)
        steps.append(w)
    np.testing.assert_array_equal(*steps)


def test_nadam_at_a_late_step_is_quick_and_finite():
    w = np.ones(3)
    m, v = kernels.init_slots("nadam", w)
    kernels.nadam_update(w, np.ones(3), m, v, step=10**15)
    assert np.isfinite(w).all()


def test_rprop_sees_signs_whose_product_underflows():
    w = np.zeros(2, np.float32)
    opt = fnn.Rprop(0.5)
    state = opt.init(w)
    tiny = np.array([1e-30, -1e-30], np.float32)
    opt.update(w, tiny, state)
    opt.update(w, tiny, state)
    np.testing.assert_allclose(state.slots["step_size"], [0.6, 0.6], rtol=1e-6)


def test_centered_rmsprop_keeps_a_constant_gradient_finite():
    w = np.ones(64, np.float32)
    opt = fnn.RMSprop(centered=True, alpha=0.5)
    state = opt.init(w)
    for _ in range(200):  # the variance of a constant is rounding error
        opt.update(w, np.full(64, 0.1, np.float32), state)
    assert np.isfinite(w).all()


def test_decaying_means_do_not_become_denormal():
    w = np.ones(8, np.float32)
    opt = fnn.Adam()
    state = opt.init(w)
    opt.update(w, np.ones(8, np.float32), state)
    for _ in range(1000):
        opt.update(w, np.zeros(8, np.float32), state)
    assert (state.slots["exp_avg"] == 0).all()
    tiny = np.finfo(np.float32).smallest_subnormal
    assert np.float32(tiny) * np.float32(1) > 0  # the caller's mode is as it was
