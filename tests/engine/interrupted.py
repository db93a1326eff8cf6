"""Child of test_interrupt.py: fits until SIGINT and reports what is left, as JSON.

python interrupted.py CASE SECONDS
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time

import numpy as np

import fastnn as fnn


def _data(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    return X, np.argmax(X[:, :3], axis=1)


def _network(width, n_hidden=1, **options):
    hidden = [fnn.Dense(width, "relu") for _ in range(n_hidden)]
    return fnn.Sequential(*hidden, fnn.BatchNorm(), fnn.Dense(3), **options)


def _squared(outputs, y):
    d = outputs - np.eye(3, dtype=outputs.dtype)[y]
    return (d * d).mean(axis=1), 2 / 3 * d


def _wait(_):
    time.sleep(30)


# name: network, data, options of fit
CASES = {
    "small": (4, 1, (64, 5), {"batch_size": 8}),
    "large": (512, 2, (20_000, 256), {"batch_size": 256}),
    "one step an epoch": (64, 1, (500, 20), {"batch_size": 500}),
    "all updates": (1500, 2, (8, 50), {"batch_size": 8}),
    "full batch": (256, 2, (30_000, 200), {"batch_size": 30_000}),
    "full batch, clipped": (
        256,
        2,
        (30_000, 200),
        {"batch_size": 30_000, "clip_norm": 1.0},
    ),
    "wide full batch": (1500, 2, (20_000, 400), {"batch_size": 20_000}),
    "validation": (
        256,
        2,
        (64, 100),
        {"batch_size": 64, "validation_data": _data(200_000, 100, seed=1)},
    ),
    "auc": (
        4,
        1,
        (700_000, 3),
        {"batch_size": 350_000, "metrics": ["auc"], "shuffle": False},
    ),
    "callback": (16, 1, (64, 5), {"callbacks": [_wait]}),
    "custom loss": (64, 1, (500, 20), {"batch_size": 500, "loss": _squared}),
    "ema": (64, 1, (500, 20), {"batch_size": 500, "callbacks": [fnn.EMA(0.9)]}),
    "ema, two threads": (
        400,
        2,
        (2000, 50),
        {"batch_size": 100, "callbacks": [fnn.EMA(0.9)], "n_threads": 2},
    ),
    "swa": (64, 1, (500, 20), {"batch_size": 500, "callbacks": [fnn.SWA(0)]}),
    "two threads": (64, 1, (2000, 50), {"batch_size": 100, "n_threads": 2}),
}


def digest(net):
    """Return a name for the bits of all tensors."""
    arrays = net.state_dict()
    text = b"".join(name.encode() + a.tobytes() for name, a in arrays.items())
    return hashlib.sha256(text).hexdigest()


def build(name):
    """Return the network, the data and the options of a case."""
    width, n_hidden, shape, options = CASES[name]
    X, y = _data(*shape)
    return _network(width, n_hidden).build(shape[1]), X, y, options


def interrupt_after(seconds):
    """Send this process SIGINT soon; return the list that gets the moment."""
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(seconds, send).start()
    return sent


def _fit(net, X, y, options):
    net.fit(X, y, epochs=10**6, **options)


def _steps(net, X, y, _):
    trainer = fnn.Trainer(net)
    for _ in range(10**6):
        trainer.step(X, y)


def main():
    """Run the case and print the report."""
    name, seconds, call = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    # Whoever started the tests in the background may have had SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    net, X, y, options = build(name)
    net.predict(X[:1])
    first = digest(net)
    run = {"fit": _fit, "step": _steps}[call]
    sent = interrupt_after(seconds)
    try:
        run(net, X, y, options)
    except KeyboardInterrupt:
        took = time.perf_counter() - sent[0]
    report = {
        "seconds": took,
        "first": first,
        "last": digest(net),
        "steps": net._native.progress[1],
        "finite": all(np.isfinite(a).all() for a in net.state_dict().values()),
    }
    if name != "callback":  # and the network is of use again
        history = net.fit(X[:20], y[:20], epochs=2)
        report["after"] = history.history["loss"]
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
