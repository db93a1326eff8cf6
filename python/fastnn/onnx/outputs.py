"""What a model tells beside the raw outputs: probabilities and labels, or rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn.losses import Loss, PoissonNLL
from fastnn.onnx.graph import Graph

__all__ = ["Shape", "add_meaning", "checked_classes"]

Shape: TypeAlias = tuple[str | int, ...]
"""The shape of an output; a string is an axis whose length is not fixed."""


def checked_classes(
    classes: Sequence[Any] | npt.NDArray[Any] | None, loss: Loss | None, width: int
) -> npt.NDArray[Any] | None:
    """Return the class labels as an array ONNX can hold, or None for none.

    Their number must fit the outputs: one for each; two for one yes/no output. A single
    one says that there was no other in training.
    """
    if classes is None:
        return None
    if loss is None or loss.targets not in ("classes", "labels"):
        fitted = "was not fitted yet" if loss is None else f"has loss {loss.kind!r}"
        raise ValueError(
            f"classes: the network {fitted}, so its outputs are no classes; leave "
            "classes out"
        )
    labels = np.asarray(classes)
    yes_or_no = loss.targets == "labels" and width == 1
    wanted = 2 if yes_or_no else width
    alone = labels.shape == (1,) and (yes_or_no or loss.targets == "classes")
    if labels.shape != (wanted,) and not alone:
        raise ValueError(
            f"classes must be {wanted} labels for {width} output"
            f"{'' if width == 1 else 's'} of loss {loss.kind!r}, got shape "
            f"{labels.shape}"
        )
    return _storable(labels)


def _storable(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels as int64, float64, bool or strings."""
    kind = labels.dtype.kind
    if kind in "iu" and (kind == "i" or labels.max() <= np.iinfo(np.int64).max):
        return labels.astype(np.int64)
    if kind == "f":
        return labels.astype(np.float64)
    if kind == "b":
        return labels
    if kind in "UO" and all(isinstance(label, str) for label in labels):
        return labels.astype(object)
    raise TypeError(
        "classes must be strings, integers below 2**63, floats or booleans, got "
        f"{labels.dtype} {labels.tolist()!r}"
    )


def add_meaning(
    g: Graph, raw: str, loss: Loss, width: int, classes: npt.NDArray[Any] | None
) -> dict[str, tuple[Any, Shape]]:
    """Append what the outputs mean by the loss; return the types and shapes of it."""
    g.scope = ""
    if isinstance(loss, PoissonNLL):
        g.output(g.node("Exp", raw), "rates")
        return {"rates": (g.dtype, ("n", width))}
    if classes is not None and len(classes) == 1:
        return _certain(g, raw, classes)
    if loss.targets == "classes":
        return _one_of_many(g, raw, width, loss, classes)
    if loss.targets == "labels":
        found = _yes_or_no if width == 1 else _many_labels
        return found(g, raw, width, loss, classes)
    return {}


def _certain(
    g: Graph, raw: str, classes: npt.NDArray[Any]
) -> dict[str, tuple[Any, Shape]]:
    """Append the only class there was in training, whatever the outputs are."""
    zero = g.node("ReduceMean", g.node("Sub", raw, raw), g.axes(1), keepdims=1)
    g.output(g.node("Add", zero, 1.0), "probabilities")
    column = g.node("Cast", zero, to=g.onnx.TensorProto.INT64)
    index = g.node("Squeeze", column, g.axes(1))
    return {
        "probabilities": (g.dtype, ("n", 1)),
        "label": (_add_label(g, index, classes), ("n",)),
    }


def _one_of_many(
    g: Graph, raw: str, width: int, loss: Loss, classes: npt.NDArray[Any] | None
) -> dict[str, tuple[Any, Shape]]:
    """Append the most probable class, the first of those that are equal."""
    found: dict[str, tuple[Any, Shape]] = {}
    if loss.are_logits:
        g.output(g.node("Softmax", raw, axis=-1), "probabilities")
        found["probabilities"] = (g.dtype, ("n", width))
    index = g.node("ArgMax", raw, axis=-1, keepdims=0)
    return {**found, "label": (_add_label(g, index, classes), ("n",))}


def _yes_or_no(
    g: Graph, raw: str, width: int, loss: Loss, classes: npt.NDArray[Any] | None
) -> dict[str, tuple[Any, Shape]]:
    """Append a label for each row; with classes, a probability for either."""
    found: dict[str, tuple[Any, Shape]] = {}
    if loss.are_logits:
        logits = raw
        if classes is not None:
            width = 2
            logits = g.node("Concat", g.node("Neg", raw), raw, axis=-1)
        g.output(g.node("Sigmoid", logits), "probabilities")
        found["probabilities"] = (g.dtype, ("n", width))
    index = g.node("Squeeze", _above_zero(g, raw), g.axes(1))
    return {**found, "label": (_add_label(g, index, classes), ("n",))}


def _many_labels(
    g: Graph, raw: str, width: int, loss: Loss, classes: npt.NDArray[Any] | None
) -> dict[str, tuple[Any, Shape]]:
    """Append a yes (1) or no (0) for every output of a row, whatever its name."""
    del classes
    found: dict[str, tuple[Any, Shape]] = {}
    if loss.are_logits:
        g.output(g.node("Sigmoid", raw), "probabilities")
        found["probabilities"] = (g.dtype, ("n", width))
    g.output(_above_zero(g, raw), "label")
    return {**found, "label": (np.dtype(np.int64), ("n", width))}


def _above_zero(g: Graph, raw: str) -> str:
    """Append 1 where an output is above 0, as the metric "accuracy" decides."""
    yes = g.node("Greater", raw, 0.0)
    return g.node("Cast", yes, to=g.onnx.TensorProto.INT64)


def _add_label(g: Graph, index: str, classes: npt.NDArray[Any] | None) -> Any:
    """Append the label of each row's class and return its type."""
    if classes is None:
        g.output(index, "label")
        return np.dtype(np.int64)
    g.output(g.node("Gather", g.constant("classes", classes), index), "label")
    return classes.dtype
