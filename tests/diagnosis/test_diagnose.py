"""`diagnose` itself: arguments, time, and that it leaves everything as it was."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fastnn as fnn
from fastnn.diagnosis import driver
from fastnn.diagnosis.clock import budget_seconds
from sanitized import usual_speed

X = np.random.default_rng(0).standard_normal((200, 5))
Y = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)


def network(**options):
    return fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(2), **options)


def diagnose(net=None, **options):
    given = {"X": X, "y": Y, "budget": "2s", "verbose": 0, **options}
    return fnn.diagnose(network() if net is None else net, **given)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"budget": "soon"}, ValueError, "budget must be a time such as"),
        ({"budget": 0}, ValueError, "budget must be"),
        ({"budget": float("nan")}, ValueError, "budget must be"),
        ({"budget": None}, TypeError, "budget must be a number"),
        ({"loss": "mean"}, ValueError, "loss"),
        ({"optimizer": "admm"}, ValueError, "optimizer"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"seed": -1}, ValueError, "seed"),
        ({"dropout": 0.5}, TypeError, "unexpected keyword argument 'dropout'"),
        ({"l2": -1.0}, ValueError, "l2"),
        ({"X": X[:, :0]}, ValueError, "X"),
        ({"X": "text"}, (TypeError, ValueError), "X"),
        ({"y": Y[:50]}, ValueError, "y"),
        ({"y": Y + 5}, ValueError, "y"),
        ({"validation_data": X}, TypeError, "validation_data must be a tuple"),
        ({"validation_data": (X[:, :3], Y)}, ValueError, "validation_data"),
    ],
)
def test_unusable_arguments(options, error, message):
    net = network()
    with pytest.raises(error, match=message):
        diagnose(net, **options)
    assert net.in_features is None


def test_not_a_network():
    with pytest.raises(TypeError, match=r"net must be a fastnn\.Sequential"):
        fnn.diagnose([fnn.Dense(2)], X, Y, verbose=0)


def test_the_network_stays_as_it_was():
    net = fnn.Sequential(fnn.Dense(8), fnn.BatchNorm(), fnn.Dropout(0.1), fnn.Dense(2))
    net.fit(X, Y, epochs=3)
    twin = net.copy()
    before = {name: value.copy() for name, value in net.state_dict().items()}
    diagnose(net)
    for name, value in net.state_dict().items():
        assert np.array_equal(value, before[name])
    net.fit(X, Y, epochs=2)  # the generator's position as well
    twin.fit(X, Y, epochs=2)
    assert np.array_equal(net.parameters, twin.parameters)


def test_an_unbuilt_network_stays_so():
    net = network()
    diagnose(net)
    assert net.in_features is None


def test_the_data_stay_as_they_were():
    a, b = X.copy(), Y.copy()
    a.setflags(write=False)
    diagnose(X=a, y=b)
    assert np.array_equal(a, X)
    assert np.array_equal(b, Y)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("2min", 120), (5, 5), ("1.5 s", 1.5), ("7", 7)]
)
def test_budgets(text, seconds):
    assert budget_seconds(text) == seconds


@usual_speed
def test_time_is_kept():
    random = np.random.default_rng(1)
    many = random.standard_normal((10_000, 100)).astype("f4")
    labels = (many[:, :10].sum(axis=1) > 0).astype(int)
    net = fnn.Sequential(
        fnn.Dense(256, "sigmoid"), fnn.Dense(256, "tanh"), fnn.Dense(2)
    )
    start = time.perf_counter()
    report = diagnose(net, X=many, y=labels, budget="3s", optimizer=fnn.SGD(1e-5))
    assert time.perf_counter() - start < 3 * 2 + 1
    assert report.verdict == "optimization"


LOSSES = [
    ("mse", X[:, 0], 1),
    ("mae", X[:, 0], 1),
    ("huber", X[:, :2], 2),
    ("poisson", np.abs(X[:, 0]).round(), 1),
    ("gaussian", X[:, 0], 2),
    (fnn.Quantile(0.9), X[:, 0], 1),
    ("hinge", Y, 1),
    ("binary_cross_entropy", (X[:, :3] > 0).astype(int), 3),
    (fnn.Focal(), Y, 2),
    (lambda z, y: ((z[:, 0] - y) ** 2, 2 * (z - y[:, None])), X[:, 0], 1),
]


@usual_speed
@pytest.mark.parametrize(("loss", "y", "outputs"), LOSSES)
def test_every_loss(loss, y, outputs):
    net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(outputs))
    report = diagnose(net, y=y, loss=loss, budget="1s")
    assert report.measurements["training"]["training"] < 1.2


@pytest.mark.parametrize("optimizer", ["lbfgs", "rprop", fnn.SGD(0.1, momentum=0.9)])
def test_every_kind_of_optimizer(optimizer):
    assert diagnose(optimizer=optimizer, epochs=20).stages


def test_few_rows():
    assert diagnose(X=X[:8], y=Y[:8]).stages


@usual_speed
def test_sparse_rows_and_frames():
    sparse = pytest.importorskip("scipy.sparse")
    dense = diagnose()
    rows = diagnose(X=sparse.csr_matrix(X))
    assert dense.measurements["training"]["curve"] == pytest.approx(
        rows.measurements["training"]["curve"], rel=1e-3
    )


def test_gaps_wherever_they_are():
    sparse = pytest.importorskip("scipy.sparse")
    gap = X.copy()
    gap[3, 1] = np.nan
    frame = pytest.importorskip("pandas").DataFrame(gap).astype("Float64")
    for options in (
        {"X": gap},
        {"X": sparse.csr_matrix(gap)},
        {"X": frame},
        {"validation_data": (gap, Y)},
    ):
        report = diagnose(**options)
        assert report.codes == ("not_finite",)
        assert report.verdict == "data"


def test_rows_of_no_weight_are_left_out():
    weight = np.ones(200)
    weight[:60] = 0
    report = diagnose(sample_weight=weight, epochs=5)
    assert report.measurements["training"]["rows"] < 140


def test_what_cannot_be_told_is_not_called_healthy():
    assert "undecided" in str(diagnose(X=X[:3], y=Y[:3]))
    early = diagnose(budget=1e-6)
    assert not early.complete
    assert "undecided" in str(early)


@usual_speed
def test_a_large_network_keeps_the_budget():
    net = fnn.Sequential(*[fnn.Dense(1000, "relu")] * 3, fnn.Dense(2))
    many = np.random.default_rng(0).standard_normal((20_000, 50)).astype("f4")
    start = time.perf_counter()
    diagnose(net, X=many, y=(many[:, 0] > 0).astype(int), budget=3)
    assert time.perf_counter() - start < 3 * 2 + 1


def test_a_constant_target():
    report = diagnose(y=np.zeros(200, int))
    assert report.verdict == "data"
    assert "one_class" in report
    net = fnn.Sequential(fnn.Dense(1))
    report = diagnose(net, y=np.ones(200), loss="mse")
    assert report.verdict == "data"
    assert "constant_targets" in report


def test_columns_that_tell_nothing():
    odd = np.column_stack([X, np.ones(200), X[:, 0]])
    report = diagnose(X=odd)
    assert report["constant_columns"].evidence["columns"] == [5]
    assert report["duplicate_columns"].evidence["pairs"] == [(0, 6)]


def test_rare_classes_and_shared_rows():
    rare = np.zeros(200, int)
    rare[:8] = 1
    report = diagnose(y=rare, validation_data=(X[:100], rare[:100]))
    assert report["class_imbalance"].evidence["rows_of_rarest"] == 8
    assert report["shared_rows"].severity == "severe"


def test_early_stopping_and_weights_are_the_users():
    report = diagnose(
        early_stopping=fnn.EarlyStopping(patience=1, min_delta=1.0),
        sample_weight=np.ones(200),
        class_weight="balanced",
        epochs=400,
    )
    assert report.measurements["training"]["epochs"] < 400


def test_ctrl_c_returns_the_report_so_far(monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    stages = [(n, interrupted if n == "layers" else f) for n, f in driver._STAGES]
    monkeypatch.setattr(driver, "_STAGES", tuple(stages))
    report = diagnose()
    assert not report.complete
    assert "layers" not in report.stages
    assert "training" in report.stages


def test_a_real_ctrl_c():
    code = (
        "import numpy as np, fastnn as fnn\n"
        "X = np.random.default_rng(0).standard_normal((5000, 50))\n"
        "net = fnn.Sequential(*[fnn.Dense(128, 'sigmoid')] * 8, fnn.Dense(2))\n"
        "print('ready', flush=True)\n"
        "r = fnn.diagnose(net, X, (X[:, 0] > 0) * 1, budget='60s', verbose=0)\n"
        "print(r.complete, len(r.stages))\n"
    )
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n" + code,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=20)
    assert out.startswith("False"), out


def test_progress_is_shown(capsys):
    diagnose(verbose=1, budget="1s")
    assert "diagnose" in capsys.readouterr().err
    diagnose(budget="1s")
    assert capsys.readouterr().err == ""


def test_a_range_test_that_diverges_at_once_does_not_end_it():
    """Outputs of 1e25 squared are no float32: no rate is suggested, much else is."""
    large = np.full((1, 5), 1e25), [0.0]
    net = fnn.Sequential(fnn.Dense(1, init=large))
    with pytest.raises(fnn.DivergedError, match="first step of lr_find"):
        fnn.lr_find(net, X, X[:, 0], loss="mse")
    report = diagnose(net, y=X[:, 0], loss="mse", epochs=3)
    assert "learning_rate" not in report.measurements
    assert "training" in report.measurements
    assert report.findings
