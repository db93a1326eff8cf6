"""The same network in plain NumPy: what the demo measures fastnn against."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.layers import BatchNorm, Dense, Dropout, ReLU
from fastnn.reference import MLP
from fastnn.sequential import Sequential

__all__ = ["numpy_twin"]


def numpy_twin(net: Sequential, **hyper: Any) -> MLP:
    """Return a NumPy network with the layers and numbers of `net`, trained by Adam.

    Parameters
    ----------
    net : Sequential
        Of Dense, BatchNorm, ReLU and Dropout layers with their defaults, its input
        width known.
    **hyper
        Settings of Adam.

    Raises
    ------
    TypeError
        If a layer is of another kind or has other settings.

    Notes
    -----
    Dropout masks come from NumPy's own generator, which is the fastest way there; the
    counter-based masks that fastnn draws would slow NumPy down several times.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> from fastnn.demo.twin import numpy_twin
    >>> net = fnn.Sequential(fnn.Dense(4), fnn.ReLU(), fnn.Dense(2)).build(3)
    >>> x = np.ones((5, 3), dtype=np.float32)
    >>> np.allclose(numpy_twin(net).predict(x), net.predict(x), rtol=1e-5)
    True
    """
    state = net.state_dict()
    layers: list[tuple[Any, ...]] = []
    for i, layer in enumerate(net.layers):
        if isinstance(layer, Dense) and layer == Dense(layer.units):
            layers.append(("dense", state[f"{i}.weight"], state[f"{i}.bias"]))
        elif layer == BatchNorm():
            layers.append(("batchnorm", state[f"{i}.weight"], state[f"{i}.bias"]))
        elif isinstance(layer, ReLU):
            layers.append(("activation", "relu"))
        elif isinstance(layer, Dropout):
            layers.append(("dropout", layer.p))
        else:
            raise TypeError(
                f"layers[{i}]: the NumPy twin knows plain Dense, BatchNorm, ReLU and "
                f"Dropout, got {layer!r}"
            )
    return MLP(layers, generator=np.random.default_rng(net.seed), **hyper)
