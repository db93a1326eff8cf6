"""Every wrong argument is one error that names it, and nothing changes."""

import copy
import dataclasses
import inspect

import numpy as np
import pytest

import fastnn as fnn
from fastnn import kernels, reference
from fastnn.optim import RULES

# (class, settings, exception, words of the message)
SETTINGS = [
    (fnn.SGD, {"lr": -0.1}, ValueError, ["SGD", "lr", ">= 0", "-0.1"]),
    (fnn.SGD, {"lr": float("nan")}, ValueError, ["lr", "finite", "nan"]),
    (fnn.SGD, {"lr": float("inf")}, ValueError, ["lr", "finite", "inf"]),
    (fnn.SGD, {"lr": "0.1"}, TypeError, ["SGD", "lr", "a number", "str"]),
    (fnn.SGD, {"lr": True}, TypeError, ["lr", "a number", "bool"]),
    (fnn.SGD, {"lr": None}, TypeError, ["lr", "a number", "None"]),
    (fnn.SGD, {"momentum": -1}, ValueError, ["momentum", ">= 0", "-1"]),
    (fnn.SGD, {"dampening": float("nan")}, ValueError, ["dampening", "finite"]),
    (fnn.SGD, {"weight_decay": -1}, ValueError, ["weight_decay", ">= 0"]),
    (fnn.SGD, {"nesterov": True}, ValueError, ["momentum", "nesterov"]),
    (
        fnn.SGD,
        {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
        ValueError,
        ["dampening", "nesterov", "0.1"],
    ),
    (fnn.SGD, {"nesterov": 1}, TypeError, ["nesterov", "True or False", "1"]),
    (fnn.Adagrad, {"lr_decay": -1}, ValueError, ["lr_decay"]),
    (
        fnn.Adagrad,
        {"initial_accumulator_value": -1},
        ValueError,
        ["initial_accumulator_value"],
    ),
    (fnn.Adagrad, {"eps": -1e-3}, ValueError, ["eps", "-0.001"]),
    (fnn.RMSprop, {"alpha": 1.5}, ValueError, ["alpha", "[0, 1]", "1.5"]),
    (fnn.RMSprop, {"momentum": -0.5}, ValueError, ["momentum"]),
    (fnn.Adadelta, {"rho": -0.1}, ValueError, ["rho", "[0, 1]", "-0.1"]),
    (fnn.Adam, {"betas": (1.0, 0.9)}, ValueError, ["betas[0]", "[0, 1)", "got 1"]),
    (fnn.Adam, {"betas": (0.9, -0.1)}, ValueError, ["betas[1]", "[0, 1)", "-0.1"]),
    (fnn.Adam, {"betas": 0.9}, TypeError, ["betas", "tuple of 2", "0.9"]),
    (fnn.Adam, {"betas": (0.9,)}, TypeError, ["betas", "tuple of 2"]),
    (fnn.Adam, {"betas": (0.9, "b")}, TypeError, ["betas[1]", "number", "'b'"]),
    (fnn.Adam, {"eps": -1}, ValueError, ["eps"]),
    (fnn.AdamW, {"weight_decay": -1}, ValueError, ["AdamW", "weight_decay"]),
    (fnn.Adamax, {"betas": (0.9, 1.0)}, ValueError, ["betas[1]"]),
    (fnn.NAdam, {"momentum_decay": -1}, ValueError, ["momentum_decay"]),
    (fnn.RAdam, {"betas": (-1.0, 0.9)}, ValueError, ["betas[0]"]),
    (fnn.Rprop, {"etas": (0.0, 1.2)}, ValueError, ["etas[0]", "(0, 1)"]),
    (fnn.Rprop, {"etas": (0.5, 1.0)}, ValueError, ["etas[1]", "> 1"]),
    (fnn.Rprop, {"step_sizes": (-1.0, 1.0)}, ValueError, ["step_sizes[0]"]),
    (fnn.Rprop, {"step_sizes": (2.0, 1.0)}, ValueError, ["step_sizes[1]"]),
    (fnn.ASGD, {"t0": -1}, ValueError, ["t0"]),
    (fnn.ASGD, {"lambd": -1}, ValueError, ["lambd"]),
    (fnn.Lion, {"betas": (0.9, 2.0)}, ValueError, ["betas[1]", "2"]),
]


def _says(error, words):
    return [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(("optimizer", "settings", "exception", "words"), SETTINGS)
def test_setting(optimizer, settings, exception, words):
    with pytest.raises(exception) as error:
        optimizer(**settings)
    assert _says(error, words), error.value


def test_unknown_setting():
    with pytest.raises(TypeError, match="foreach"):
        fnn.Adam(foreach=True)


@pytest.mark.parametrize("optimizer", RULES.values())
def test_maximize_is_by_keyword_only(optimizer):
    positional = [f for f in dataclasses.fields(optimizer) if not f.kw_only]
    assert "maximize" not in [f.name for f in positional]
    assert positional[0].name == "lr"


F = np.float32


def _frozen(a):
    a.flags.writeable = False
    return a


def _state(**slots):
    return fnn.OptimizerState("adam", 0, slots)


def _good_state():
    return _state(exp_avg=np.zeros(3, F), exp_avg_sq=np.zeros(3, F))


_shared = np.zeros(6, F)

# (params, grads, state, lr, exception, words of the message)
UPDATES = {
    "list": ([1.0], np.ones(3, F), None, None, TypeError, ["params", "list"]),
    "integers": (np.ones(3, int), np.ones(3), None, None, TypeError, ["int64"]),
    "float16": (np.ones(3, "f2"), np.ones(3, "f2"), None, None, TypeError, ["float16"]),
    "big-endian": (np.ones(3, ">f4"), np.ones(3, F), None, None, TypeError, [">f4"]),
    "masked": (
        np.ma.masked_array(np.ones(3, F)),
        np.ones(3, F),
        None,
        None,
        TypeError,
        ["params", "plain", "MaskedArray"],
    ),
    "grads list": (np.ones(3, F), [1.0] * 3, None, None, TypeError, ["grads", "list"]),
    "grads dtype": (
        np.ones(3, F),
        np.ones(3),
        None,
        None,
        TypeError,
        ["grads", "float32", "float64"],
    ),
    "grads shape": (
        np.ones(3, F),
        np.ones(4, F),
        None,
        None,
        ValueError,
        ["grads", "(3,)", "(4,)"],
    ),
    "grads that would broadcast": (
        np.ones(3, F),
        np.ones((1, 3), F),
        None,
        None,
        ValueError,
        ["grads", "(1, 3)"],
    ),
    "read-only": (
        _frozen(np.ones(3, F)),
        np.ones(3, F),
        None,
        None,
        ValueError,
        ["params", "read-only", "copy"],
    ),
    "broadcast": (
        np.lib.stride_tricks.as_strided(np.ones(1, F), (3,), (0,)),
        np.ones(3, F),
        None,
        None,
        ValueError,
        ["params", "broadcast"],
    ),
    "no state": (np.ones(3, F), np.ones(3, F), {}, None, TypeError, ["state", "dict"]),
    "other rule": (
        np.ones(3, F),
        np.ones(3, F),
        fnn.SGD(momentum=0.9).init(np.ones(3, F)),
        None,
        ValueError,
        ["state", "'sgd'", "'adam'"],
    ),
    "missing slot": (
        np.ones(3, F),
        np.ones(3, F),
        _state(exp_avg=np.zeros(3, F)),
        None,
        ValueError,
        ["exp_avg_sq", "need this slot", "['exp_avg']"],
    ),
    "slot shape": (
        np.ones(3, F),
        np.ones(3, F),
        _state(exp_avg=np.zeros(3, F), exp_avg_sq=np.zeros(5, F)),
        None,
        ValueError,
        ["exp_avg_sq", "(3,)", "(5,)"],
    ),
    "slot dtype": (
        np.ones(3, F),
        np.ones(3, F),
        fnn.Adam().init(np.ones(3)),
        None,
        TypeError,
        ["exp_avg", "float32", "float64"],
    ),
    "slot read-only": (
        np.ones(3, F),
        np.ones(3, F),
        _state(exp_avg=np.zeros(3, F), exp_avg_sq=_frozen(np.zeros(3, F))),
        None,
        ValueError,
        ["exp_avg_sq", "read-only"],
    ),
    "one array for two slots": (
        np.ones(3, F),
        np.ones(3, F),
        _state(exp_avg=_shared[:3], exp_avg_sq=_shared[2:5]),
        None,
        ValueError,
        ["exp_avg_sq", "shares memory", "exp_avg"],
    ),
    "params as a slot": (
        _shared[:3],
        np.ones(3, F),
        _state(exp_avg=_shared[:3], exp_avg_sq=np.zeros(3, F)),
        None,
        ValueError,
        ["exp_avg", "shares memory", "params"],
    ),
    "lr negative": (np.ones(3, F), np.ones(3, F), None, -1, ValueError, ["lr", "-1"]),
    "lr nan": (np.ones(3, F), np.ones(3, F), None, np.nan, ValueError, ["lr", "nan"]),
    "lr string": (np.ones(3, F), np.ones(3, F), None, "1", TypeError, ["lr", "'1'"]),
    "lr bool": (np.ones(3, F), np.ones(3, F), None, True, TypeError, ["lr", "bool"]),
}


@pytest.mark.parametrize("case", UPDATES)
def test_update(case):
    params, grads, state, lr, exception, words = UPDATES[case]
    if state is None:
        state = _good_state()
    before = copy.deepcopy((params, state))
    with pytest.raises(exception) as error:
        fnn.Adam().update(params, grads, state, lr=lr)
    assert _says(error, words), error.value
    np.testing.assert_array_equal(params, before[0])
    if isinstance(state, fnn.OptimizerState):
        assert state.step == 0
        for name, slot in before[1].slots.items():
            np.testing.assert_array_equal(state.slots[name], slot)


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ([1.0], "list"),
        (np.ones(3, int), "int64"),
        (np.ones(3, ">f8"), "f8"),
        (np.ma.masked_array(np.ones(3)), "MaskedArray"),
    ],
)
def test_init(params, word):
    with pytest.raises(TypeError, match="params") as error:
        fnn.Adam().init(params)
    assert word in str(error.value)


