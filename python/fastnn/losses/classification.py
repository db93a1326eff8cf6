"""Losses for classes and yes/no labels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, SupportsFloat

from fastnn.losses.base import Loss

__all__ = ["BinaryCrossEntropy", "CrossEntropy", "Focal", "Hinge"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CrossEntropy(Loss):
    """Softmax cross-entropy: ``l = -sum_j t_j log softmax(o)_j``.

    y holds integer labels (n,), 0 to k-1, or rows of probabilities (n, k). The last
    layer gives k >= 2 logits, without softmax. As ``torch.nn.CrossEntropyLoss``; with
    sample weights the mean is ``sum(w * l) / sum(w)``.

    Parameters
    ----------
    label_smoothing : float, default 0.0
        s in [0, 1): ``t = (1 - s) * t + s / k``. Szegedy et al., "Rethinking the
        Inception architecture" (2016).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(2)
    >>> round(net.evaluate([[0.0, 0.0]], [1], loss="cross_entropy")["loss"], 4)
    0.6931
    """

    kind: ClassVar[str] = "cross_entropy"
    targets: ClassVar[Literal["classes"]] = "classes"
    label_smoothing: float = 0.0

    def check_outputs(self, n_outputs: int) -> None:
        """Raise ValueError for a single output: softmax of one logit is always 1."""
        _check_classes(self.kind, n_outputs)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Focal(Loss):
    """Cross-entropy that cares less for rows that are right already.

    ``l = -sum_j t_j (1 - p_j)**gamma log p_j`` with p = softmax(o) and the target t as
    for `CrossEntropy`, which it is for gamma = 0. For classes of very different size;
    for one yes/no output use two classes. Lin et al., "Focal loss for dense object
    detection" (2017), who have it for one sigmoid, with a weight alpha for the rare
    class: that is `class_weight` here.

    Parameters
    ----------
    gamma : float, default 2.0
        >= 0: how little rows count that are right.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(2)
    >>> round(net.evaluate([[0.0, 0.0]], [1], loss=fnn.Focal())["loss"], 4)
    0.1733
    """

    kind: ClassVar[str] = "focal"
    targets: ClassVar[Literal["classes"]] = "classes"
    gamma: float = 2.0

    def check_outputs(self, n_outputs: int) -> None:
        """Raise ValueError for a single output: softmax of one logit is always 1."""
        _check_classes(self.kind, n_outputs)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BinaryCrossEntropy(Loss):
    """Logistic loss of each output by itself: one yes/no label or many.

    ``l = -mean_j [p_j y_j log s(o_j) + (1 - y_j) log(1 - s(o_j))]``, s the sigmoid, p
    `pos_weight`; y is in [0, 1], of shape (n,) for one output or (n, outputs). As
    ``torch.nn.BCEWithLogitsLoss``.

    Parameters
    ----------
    pos_weight : float or sequence of float, optional
        Weight of the positive cases, > 0: one for all outputs or one for each.
    label_smoothing : float, default 0.0
        s in [0, 1): ``y = y * (1 - s) + s / 2`` (Keras' definition; torch has none).
    sum_outputs : bool, default False
        True: the sum over outputs instead of their mean, as scikit-learn has it.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> loss = fnn.BinaryCrossEntropy(pos_weight=3.0)
    >>> round(net.evaluate([[0.0]], [1], loss=loss)["loss"], 4)
    2.0794
    """

    kind: ClassVar[str] = "binary_cross_entropy"
    targets: ClassVar[Literal["labels"]] = "labels"
    pos_weight: Sequence[float] | SupportsFloat | None = None
    label_smoothing: float = 0.0
    sum_outputs: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "pos_weight", _weights(self.pos_weight))
        super().__post_init__()

    def check_outputs(self, n_outputs: int) -> None:
        """Raise ValueError if there are as many weights as neither 1 nor outputs."""
        weights = self.to_native()["pos_weight"]
        if len(weights) not in (0, 1, n_outputs):
            raise ValueError(
                f"loss: pos_weight has {len(weights)} entries, but the network has "
                f"{n_outputs} outputs: give one number or one for each output"
            )

    def to_native(self) -> dict[str, Any]:
        """Return the dict C++ reads: pos_weight as a list, empty for none."""
        weights = () if self.pos_weight is None else self.pos_weight
        return {**super().to_native(), "pos_weight": list(weights)}  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Hinge(Loss):
    """Hinge loss of yes/no labels, one or many, as in support vector machines.

    ``l = mean_j max(0, 1 - t_j o_j)`` with t = 2 y - 1, so -1 for no and 1 for yes; y
    is in [0, 1], or all of it -1 and 1, of shape (n,) for one output or (n, outputs).
    Outputs are margins, not logits: the sign decides, and there is no
    ``predict_proba``. For one of k classes give y as k columns of 0 and 1. Cortes and
    Vapnik, "Support-vector networks" (1995).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> net.evaluate([[0.5], [0.5]], [1, 0], loss="hinge", metrics=["accuracy"])
    {'loss': 1.0, 'accuracy': 0.5}
    """

    kind: ClassVar[str] = "hinge"
    targets: ClassVar[Literal["labels"]] = "labels"
    are_logits: ClassVar[bool] = False
    takes_signs: ClassVar[bool] = True


def _check_classes(kind: str, n_outputs: int) -> None:
    if n_outputs == 1:
        raise ValueError(
            f"loss: {kind} needs one output per class, at least 2, but the network has "
            "1: use loss='binary_cross_entropy' for one yes/no logit, or a last layer "
            "Dense(2)"
        )


def _weights(value: Any) -> tuple[float, ...] | None:
    """Return pos_weight as a tuple of floats."""
    if value is None:
        return None
    try:
        weights = (
            tuple(float(v) for v in value)
            if hasattr(value, "__iter__") and not isinstance(value, str)
            else (float(value),)
        )
    except (TypeError, ValueError):
        weights = ()
    if not weights:
        raise TypeError(
            "BinaryCrossEntropy: pos_weight must be a number or a sequence of "
            f"numbers, one for each output, got {value!r}"
        )
    for weight in weights:
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError(
                "BinaryCrossEntropy: pos_weight must be finite numbers > 0, got "
                f"{weight}"
            )
    return weights
