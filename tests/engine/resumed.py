"""Child of test_resume.py: fits with a checkpoint, goes on from it, until it is over.

python resumed.py CASE DTYPE N_THREADS CHECKPOINT [DIE]

Prints a line after each epoch, which takes 10 ms more than it would, so that a kill may
come at any of its moments; when the fit is over, the history and a digest of the
network as JSON. With DIE it kills itself in the middle of writing the file for so many
times.
"""

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import fastnn as fnn
from fastnn.io import atomic

LAYERS = (
    fnn.Dense(12, weight_norm=True, dropconnect=0.1),
    fnn.BatchNorm(),
    fnn.ReLU(),
    fnn.Dropout(0.3),
    fnn.Dense(9, "gelu"),
    fnn.LayerNorm(),
    fnn.GaussianNoise(0.05),
    fnn.Maxout(8),
    fnn.RMSNorm(),
    fnn.PReLU(),
    fnn.AlphaDropout(0.1),
    fnn.Dense(3),
)

STOPPING = fnn.EarlyStopping(patience=9)

# name: options of the trainer, options of fit
CASES = {
    "plain": ({"optimizer": fnn.SGD(0.1, momentum=0.9), "clip_norm": 1.0}, {}),
    "plateau, ema, early stopping": (
        {"optimizer": fnn.NAdam(0.02), "schedule": fnn.ReduceOnPlateau(patience=1)},
        {"early_stopping": STOPPING, "callbacks": [fnn.EMA(0.9)]},
    ),
    "per step, early stopping": (
        {
            "optimizer": fnn.Adam(0.02, amsgrad=True),
            "schedule": fnn.OneCycle(140, max_lr=0.05, per="step"),
            "l2": 1e-3,
            "max_norm": 2.0,
        },
        {"early_stopping": STOPPING, "validation_split": 0.25},
    ),
    "ema": (
        {"optimizer": fnn.AdamW(0.02), "schedule": fnn.Cosine(20)},
        {"callbacks": [fnn.EMA(0.95)], "class_weight": "balanced"},
    ),
    "lbfgs, ema": (
        {"optimizer": fnn.LBFGS(max_iter=2, history_size=5), "l2": 0.1},
        {"callbacks": [fnn.EMA(0.5)]},
    ),
    "swa": (
        {"optimizer": fnn.RMSprop(0.01, centered=True), "clip_value": 0.1},
        {"callbacks": [fnn.SWA(4, fnn.Cyclic(1e-3, 1e-2, 3, per="step"))]},
    ),
}


def fit(name, dtype, n_threads, checkpoint=None, *more_callbacks):
    """Run the case, from the checkpoint if there is one; return net and history."""
    options, more = CASES[name]
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 5))
    y = np.argmax(X[:, :3] + rng.normal(size=(150, 3)), axis=1)
    weight = rng.uniform(0.5, 1.5, size=110)
    if checkpoint is not None and Path(checkpoint).exists():
        trainer = fnn.Trainer.resume(checkpoint, n_threads=n_threads)
    else:
        net = fnn.Sequential(*LAYERS, seed=7, dtype=dtype)
        trainer = fnn.Trainer(net, n_threads=n_threads, **options)
    more = dict(more)
    callbacks = [*more.pop("callbacks", ()), *more_callbacks]
    if "validation_split" not in more:
        more["validation_data"] = (X[110:], y[110:])
    history = trainer.fit(
        X[:110],
        y[:110],
        sample_weight=weight,
        epochs=20,
        batch_size=16,
        metrics=["accuracy"],
        callbacks=callbacks,
        checkpoint=checkpoint,
        **more,
    )
    return trainer.net, history


def report(net, history):
    """Return all that must not depend on interruptions."""
    arrays = net.state_dict()
    text = b"".join(name.encode() + a.tobytes() for name, a in arrays.items())
    return {
        "digest": hashlib.sha256(text).hexdigest(),
        "progress": list(net._native.progress),
        "history": {k: v for k, v in history.history.items() if k != "seconds"},
        "best_epoch": history.best_epoch,
        "stop_reason": history.stop_reason,
    }


def say(text):
    """Write a line that the parent sees at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(info):
    """Be slow, as a callback, and say that an epoch is over."""
    time.sleep(0.01)
    say(info.epoch)


def die_in_writing(count):
    """Let the process end by SIGKILL when half of the count-th file is written."""
    fill, left = atomic._fill, [count]

    def half_fill(file, content):
        left[0] -= 1
        if left[0]:
            return fill(file, content)
        whole = b"".join(content)
        file.write(whole[: len(whole) // 2])
        return os.kill(os.getpid(), signal.SIGKILL)

    atomic._fill = half_fill


def main():
    """Run the case and print the report."""
    name, dtype, n_threads, checkpoint, *die = sys.argv[1:]
    if die:
        die_in_writing(int(die[0]))
    say(json.dumps(report(*fit(name, dtype, int(n_threads), checkpoint, tell))))


if __name__ == "__main__":
    main()
