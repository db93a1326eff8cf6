"""Class labels of any kind, and what a network learns and says of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from fastnn._config import nearest, number

__all__ = ["Labels"]

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """The classes of a classifier.

    Attributes
    ----------
    classes : ndarray
        One entry a class, sorted; of multilabel targets the numbers of the columns.
    multilabel : bool
        Whether each row may be of many classes: y is a matrix of 0 and 1.
    """

    classes: Array
    multilabel: bool

    @classmethod
    def of(cls, y: Array) -> Labels:
        """Return the classes that occur in y."""
        check_classification_targets(y)
        if type_of_target(y) == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), multilabel=True)
        return cls._of_one_column(y)

    @classmethod
    def _of_one_column(cls, y: Array) -> Labels:
        if y.ndim != 1:
            raise ValueError(
                f"y has shape {y.shape}: several columns of classes are not supported, "
                "give labels of shape (n,) or, for many labels a row, a matrix of 0 "
                "and 1"
            )
        return cls(np.unique(y), multilabel=False)

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def thin(self) -> bool:
        """Whether one yes/no output tells all classes apart."""
        return not self.multilabel and len(self) <= 2

    def encode(self, y: Array, argument: str = "y") -> Array:
        """Return y in numbers: classes from 0, or the matrix of 0 and 1."""
        if self.multilabel:
            if y.ndim != 2 or y.shape[1] != len(self):
                raise ValueError(
                    f"{argument} has shape {y.shape}, but this classifier was made for "
                    f"{len(self)} labels a row: give a matrix of 0 and 1 with "
                    f"{len(self)} columns"
                )
            check_classification_targets(y)
            if not np.isin(y, (0, 1)).all():
                raise ValueError(
                    f"{argument} must hold 0 and 1 where rows may have many labels"
                )
            return y
        if y.ndim != 1:
            raise ValueError(
                f"{argument} has shape {y.shape}, but this classifier was made for one "
                "class a row: give labels of shape (n,)"
            )
        try:
            codes = np.minimum(np.searchsorted(self.classes, y), len(self) - 1)
            unknown = self.classes[codes] != y
        except TypeError:  # text among numbers
            unknown = np.ones(len(y), dtype=bool)
        if np.any(unknown):
            found = np.unique(y[np.asarray(unknown)])
            raise ValueError(
                f"{argument} holds classes that this classifier does not know: "
                f"{found[:5].tolist()}; classes_ is {self.classes.tolist()}. Name all "
                "classes in the first partial_fit, or fit anew without warm_start"
            )
        return np.asarray(codes)

    def of_codes(self, codes: Array) -> Array:
        """Return what `encode` was given."""
        return codes if self.multilabel else np.asarray(self.classes[codes])

    # -- what outputs (n, k) mean ------------------------------------------------------

    def decode(self, outputs: Array) -> Array:
        """Return the most probable labels."""
        if self.multilabel:
            return (outputs > 0).astype(int)
        if len(self) == 1:
            return np.repeat(self.classes, len(outputs))
        if outputs.shape[1] == 1:
            return np.asarray(self.classes[(outputs[:, 0] > 0).astype(int)])
        return np.asarray(self.classes[outputs.argmax(axis=1)])

    def probabilities(self, logits: Array) -> Array:
        """Return a column for each class, from outputs that are logits of yes."""
        if self.multilabel:
            return np.asarray(expit(logits))
        if len(self) == 1:
            return np.ones((len(logits), 1), logits.dtype)
        return np.asarray(expit(np.hstack([-logits, logits])))

    # -- weights -----------------------------------------------------------------------

    def row_weights(self, class_weight: Any, codes: Array) -> Array | None:
        """Return the class weight of each row, or None for none."""
        if class_weight is None:
            return None
        if self.multilabel:
            raise ValueError(
                "class_weight needs one class a row, but y is a matrix of labels: use "
                "sample_weight, or loss=fnn.BinaryCrossEntropy(pos_weight=[...], "
                "sum_outputs=True)"
            )
        counts = np.bincount(codes, minlength=len(self))
        if isinstance(class_weight, Mapping):
            return self._table(class_weight, counts)[codes]
        if isinstance(class_weight, str) and class_weight == "balanced":
            table = len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
            return np.asarray(table[codes])
        hint = nearest(class_weight, ["balanced"]) if type(class_weight) is str else ""
        raise ValueError(
            "class_weight must be 'balanced', a dict {class: weight} or None, got "
            f"{class_weight!r}{hint}"
        )

    def _table(self, given: Mapping[Any, Any], counts: Array) -> Array:
        """Return the weight of each class; those the dict leaves out weigh 1."""
        weights = dict(given)
        table = np.ones(len(self))
        for k, label in enumerate(self.classes.tolist()):
            if label in weights:
                table[k] = number(f"class_weight[{label!r}]", weights.pop(label))
                if not 0 <= table[k] < np.inf:
                    raise ValueError(
                        f"class_weight[{label!r}] must be finite and >= 0, got "
                        f"{table[k]}"
                    )
            elif counts[k] and set(weights) - set(self.classes.tolist()):
                strange = next(w for w in weights if w not in self.classes.tolist())
                raise ValueError(
                    f"class_weight names class {strange!r}, which y does not hold, and "
                    f"leaves out {label!r}: the classes are {self.classes.tolist()}"
                )
        return table
