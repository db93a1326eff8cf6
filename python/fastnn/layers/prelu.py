"""A rectifier whose slope is learned."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.layers.base import Layer, TensorSpec

__all__ = ["PReLU"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PReLU(Layer):
    """Leaky ReLU with a learned slope: ``y = x if x > 0 else a * x``.

    He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015). Tensor:
    ``"{i}.weight"``, the slope or slopes a, as in ``torch.nn.PReLU``. `l1`, `l2` and
    `max_norm` of a fit leave them alone, as He et al. advise: a slope drawn to 0 is a
    ReLU. An optimizer's own ``weight_decay`` moves all parameters, as torch's does.

    Parameters
    ----------
    init : float, default 0.25
        The first slope.
    per_unit : bool, default False
        Whether each unit has a slope of its own, torch's ``num_parameters=width``;
        False: all units share one.
    lr_scale : float, default 1.0
        Factor on the learning rate for the slopes, >= 0.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, not finite or of the wrong type.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.PReLU(per_unit=True)).build(3)
    >>> net.parameters[:] = [0.5, 2.0, -1.0]
    >>> net.predict([[-2.0, -2.0, -2.0], [1.0, 2.0, 3.0]]).tolist()
    [[-1.0, -4.0, 2.0], [1.0, 2.0, 3.0]]
    """

    kind: ClassVar[str] = "prelu"
    init: float = 0.25
    per_unit: bool = False
    _: dataclasses.KW_ONLY
    lr_scale: float = 1.0

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of the slopes."""
        return {"weight": (dtype, (in_features if self.per_unit else 1,))}
