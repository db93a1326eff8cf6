"""Child of test_levels.py: trains on one CPU level and stores what came out.

python level_run.py DTYPE FILE, with FASTNN_CPU set
"""

import sys

import numpy as np

import fastnn as fnn


def run(dtype):
    """Return parameters, statistics, losses and predictions of a short training."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(203, 37))
    y = np.argmax(X[:, :5], axis=1)
    net = fnn.Sequential(
        fnn.GaussianNoise(0.1),
        fnn.Dense(33, weight_norm=True, dropconnect=0.1),
        fnn.BatchNorm(),
        fnn.GELU(),
        fnn.Dropout(0.2),
        fnn.Dense(19, "tanh"),
        fnn.LayerNorm(),
        fnn.Maxout(18, 3),
        fnn.RMSNorm(),
        fnn.PReLU(per_unit=True),
        fnn.AlphaDropout(0.1),
        fnn.Dense(5),
        dtype=dtype,
    )
    history = net.fit(
        X,
        y,
        epochs=3,
        batch_size=32,
        optimizer=fnn.SGD(0.05, momentum=0.9),
        validation_data=(X[:50], y[:50]),
        clip_norm=1.0,
        n_threads=2,
    )
    together = net.predict(X, n_threads=1)
    alone = np.concatenate([net.predict(X[i : i + 1]) for i in range(len(X))])
    return {
        **net.state_dict(),
        "loss": np.array(history.history["loss"]),
        "val_loss": np.array(history.history["val_loss"]),
        "together": together,
        "alone": alone,
    }


if __name__ == "__main__":
    np.savez(sys.argv[2], **run(sys.argv[1]))