def test_amsgrad_needs_a_state_made_for_it():
    w = np.ones(3)
    state = fnn.Adam().init(w)
    with pytest.raises(ValueError, match=r"max_exp_avg_sq.*other settings"):
        fnn.Adam(amsgrad=True).update(w, np.ones(3), state)


@pytest.mark.parametrize("rule", RULES)
def test_kernel_and_specification_have_one_signature(rule):
    def names(module):
        function = getattr(module, f"{rule}_update")
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert names(kernels) == names(reference)


@pytest.mark.parametrize("rule", RULES)
def test_kernel_has_the_defaults_of_the_optimizer(rule):
    parameters = inspect.signature(getattr(kernels, f"{rule}_update")).parameters
    for field in dataclasses.fields(RULES[rule]):
        assert parameters[field.name].default == field.default, field.name
    listed = tuple(parameters)[2 : 2 + len(RULES[rule].slot_names)]
    assert listed == RULES[rule].slot_names


KERNELS = {
    "step 0": ({"step": 0}, ValueError, ["step", ">= 1", "0"]),
    "setting": ({"step": 1, "eps": -1.0}, ValueError, ["Adam", "eps", "-1"]),
    "setting of a type": ({"step": 1, "amsgrad": 1}, TypeError, ["amsgrad", "1"]),
    "slot": ({"step": 1, "amsgrad": True}, ValueError, ["max_exp_avg_sq"]),
    "lr": ({"step": 1, "lr": -1.0}, ValueError, ["lr", "-1"]),
}


@pytest.mark.parametrize("case", KERNELS)
def test_kernel(case):
    settings, exception, words = KERNELS[case]
    w = np.ones(3)
    with pytest.raises(exception) as error:
        kernels.adam_update(w, w, np.zeros(3), np.zeros(3), **settings)
    assert _says(error, words), error.value
    np.testing.assert_array_equal(w, np.ones(3))


def test_kernel_takes_a_list_for_a_pair():
    w, v = np.ones(3), np.ones(3)
    kernels.lion_update(w, np.ones(3), np.zeros(3), step=1, betas=[0.5, 0.6])
    kernels.lion_update(v, np.ones(3), np.zeros(3), step=1, betas=(0.5, 0.6))
    np.testing.assert_array_equal(w, v)


def test_init_slots_suggests_the_nearest_rule():
    with pytest.raises(ValueError, match=r"adm.*did you mean 'adam'"):
        kernels.init_slots("adm", np.ones(3))
