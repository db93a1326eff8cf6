"""The model on paper: its plan is all of a step, and its fit finds what was put in."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from inference_vs_peers import check_agreement
from scaling_cases import CALIBRATION, SWEEPS, Net
from step_model import KINDS, Machine, Model, fit, longest_thread
from step_plan import plan, slice_height, tile_height

NET = Net((64, 128, 32, 16), 96)
SIZES = tuple(1 << power for power in range(15, 30))
MACHINE = Machine(
    peak=1e11,
    update=5e-10,
    stage=2e-7,
    stream={size: 1e11 if size <= 1 << 20 else 3e10 for size in SIZES},
    exchange={size: 3e10 if size <= 1 << 22 else 1.5e10 for size in SIZES},
)


def total(net, kind, threads=1):
    tiles = (tile for stage in plan(net, threads).stages for tile in stage)
    return sum(tile.work.get(kind, 0.0) for tile in tiles)


def test_plan_holds_all_products_and_parameters():
    assert total(NET, "product") == NET.flops
    assert total(NET, "update") == NET.parameters


def test_plan_pads_columns_to_registers():
    forward = Net((64, 128, 32, 10), 96)
    assert total(forward, "product") == NET.flops - 2 * 6 * 32 * 96 * 2


@pytest.mark.parametrize("batch", [1, 16, 17, 100, 128, 129, 1000, 4096])
def test_tiles_cover_the_batch(batch):
    net = Net((8, 8, 4), batch)
    rows = [tile.work["rows"] for tile in plan(net, 2).stages[0]]
    assert sum(rows) == batch
    assert max(rows) <= tile_height(batch)


@pytest.mark.parametrize(("units", "inputs"), [(10, 64), (128, 64), (2048, 2048)])
def test_slices_cover_the_units(units, inputs):
    slices = plan(Net((inputs, units), 4), 1).stages[1]
    heights = [tile.work["update"] / (inputs + 1) for tile in slices]
    assert sum(heights) == units
    assert max(heights) == slice_height(units, inputs)


def test_longest_thread_takes_tiles_as_threads_become_free():
    assert longest_thread([3.0, 1.0, 1.0, 1.0], 2) == 3.0
    assert longest_thread([1.0, 1.0, 1.0, 3.0], 2) == 4.0
    assert longest_thread([1.0, 2.0], 8) == 2.0


def test_fit_finds_the_constants_of_made_up_times():
    constants = dict.fromkeys(KINDS, 0.0) | {
        "product": 1.5,
        "update": 1.25,
        "gather": 2.0,
        "weights": 0.5,
        "rows": 40.0,
        "call": 30.0,
    }
    truth = Model(MACHINE, constants, foreign=2.5)
    nets = (*CALIBRATION, *SWEEPS["batch"])
    times = {net: {n: truth.predict(net, n).seconds for n in (1, 2)} for net in nets}
    found = fit(MACHINE, times)
    assert found.foreign == pytest.approx(2.5, rel=0.05)
    for net in SWEEPS["width"]:
        for n in (1, 2, 16):
            expected = truth.predict(net, n).seconds
            assert found.predict(net, n).seconds == pytest.approx(expected, rel=0.03)


def test_more_threads_never_share_what_is_sequential():
    constants = dict.fromkeys(KINDS, 1.0) | {"step": 1e6}  # a millisecond
    step = Model(MACHINE, constants).predict(Net((256, 256, 256, 10), 8192), 64)
    assert step.threads == 64
    assert step.sequential == pytest.approx(1e-3)
    assert step.seconds > step.sequential + step.waiting


def test_a_socket_limits_what_many_cores_stream():
    part = 64 << 20
    assert MACHINE.shared_stream(part, 2) == 3e10
    bound = replace(MACHINE, socket=2e11)
    assert bound.shared_stream(part, 64) == 2e11 / 64
    assert bound.shared_stream(64 << 10, 64) == 1e11


def test_outputs_that_differ_are_noticed():
    same = {"a": [[1.0, 2.0]], "b": [[1.0, 2.0]], "c": [[1.0, 2.00001]]}
    check_agreement(same)
    with pytest.raises(AssertionError, match="c: outputs"):
        check_agreement({**same, "c": [[1.0, 2.001]]})
    with pytest.raises(AssertionError, match="c: outputs"):
        check_agreement({**same, "c": [[1.0, math.nan]]})
