"""What other processes are asked to do, in a module that they can import.

``python work.py stack KIB`` calls the engine from a thread with so small a stack;
``python work.py exit`` ends while a daemon thread trains.
"""

import functools
import json
import os
import sys
import threading
import time

import numpy as np

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes

DATA = classes(np.random.default_rng(3), 90)


def network(seed=0):
    """Return an untrained network with one of everything."""
    return fnn.Sequential(*EVERYTHING, seed=seed)


def trained_bytes(seed=0, n_threads=2):
    """Train a network from the start and return all its bits."""
    net = network(seed)
    net.fit(*DATA, epochs=2, batch_size=16, n_threads=n_threads)
    return all_bytes(net)


def all_bytes(net):
    """Return the bits of all tensors in one string."""
    return b"".join(bits(net).values())


def trained_further(net):
    """Train what came from another process, and return its bits and predictions."""
    net.fit(*DATA, epochs=1, batch_size=16, n_threads=2)
    return all_bytes(net), net.predict(DATA[0], n_threads=2).tobytes()


def in_child(task):
    """Fork; return the bytes that `task` returns in the child, and how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # no assertion here: the parent looks at what comes back
        try:
            os.write(writer, task())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    received = b""
    while part := os.read(reader, 1 << 16):
        received += part
    os.close(reader)
    return received, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def refusal(call):
    """Return what a RuntimeError of this call says, or None."""
    try:
        call()
    except RuntimeError as error:
        return str(error)
    return None


def wide_problem():
    """Return a network and data whose products copy as much to the stack as any."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 700)).astype(np.float32)
    layers = (fnn.Dense(700, "relu"), fnn.BatchNorm(), fnn.Dense(300))
    return fnn.Sequential(*layers).build(700), X, np.arange(600) % 300


def call_with_stack(kib):
    """Return what each call says in a thread with a stack of `kib` KiB."""
    net, X, y = wide_problem()
    weight = net.state_dict()["0.weight"]
    calls = {
        "predict": lambda: net.predict(X[:3]),
        "fit": lambda: net.fit(X, y, epochs=1, n_threads=1),
        "fit on two": lambda: net.fit(X, y, epochs=1, n_threads=2),
        "step": lambda: fnn.Trainer(net).step(X, y),
        "evaluate": lambda: net.evaluate(X, y, loss="cross_entropy"),
        "gradients": lambda: net.loss_and_gradients(X, y, loss="cross_entropy"),
        "kernel": lambda: fnn.kernels.dense_backward(X, X, weight, X, "relu"),
    }
    said = {}

    def run():
        said.update({name: refusal(call) or "done" for name, call in calls.items()})

    threading.stack_size(kib * 1024)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return said


def _quietly(call, *args, **options):
    """Call, and do not print that fits were ended by the end of the process."""
    refusal(lambda: call(*args, **options))


def exit_while_training():
    """End the process while daemon threads train, with a callback, side by side."""
    X, y = classes(np.random.default_rng(0), 2000)
    nets = [network().build(X.shape[1]) for _ in range(2)]
    trainings = (
        nets[0].fit,
        functools.partial(nets[1].fit, callbacks=[lambda _: None]),
        functools.partial(_quietly, fnn.Ensemble(nets[0].copy(), 3).fit),
        functools.partial(_quietly, fnn.cross_validate, nets[1].copy()),
    )
    for training in trainings:
        threading.Thread(
            target=training,
            args=(X, y),
            kwargs={"epochs": 10**6, "n_threads": 2},
            daemon=True,
        ).start()
    time.sleep(0.3)
    return {}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    run = {"stack": call_with_stack, "exit": exit_while_training}[what]
    print(json.dumps(run(*map(int, rest))))  # noqa: T201
