"""A multi-layer perceptron in plain NumPy, made of this package's functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastnn.reference import losses, optimizers
from fastnn.reference._checks import check_floating, check_range, unknown_name
from fastnn.reference._layers import all_layers, make_layers
from fastnn.reference.random import permutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastnn.reference._checks import Array

_LOSSES = {
    "cross_entropy": losses.softmax_cross_entropy,
    "mse": losses.mse,
    "squared_error": losses.squared_error,
    "mae": losses.mae,
    "huber": losses.huber,
    "log_cosh": losses.log_cosh,
    "quantile": losses.quantile_loss,
    "poisson": losses.poisson_nll,
    "gaussian": losses.gaussian_nll,
    "focal": losses.focal_loss,
    "binary_cross_entropy": losses.binary_cross_entropy,
    "hinge": losses.hinge,
}


_BLOCK = 32768  # elements: Adam's four arrays and temporaries stay in L2


class MLP:
    """A network and its trainer: forward, loss, backward, one update a step.

    All trainable parameters lie in one flat array, of which the layers hold views, so
    that the optimizer sees one array, in blocks that fit a cache; gradients likewise.

    Parameters
    ----------
    layers : sequence of tuples
        ``("dense", W, b)`` with W (out, in); ``("batchnorm", gamma, beta)``;
        ``("activation", name)`` or ``("activation", name, alpha)``;
        ``("dropout", p)``; ``("alpha_dropout", p)``; ``("gaussian_noise", std)``;
        ``("dropconnect", W, b, p)``; ``("weight_norm", g, V, b)``;
        ``("maxout", W, b, pieces)``; ``("rmsnorm", gamma)``; ``("prelu", a)``;
        ``("residual", layers, P, survival)`` with P (out, in) the projection or None.
        Arrays are copied, and all of one dtype, the network's.
    loss : str, default "cross_entropy"
        Or another name that ``fit`` knows.
    rule : str, default "adam"
        An update rule of `fastnn.reference.optimizers`.
    seed : int, default 0
        Of the dropout masks: the first step is step 0, layers count from 0.
    generator : numpy.random.Generator, optional
        Draws the masks instead, several times faster in NumPy than the counter-based
        ones, which it takes 64-bit arithmetic to emulate here.
    **hyper
        Settings of the rule, e.g. ``lr=1e-3``.

    Attributes
    ----------
    parameters : (n,) array
        Weights, biases, gammas and betas, in the order of the layers.
    steps : int
        Updates made so far.

    Examples
    --------
    A perceptron learns which of two numbers is larger:

    >>> import numpy as np
    >>> from fastnn.reference import MLP
    >>> X = np.random.default_rng(0).normal(size=(256, 2))
    >>> y = (X[:, 1] > X[:, 0]).astype(np.int64)
    >>> net = MLP([("dense", np.zeros((2, 2)), np.zeros(2))], lr=0.1)
    >>> history = net.fit(X, y, epochs=20, batch_size=64)
    >>> bool((net.predict(X).argmax(axis=1) == y).mean() > 0.97)
    True
    """

    def __init__(
        self,
        layers: Sequence[tuple[Any, ...]],
        *,
        loss: str = "cross_entropy",
        rule: str = "adam",
        seed: int = 0,
        generator: np.random.Generator | None = None,
        **hyper: Any,
    ) -> None:
        if loss not in _LOSSES:
            raise unknown_name("loss", loss, _LOSSES)
        if rule not in optimizers.SLOTS:
            raise unknown_name("rule", rule, optimizers.SLOTS)
        self.layers = make_layers(layers, seed, generator)
        self.steps = 0
        self._loss: Any = _LOSSES[loss]
        self._update: Any = getattr(optimizers, f"{rule}_update")
        self._hyper = hyper
        self._flatten()
        slots = optimizers.init_slots(rule, self.parameters, **hyper)
        self._blocks = _blocks(self.parameters, self._gradients, *slots)

    def step(self, x: Array, y: npt.ArrayLike) -> float:
        """Make one update on a batch and return its loss before the update.

        Parameters
        ----------
        x : (rows, in), of the network's dtype
        y : targets, as the loss takes them
        """
        h = x
        for layer in self.layers:
            h = layer.forward(h, self.steps)
        loss, d = self._loss(h, y)
        for layer in reversed(self.layers):
            d = layer.backward(d)
        self.steps += 1
        for arrays in self._blocks:
            self._update(*arrays, step=self.steps, **self._hyper)
        return float(loss)

    def predict(self, X: Array) -> Array:
        """Return the raw outputs, (rows, out), with running statistics, no dropout."""
        h = X
        for layer in self.layers:
            h = layer.predict(h)
        return h

    def fit(
        self,
        X: Array,
        y: npt.ArrayLike,
        *,
        epochs: int = 10,
        batch_size: int = 128,
        seed: int = 0,
        validation_data: tuple[Array, npt.ArrayLike] | None = None,
        early_stopping_patience: int | None = None,
    ) -> dict[str, list[float]]:
        """Train for some epochs, each a new order of the rows; go on if called again.

        Parameters
        ----------
        X : (rows, in), of the network's dtype
        y : targets of all rows, as the loss takes them
        epochs, batch_size : int
            The last batch of an epoch may be shorter.
        seed : int
            Epoch e of this call is shuffled by ``permutation(rows, seed, e)``.
        validation_data : (X, y), optional
            Evaluated after every epoch.
        early_stopping_patience : int, optional
            Stop after as many epochs without a lower validation loss, and return to
            the parameters and running statistics of the best.

        Returns
        -------
        dict
            "loss", a number an epoch (the mean over its rows), and "val_loss".

        Raises
        ------
        ValueError
            batch_size below 1, or early stopping without validation data.
        """
        check_range("batch_size", batch_size, batch_size >= 1, "at least 1")
        if early_stopping_patience is not None and validation_data is None:
            msg = "early_stopping_patience needs validation_data"
            raise ValueError(msg)
        targets = np.asarray(y)
        history: dict[str, list[float]] = {"loss": []}
        best_epoch, best_state = -1, self._state()
        for epoch in range(epochs):
            order = permutation(len(X), seed, epoch)
            history["loss"].append(self._epoch(X, targets, order, batch_size))
            if validation_data is None:
                continue
            val_loss = history.setdefault("val_loss", [])
            val_loss.append(self.evaluate(*validation_data))
            if early_stopping_patience is None:
                continue
            if val_loss[-1] < min(val_loss[:-1], default=np.inf):
                best_epoch, best_state = epoch, self._state()
            elif epoch - best_epoch >= early_stopping_patience:
                break
        if best_epoch >= 0:
            self._restore(best_state)
        return history

    def evaluate(self, X: Array, y: npt.ArrayLike) -> float:
        """Return the loss of the predictions."""
        return float(self._loss(self.predict(X), y)[0])

    def _epoch(
        self,
        X: Array,
        y: npt.NDArray[Any],
        order: npt.NDArray[np.int64],
        batch_size: int,
    ) -> float:
        total = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            total += self.step(X[batch], y[batch]) * len(batch)
        return total / len(order)

    def _flatten(self) -> None:
        """Move all parameters into one array, and make the gradients' twin."""
        layers = list(all_layers(self.layers))
        arrays = [array for layer in layers for array in layer.parameters]
        if not arrays:
            msg = "layers has no parameters: give at least one dense layer"
            raise ValueError(msg)
        check_floating(**{f"parameter {i}": array for i, array in enumerate(arrays)})
        self.parameters = np.concatenate([array.ravel() for array in arrays])
        self._gradients = np.zeros_like(self.parameters)
        start = 0
        for layer in layers:
            shapes = [array.shape for array in layer.parameters]
            layer.parameters, layer.gradients = [], []
            for shape in shapes:
                stop = start + int(np.prod(shape))
                layer.parameters.append(self.parameters[start:stop].reshape(shape))
                layer.gradients.append(self._gradients[start:stop].reshape(shape))
                start = stop

    def _state(self) -> list[Array]:
        return [array.copy() for array in self._arrays()]

    def _restore(self, state: list[Array]) -> None:
        for array, saved in zip(self._arrays(), state, strict=True):
            np.copyto(array, saved)

    def _arrays(self) -> list[Array]:
        layers = all_layers(self.layers)
        running = [array for layer in layers for array in layer.statistics]
        return [self.parameters, *running]


def _blocks(*arrays: Array | None) -> list[tuple[Array | None, ...]]:
    """Cut arrays of one length into views that are updated one after the other."""
    size = next(array.size for array in arrays if array is not None)
    return [
        tuple(a if a is None else a[start : start + _BLOCK] for a in arrays)
        for start in range(0, size, _BLOCK)
    ]
