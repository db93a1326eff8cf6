"""Whole training runs against PyTorch: 50 steps, float64, from a file and live."""

import importlib.util
import json

import numpy as np
import pytest

from engine import record_trajectories, trajectories

RECORDED = {
    run["case"]: run for run in json.loads(record_trajectories.FILE.read_text())
}
SOURCES = ["recorded"]
if importlib.util.find_spec("torch"):  # the same runs, by torch itself
    SOURCES.append("live")


def _assert_same(net, history, wanted, rtol=1e-8):
    np.testing.assert_allclose(history.history["loss"], wanted["loss"], rtol=rtol)
    state = net.state_dict()
    assert set(state) == set(wanted["state"])
    for name, values in wanted["state"].items():
        # relative to the tensor: single numbers may come near to 0
        scale = np.abs(values).max()
        np.testing.assert_allclose(
            state[name], values, rtol=0, atol=rtol * scale, err_msg=name
        )


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("case", trajectories.CASES)
def test_run_is_torchs(case, source):
    wanted = RECORDED[case]
    if source == "live":
        wanted = record_trajectories.torch_run(case)
    _assert_same(*trajectories.fit(case), wanted)


def test_the_file_holds_the_table():
    assert list(RECORDED) == list(trajectories.CASES)
    assert record_trajectories.FILE.stat().st_size < 150_000
    for run in RECORDED.values():
        assert len(run["loss"]) == trajectories.EPOCHS


@pytest.mark.parametrize("case", trajectories.CASES)
def test_float32_follows(case):
    net, history = trajectories.fit(case, dtype="float32")
    assert net.parameters.dtype == np.float32
    _assert_same(net, history, RECORDED[case], rtol=2e-4)


@pytest.mark.parametrize(
    "wrong", [{"max_norm": 5.0, "l2": 1e-5}, {"clip_norm": 0.5}], ids=str
)
def test_a_wrong_run_would_show(wrong):
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        _assert_same(*trajectories.fit("mse", **wrong), RECORDED["mse"])
