"""The largest of several affine maps."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from fastnn.layers.base import Layer, TensorSpec
from fastnn.layers.dense import InitName, check_init_name

__all__ = ["Maxout"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Maxout(Layer):
    """A learned activation: each unit is the largest of several affine maps.

    ``y_j = max_k (x . w_kj + b_kj)``, k = 0 .. pieces - 1: piecewise linear and convex,
    of which ReLU and the absolute value are special cases. The gradient goes to the
    piece that won; of equal ones the first wins. Goodfellow, Warde-Farley, Mirza,
    Courville and Bengio, "Maxout networks" (2013). torch and Keras have none.

    Tensors: ``"{i}.weight"`` (pieces * units, in), whose row ``k * units + j`` is piece
    k of unit j, and ``"{i}.bias"`` (pieces * units,). `l1`, `l2` and `max_norm` of a
    fit count for these weights as for those of `Dense`, each row by itself.

    Parameters
    ----------
    units : int
        Outputs of the layer, >= 1.
    pieces : int, default 2
        Affine maps of which a unit takes the largest, >= 2.
    init : str, default "auto"
        How the weights start; biases start at 0 except for "torch". "auto" is normal of
        variance 1 / (M in), M the mean square of the largest of as many standard normal
        numbers as there are pieces (1 for two, 1.28 for three): it keeps the mean
        square of what passes through, as He's does for ReLU. All else as for `Dense`,
        where `out` is pieces * units.
    in_features : int, optional
        Width of the input; None: inferred when the network is built.
    lr_scale : float, default 1.0
        Factor on the learning rate for this layer's parameters.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, an unknown name, or of the wrong type.

    Examples
    --------
    Two pieces, x and -x, are the absolute value:

    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Maxout(1)).build(1)
    >>> net.parameters[:] = [1.0, -1.0, 0.0, 0.0]
    >>> net.predict([[-3.0], [2.0]]).tolist()
    [[3.0], [2.0]]
    """

    kind: ClassVar[str] = "maxout"
    units: int
    pieces: int = 2
    _: dataclasses.KW_ONLY
    init: InitName = "auto"
    in_features: int | None = None
    lr_scale: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.init, str):
            check_init_name("Maxout", self.init)
        super().__post_init__()

    def width(self, in_features: int) -> int:
        """Return `units`, whatever comes in."""
        del in_features
        return self.units

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of the weights and biases of all pieces."""
        rows = self.pieces * self.units
        return {"weight": (dtype, (rows, in_features)), "bias": (dtype, (rows,))}

    def undrawn(self) -> dict[str, Any]:
        """Return the dict C++ reads for a network whose numbers are at hand."""
        return {**self.to_native(), "init": "zeros"}
