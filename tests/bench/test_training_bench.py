"""What the training benchmark's figures rest on: FLOPs, agreement, merged results."""

from dataclasses import replace

import numpy as np
import pytest
import time_to_accuracy
import training_report
from peers.case import Case
from peers.datasets import Split
from peers.fastnn_ import Fastnn
from peers.numpy_reference import NumpyReference
from peers.race import check_agreement, take_turns
from training_cases import CASES, contenders_of

CASE = Case("networks", "4-5-3", (4, 5, 3), batch=8, rows=32)


def entry(case, threads, ours=1.0, **others):
    return {
        "case": case.to_json(),
        "threads": threads,
        "seconds": {
            key: {"median": seconds, "low": seconds, "high": seconds}
            for key, seconds in {"fastnn": ours, **others}.items()
        },
        "flops": case.flops,
        "fma_peak": 1e4,
        "bandwidth": 1e9,
    }


def test_flops_of_a_step_counted_by_hand():
    # 8 rows: forward 2(4*5 + 5*3) each, as much to the weights, 2(5*3) to the inputs
    assert CASE.flops == 8 * (70 + 70 + 30)


@pytest.mark.parametrize("batchnorm", [False, True])
def test_parameters_are_the_networks_own(batchnorm):
    case = replace(CASE, batchnorm=batchnorm)
    assert Fastnn(case, case.load(), 1).net.n_parameters == case.parameters


def test_a_case_survives_its_way_through_json():
    assert Case.from_json(CASE.to_json()) == CASE


def test_every_case_has_whole_batches_and_a_name_of_its_own():
    assert all(case.rows > 0 and case.rows % case.batch == 0 for case in CASES)
    assert len({case.key for case in CASES}) == len(CASES)
    assert all("fastnn" in contenders_of(case) for case in CASES)


def test_rows_that_make_no_whole_batches_are_refused():
    with pytest.raises(ValueError, match="30 rows make no whole batches"):
        replace(CASE, rows=30).load()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "sgd"},
        {"dtype": "float64"},
        {"batchnorm": True},
    ],
    ids=str,
)
def test_fastnn_and_the_reference_agree(options):
    case = replace(CASE, **options)
    split = case.load()
    losses = {
        "fastnn": Fastnn(case, split, 1).losses(),
        "numpy": NumpyReference(case, split, 1).losses(),
    }
    check_agreement(losses)
    assert len(losses["fastnn"]) == 4


def test_a_contender_with_other_weights_is_found_out():
    split = CASE.load()
    odd = NumpyReference(CASE, split, 1)
    odd.reset(seed=1)
    losses = {
        "fastnn": Fastnn(CASE, split, 1).losses(),
        "numpy": NumpyReference(CASE, split, 1).losses(),
        "odd": odd.losses(),
    }
    with pytest.raises(AssertionError, match="odd: the loss after 0 steps"):
        check_agreement(losses)


@pytest.mark.parametrize(
    ("optimizer", "option"),
    [("adam", {"betas": (0.5, 0.5)}), ("sgd", {"momentum": 0.0})],
    ids=str,
)
def test_a_contender_with_another_update_is_found_out(optimizer, option):
    """The first update of both is everybody's: only later ones tell."""
    case = replace(CASE, optimizer=optimizer, lr=0.1)
    split = case.load()

    class Odd(NumpyReference):
        def start(self, weights):
            super().start(weights)
            self.net._hyper |= option

    losses = {
        "fastnn": Fastnn(case, split, 1).losses(),
        "numpy": NumpyReference(case, split, 1).losses(),
    }
    check_agreement(losses)
    losses["odd"] = Odd(case, split, 1).losses()
    with pytest.raises(AssertionError, match=r"odd: the loss after [123] steps"):
        check_agreement(losses)


@pytest.mark.parametrize("wrong", [1.001, float("nan")])
@pytest.mark.parametrize("step", [0, 1])
def test_a_wrong_loss_is_an_error(wrong, step):
    losses = {key: [2.0, 1.5] for key in ("fastnn", "jax", "torch")}
    check_agreement(losses)
    losses["jax"][step] *= wrong * (1 if step == 0 else 1.002)
    with pytest.raises(AssertionError, match=f"jax: the loss after {step} steps"):
        check_agreement(losses)


def test_one_who_tells_fewer_losses_is_compared_in_those():
    check_agreement({"fastnn": [2.0, 1.5], "numpy": [2.0, 1.5], "sklearn": [2.0]})


@pytest.mark.parametrize(("drift", "turns"), [(0.0, 2), (1.0, 6)])
def test_contenders_take_turns_longer_if_the_machine_is_not_steady(drift, turns):
    order = []

    def once(key):
        order.append(key)
        return 1.0 + drift * len(order)

    seen = take_turns(["a", "b"], once, budget=0.0, least=2)
    assert order == ["a", "b"] * turns
    assert seen["a"] == [1.0 + drift * (1 + 2 * i) for i in range(turns)]


def test_new_results_replace_their_case_whole_and_leave_the_others():
    small, large = CASES[0], CASES[1]
    old = [entry(large, 1), entry(small, 2, jax=3.0), entry(large, 2, jax=3.0)]
    merged = training_report.merged(old, [entry(small, 2, torch=5.0)])
    told = [(e["case"]["label"], e["threads"], sorted(e["seconds"])) for e in merged]
    assert told == [
        (small.label, 2, ["fastnn", "torch"]),
        (large.label, 2, ["fastnn", "jax"]),
        (large.label, 1, ["fastnn"]),
    ]


def test_the_report_says_how_many_times_faster_and_how_near_the_peak():
    told = entry(CASE, 2, ours=0.5, jax=1.25)
    assert training_report.ratio(told, "jax") == 2.5
    assert training_report.ratio(told, "sklearn") is None
    assert training_report.share_of_peak(told) == CASE.flops / 0.5 / 1e4
    text = training_report.as_markdown({"processor": "one"}, [told])
    assert "2.50x" in text
    assert "scikit-learn" not in text


def test_scores_are_accuracy_or_squared_error():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(32, 4)).astype(np.float32)
    labels = rng.integers(0, 3, 32)
    net = Fastnn(CASE, Split(X, labels, X, labels), 1)
    assert net.score() == np.mean(net.predict(X).argmax(axis=1) == labels)
    values = rng.normal(size=(32, 1)).astype(np.float32)
    regression = replace(CASE, widths=(4, 5, 1), loss="mse")
    net = Fastnn(regression, Split(X, values, X, values), 1)
    np.testing.assert_allclose(net.score(), np.mean((net.predict(X) - values) ** 2))


@pytest.mark.parametrize(
    ("goal", "score", "reached"),
    [
        (time_to_accuracy.GOALS[0], 0.96, True),
        (time_to_accuracy.GOALS[0], 0.94, False),
        (time_to_accuracy.GOALS[1], 0.01, True),
        (time_to_accuracy.GOALS[1], float("nan"), False),
    ],
)
def test_goals_are_upper_or_lower_bounds(goal, score, reached):
    assert goal.reached(score) is reached
