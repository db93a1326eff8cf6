"""Normalisation over the batch and over the row."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.layers.base import Layer, TensorSpec

__all__ = ["BatchNorm", "LayerNorm", "RMSNorm"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BatchNorm(Layer):
    """Batch normalisation: ``y = gamma * (x - mean) / sqrt(var + eps) + beta``.

    In training, mean and (biased) variance are those of the batch, per feature. In
    inference they are the running ones, which training moves by
    ``running = (1 - momentum) * running + momentum * batch``, with the unbiased
    variance of the batch. Ioffe and Szegedy, "Batch normalization" (2015).

    Tensors: ``"{i}.weight"`` (gamma, starts at 1), ``"{i}.bias"`` (beta, 0),
    ``"{i}.running_mean"`` (0), ``"{i}.running_var"`` (1) and
    ``"{i}.num_batches_tracked"``, as in ``torch.nn.BatchNorm1d``. Keras calls
    1 - momentum the momentum, and has eps = 1e-3. In sample-weighted fits the
    statistics do not look at the weights.

    Parameters
    ----------
    eps : float, default 1e-5
        Added to the variance, > 0.
    momentum : float, default 0.1
        Weight of the newest batch in the running statistics, in [0, 1].
    lr_scale : float, default 1.0
        Factor on the learning rate for this layer's parameters, >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.array([[0.0], [2.0], [4.0], [6.0]])
    >>> net = fnn.Sequential(fnn.BatchNorm(momentum=1.0), fnn.Dense(1))
    >>> _ = net.fit(X, X, loss="mse", epochs=1)
    >>> net.state_dict()["0.running_mean"].tolist()
    [3.0]
    """

    kind: ClassVar[str] = "batchnorm"
    eps: float = 1e-5
    momentum: float = 0.1
    _: dataclasses.KW_ONLY
    lr_scale: float = 1.0

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of scale, shift, statistics and their counter."""
        names = ("weight", "bias", "running_mean", "running_var")
        return {
            **dict.fromkeys(names, (dtype, (in_features,))),
            "num_batches_tracked": ("int64", ()),
        }


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LayerNorm(Layer):
    """Layer normalisation: each row is brought to mean 0 and variance 1.

    ``y = gamma * (x - mean) / sqrt(var + eps) + beta`` with mean and biased variance
    over the features of the row, in training and inference alike. Ba, Kiros and
    Hinton, "Layer normalization" (2016). Tensors: ``"{i}.weight"`` (gamma) and
    ``"{i}.bias"`` (beta), as in ``torch.nn.LayerNorm``; Keras has eps = 1e-3.

    Parameters
    ----------
    eps : float, default 1e-5
        Added to the variance, > 0.
    lr_scale : float, default 1.0
        Factor on the learning rate for this layer's parameters, >= 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.LayerNorm()).build(2)
    >>> net.predict([[1.0, 3.0]]).round(3).tolist()
    [[-1.0, 1.0]]
    """

    kind: ClassVar[str] = "layernorm"
    eps: float = 1e-5
    _: dataclasses.KW_ONLY
    lr_scale: float = 1.0

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of scale and shift."""
        return dict.fromkeys(("weight", "bias"), (dtype, (in_features,)))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RMSNorm(Layer):
    """Root-mean-square normalisation: each row is brought to mean square 1.

    ``y = gamma * x / sqrt(mean(x**2) + eps)`` with the mean over the features of the
    row, in training and inference alike: `LayerNorm` without centring and shift, and
    cheaper. Zhang and Sennrich, "Root mean square layer normalization" (2019). Tensor:
    ``"{i}.weight"`` (gamma, starts at 1), as in ``torch.nn.RMSNorm``.

    Parameters
    ----------
    eps : float, optional
        Added to the mean square, > 0. None: that of the network's dtype,
        ``np.finfo(dtype).eps``, as torch has it.
    lr_scale : float, default 1.0
        Factor on the learning rate for this layer's parameters, >= 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.RMSNorm()).build(2)
    >>> net.predict([[3.0, 4.0]]).round(4).tolist()
    [[0.8485000133514404, 1.1313999891281128]]
    """

    kind: ClassVar[str] = "rmsnorm"
    eps: float | None = None
    _: dataclasses.KW_ONLY
    lr_scale: float = 1.0

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of the scale."""
        return {"weight": (dtype, (in_features,))}
