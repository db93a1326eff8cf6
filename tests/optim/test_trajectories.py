"""Optimizers against torch.optim: 100 steps, float64, from a file and live."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn

GOLDENS = Path(__file__).parents[1] / "goldens"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, GOLDENS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recorder = _load("record_optimizers")
RECORDED = json.loads(recorder.FILE.read_text())
SOURCES = ["recorded"]
if importlib.util.find_spec("torch"):  # the same cases, by torch itself
    SOURCES.append("live")


def _optimizer(case):
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in case["settings"].items()
    }
    return getattr(fnn, case["optimizer"])(**settings)


def _trajectory(opt, dtype=np.float64):
    """Params at the recorded steps and the final slots, as the recorder has them."""
    params, grads = (a.astype(dtype) for a in recorder.problem())
    state = opt.init(params)
    recorded = {}
    for step, g in enumerate(grads, start=1):
        opt.update(params, g, state, lr=recorder.rate_at(step, opt.lr))
        if step in recorder.RECORDED:
            recorded[str(step)] = params.copy()
    return recorded, state.slots


def _name(case):
    settings = ",".join(f"{k}={v}" for k, v in case["settings"].items())
    return f"{case['optimizer']}({settings})"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("case", RECORDED, ids=_name)
def test_trajectory_is_torchs(case, source):
    wanted = case
    if source == "live":
        wanted = recorder.torch_trajectory(case["optimizer"], case["settings"])
    params, slots = _trajectory(_optimizer(case))
    for step, values in wanted["params"].items():
        np.testing.assert_allclose(params[step], values, rtol=1e-9, atol=1e-14)
    for name in slots:
        # Slots that decayed towards 0 hold only rounding of what they once were.
        np.testing.assert_allclose(
            slots[name], wanted["slots"][name], rtol=1e-9, atol=1e-12, err_msg=name
        )


def test_slots_have_torchs_names_and_no_others():
    for case in RECORDED:
        opt = _optimizer(case)
        assert set(opt.init(np.zeros(1)).slots) == set(case["slots"]), _name(case)


def test_recorded_table_is_the_recorders():
    told = [(case["optimizer"], case["settings"]) for case in RECORDED]
    table = [(n, s) for n, settings in recorder.CASES.items() for s in settings]
    assert told == table
    assert {name for name, _ in told} == {
        cls.__name__ for cls in fnn.optim.RULES.values() if cls is not fnn.Lion
    }


@pytest.mark.parametrize("case", RECORDED, ids=_name)
def test_float32_follows_float64(case):
    # Rounding errors of 100 steps; quotients with a small divisor enlarge them.
    params, _ = _trajectory(_optimizer(case))
    single, slots = _trajectory(_optimizer(case), np.float32)
    assert single["100"].dtype == np.float32
    assert all(slot.dtype == np.float32 for slot in slots.values())
    np.testing.assert_allclose(single["100"], params["100"], rtol=2e-4, atol=2e-5)


def test_a_wrong_formula_would_show():
    """The comparison can fail: eps inside the root, as Keras has it, misses 1e-9."""
    case = next(c for c in RECORDED if c["optimizer"] == "Adadelta")
    params, _ = _trajectory(fnn.Adadelta(eps=1.001e-6))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            params["100"], case["params"]["100"], rtol=1e-9, atol=1e-14
        )
