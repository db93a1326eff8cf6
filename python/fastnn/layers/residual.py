"""Layers with a way around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from fastnn.layers.base import Layer, TensorSpec
from fastnn.layers.chain import checked_chain, declared_width, named_tensors
from fastnn.layers.chain import output_width as chain_width

__all__ = ["Residual"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False, init=False)
class Residual(Layer):
    """A block of layers with a way around it: ``y = skip(x) + F(x)``.

    F is the layers given. The skip is x itself where F keeps the width; else it is a
    learned projection ``x P^T`` of x to F's width, a dense layer without bias and
    activation. He, Zhang, Ren and Sun, "Deep residual learning for image recognition"
    (2016), their option B. An activation that follows the block, as in the original
    networks, is a layer of its own; blocks may stand within blocks, 8 deep.

    With `survival` below 1 each row of a training batch keeps F with this probability,
    scaled by 1 / survival, and is skip(x) alone otherwise; inference takes
    skip(x) + F(x). Huang, Sun, Liu, Sedra and Weinberger, "Deep networks with
    stochastic depth" (2016), row by row as ``torchvision.ops.stochastic_depth(mode=
    "row")``; they drop F for whole batches and scale in inference instead. Which rows
    keep F is a function of the network's seed, the step, the block and the row alone.

    Tensors, in this order: those of layer j within the block ``"{i}.{j}.weight"`` ...,
    as of nested ``torch.nn.Sequential``, then ``"{i}.projection.weight"`` P
    (width of F, in_features) if there is one. With ``init="auto"`` the activation that
    follows may stand after the block: it decides how F's last layer and P start.

    Parameters
    ----------
    *layers : Layer
        F, at least one layer, as for `Sequential`; one list will do.
    survival : float, default 1.0
        Probability of a row to keep F in training, in (0, 1].
    projection : "auto" or bool, default "auto"
        Whether the skip is a projection; "auto": where F changes the width.
    lr_scale : float, default 1.0
        Factor on the learning rate for the projection, >= 0; the layers of F have
        their own.

    Raises
    ------
    ValueError
        If there are no layers, their widths do not fit together, `survival` or
        `lr_scale` is out of range, or blocks are nested too deeply. With
        ``projection=False`` also if `lr_scale` is given, or F changes the width, once
        that is known.
    TypeError
        If a layer is none.

    Examples
    --------
    >>> import fastnn as fnn
    >>> block = fnn.Residual(fnn.Dense(8), fnn.ReLU(), fnn.Dense(2), survival=0.9)
    >>> net = fnn.Sequential(block, fnn.ReLU(), fnn.Dense(1)).build(2)
    >>> [name for name in net.state_dict()]
    ['0.0.weight', '0.0.bias', '0.2.weight', '0.2.bias', '2.weight', '2.bias']
    >>> double = fnn.Residual(fnn.Identity())
    >>> fnn.Sequential(double).build(2).predict([[1.0, -3.0]]).tolist()
    [[2.0, -6.0]]
    """

    kind: ClassVar[str] = "residual"
    layers: tuple[Layer, ...]
    survival: float = 1.0
    projection: Literal["auto"] | bool = "auto"
    lr_scale: float = 1.0

    def __init__(
        self,
        *layers: Any,
        survival: float = 1.0,
        projection: Literal["auto"] | bool = "auto",
        lr_scale: float = 1.0,
    ) -> None:
        checked = checked_chain(layers, "Residual: ")
        for name, value in (
            ("layers", checked),
            ("survival", survival),
            ("projection", projection),
            ("lr_scale", lr_scale),
        ):
            object.__setattr__(self, name, value)
        super().__post_init__()
        declared = declared_width(checked)
        if declared is not None:
            self.width(declared)

    @classmethod
    def from_stored(cls, fields: dict[str, Any]) -> Residual:
        """Return the block of these fields, as `stored` gave them."""
        rest = {name: value for name, value in fields.items() if name != "layers"}
        layers = fields["layers"]
        if not isinstance(layers, tuple):
            raise TypeError(f"layers must be a list, got {type(layers).__name__}")
        return cls(layers, **rest)

    def around(self, layers: Iterable[Layer]) -> Residual:
        """Return the block with these layers as F, all else as in this one."""
        return self.from_stored({**self.stored(), "layers": tuple(layers)})

    def inner(self) -> tuple[Layer, ...]:
        """Return the layers that F is made of."""
        return self.layers

    def width(self, in_features: int) -> int:
        """Return the width of F's outputs, if the block can have it."""
        width = chain_width(self.layers, in_features) or in_features
        if width != in_features and self.projection is False:
            raise ValueError(
                f"{self!r} is given {in_features} columns and its layers give {width}, "
                "so their sum needs a projection: leave out projection=False, or let "
                f"the last Dense in it have {in_features} units"
            )
        return width

    def projects(self, in_features: int) -> bool:
        """Whether the skip is a learned projection for so many columns."""
        if self.projection == "auto":
            return self.width(in_features) != in_features
        return self.projection

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of the layers' tensors, then of the projection."""
        specs = named_tensors(self.layers, in_features, dtype)
        if self.projects(in_features):
            shape = (self.width(in_features), in_features)
            specs["projection.weight"] = (dtype, shape)
        return specs

    def to_native(self) -> dict[str, Any]:
        """Return the dict C++ reads, layers in it likewise."""
        return {
            **super().to_native(),
            "layers": [layer.to_native() for layer in self.layers],
            "projection": None if self.projection == "auto" else self.projection,
        }

    def undrawn(self) -> dict[str, Any]:
        """Return the dict C++ reads for a network whose numbers are at hand."""
        layers = [layer.undrawn() for layer in self.layers]
        return {**self.to_native(), "layers": layers}

    def options(self) -> str:
        """Return what `repr` says after the layers: ``"survival=0.9"``."""
        shown = [] if self.survival == 1.0 else [f"survival={self.survival!r}"]
        if self.projection != "auto":
            shown.append(f"projection={self.projection!r}")
        if self.lr_scale != 1.0:
            shown.append(f"lr_scale={self.lr_scale!r}")
        return ", ".join(shown)

    def __repr__(self) -> str:
        shown = [repr(layer) for layer in self.layers]
        shown += [self.options()] if self.options() else []
        return f"Residual({', '.join(shown)})"
