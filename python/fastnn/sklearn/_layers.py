"""From parameters to layers and their first weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn._config import from_name, is_int
from fastnn._validation import check_bool, check_int, check_number
from fastnn.layers import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    Sigmoid,
)
from fastnn.layers.chain import checked_chain

__all__ = ["glorot_weights", "hidden_layers"]

Array = npt.NDArray[Any]


def hidden_layers(estimator: Any) -> tuple[Layer, ...]:
    """Return all layers but the last, whose width y decides.

    Raises
    ------
    TypeError, ValueError
        If `layers`, or what stands for it, is unusable.
    """
    get = vars(estimator).__getitem__
    rate, batch_norm = get("dropout"), check_bool("batch_norm", get("batch_norm"))
    if (given := get("layers")) is not None:
        if batch_norm or not _is_zero(rate):
            raise ValueError(
                "layers is given together with dropout or batch_norm: put Dropout() "
                "and BatchNorm() among the layers instead"
            )
        if not isinstance(given, (list, tuple)):
            raise TypeError(
                "layers must be a list of fastnn layers, without the output layer, "
                f"got {type(given).__name__}"
            )
        return checked_chain(tuple(given)) if given else ()
    sizes = _sizes(get("hidden_layer_sizes"))
    activations = _each("activation", get("activation"), len(sizes), str, Activation)
    rates = _each("dropout", rate, len(sizes), float, int)
    layers: list[Layer] = []
    for size, activation, p in zip(sizes, activations, rates, strict=True):
        nonlinear = _activation(activation)
        p = check_number("dropout", p, at_least=0.0, below=1.0)  # noqa: PLW2901
        if batch_norm:
            layers += [Dense(size, init="glorot_uniform"), BatchNorm(), nonlinear]
        else:
            layers.append(Dense(size, nonlinear, init="glorot_uniform"))
        if p > 0:
            layers.append(Dropout(p))
    return tuple(layers)


def _is_zero(rate: object) -> bool:
    return isinstance(rate, (int, float)) and rate == 0


def _sizes(given: Any) -> list[int]:
    """Return the widths of the hidden layers; an integer is one layer."""
    if is_int(given):
        given = [given]
    if not isinstance(given, Iterable) or isinstance(given, (str, Mapping)):
        raise TypeError(
            "hidden_layer_sizes must be a tuple of integers such as (100,), got "
            f"{type(given).__name__} {given!r}"
        )
    return [check_int("hidden_layer_sizes", size, 1) for size in given]


def _each(argument: str, given: Any, count: int, *single: type) -> list[Any]:
    """Return one value a hidden layer, from one for all or from a list."""
    if isinstance(given, single) or not isinstance(given, (list, tuple, np.ndarray)):
        return [given] * count
    if len(given) != count:
        raise ValueError(
            f"{argument} has {len(given)} entries for {count} hidden layers: give one "
            "for each, or one for all"
        )
    return list(given)


def _activation(given: object) -> Activation:
    name = "sigmoid" if given == "logistic" else given  # scikit-learn's name
    return from_name("activation", name, Activation, ACTIVATIONS)


def glorot_weights(
    layers: tuple[Layer, ...], in_features: int, random_state: np.random.RandomState
) -> dict[str, Array]:
    """Draw scikit-learn's first weights, the same numbers for the same generator.

    Weights and biases are uniform within the root of 6 / (in + out), of 2 / (in + out)
    around the logistic function. Glorot and Bengio, "Understanding the difficulty of
    training deep feedforward neural networks" (2010).
    """
    state: dict[str, Array] = {}
    places = [i for i, layer in enumerate(layers) if isinstance(layer, Dense)]
    fan_in, factor = in_features, 6.0
    for i in places:
        fan_out = layers[i].width(fan_in)
        if i != places[-1]:  # the last one takes after the hidden one before it
            factor = 2.0 if _is_logistic(layers[i:]) else 6.0
        bound = np.sqrt(factor / (fan_in + fan_out))
        w = random_state.uniform(-bound, bound, (fan_in, fan_out))
        state[f"{i}.weight"] = w.T
        state[f"{i}.bias"] = random_state.uniform(-bound, bound, fan_out)
        fan_in = fan_out
    return state


def _is_logistic(layers: tuple[Layer, ...]) -> bool:
    """Whether the first activation in these layers is the logistic function."""
    for layer in layers:
        found = layer.activation if isinstance(layer, Dense) else layer
        if isinstance(found, Activation):
            return isinstance(found, Sigmoid)
    return False
