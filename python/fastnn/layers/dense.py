"""The dense layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._config import from_name, nearest
from fastnn.layers.activations import ACTIVATIONS
from fastnn.layers.base import Activation, Layer, TensorSpec

__all__ = ["Dense", "InitName", "check_init_name"]

ActivationName: TypeAlias = Literal[
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "sigmoid",
    "tanh",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "identity",
]
InitName: TypeAlias = Literal[
    "auto",
    "he_normal",
    "he_uniform",
    "glorot_normal",
    "glorot_uniform",
    "lecun_normal",
    "orthogonal",
    "torch",
    "zeros",
]
InitArrays: TypeAlias = tuple[npt.ArrayLike, npt.ArrayLike | None]

_INITS: tuple[str, ...] = InitName.__args__  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dense(Layer):
    """Affine map with an optional activation: ``Y = act(X W^T + b)``.

    X is (n, in_features), W ``"{i}.weight"`` is (units, in_features), b
    ``"{i}.bias"`` is (units,): the shapes of ``torch.nn.Linear``, the transpose of
    Keras' and scikit-learn's.

    Parameters
    ----------
    units : int
        Outputs of the layer, >= 1.
    activation : str or Activation, optional
        A name such as "relu" or an object such as ``LeakyReLU(0.2)``. None: linear.
    use_bias : bool, default True
        Whether to add b.
    init : str or (W, b), default "auto"
        How the weights start; biases start at 0 except for "torch".

        ===================  ====================================================
        "auto"               He for the rectifier family, else Glorot (uniform)
        "he_normal"          N(0, 2 / in); He et al. (2015)
        "he_uniform"         U(-a, a), a = sqrt(6 / in)
        "glorot_normal"      N(0, 2 / (in + out)); Glorot and Bengio (2010)
        "glorot_uniform"     U(-a, a), a = sqrt(6 / (in + out))
        "lecun_normal"       N(0, 1 / in); LeCun et al. (1998)
        "orthogonal"         orthonormal rows or columns; Saxe et al. (2014)
        "torch"              U(-a, a), a = 1 / sqrt(in), for W and b
        "zeros"              0
        (W, b)               these arrays; b may be None if use_bias is False
        ===================  ====================================================

        Activations that follow as layers of their own count as the layer's
        activation for "auto".
    in_features : int, optional
        Width of the input; None: inferred when the network is built.
    lr_scale : float, default 1.0
        Factor on the learning rate for this layer's parameters.
    dropconnect : float, default 0.0
        Probability, in [0, 1), with which each weight is left out of a training step;
        the others are divided by 1 - dropconnect, biases stay. Inference takes all
        weights. See Notes.
    weight_norm : bool, default False
        Whether the weights are ``W_j = g_j * v_j / |v_j|`` for each unit j, with the
        length g and the direction v learned in place of W. See Notes.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, an unknown name, or of the wrong type; with
        `weight_norm`, if a unit's first weights are all 0: they have no direction.

    Notes
    -----
    **DropConnect**: Wan, Zeiler, Zhang, LeCun and Fergus, "Regularization of neural
    networks using DropConnect" (2013). They draw a mask for every sample; here the
    samples of a batch share one, drawn anew for each step: a mask a sample would make
    as many products of one row each, and as many copies of W, of what is one product.
    The mask is a function of the network's seed, the step, the layer and the weight
    alone. `l1`, `l2` and `max_norm` count for the weights without their mask.

    **Weight normalisation**: Salimans and Kingma, "Weight normalization" (2016); the
    start from data is left out. Tensors: ``"{i}.weight_g"`` (units, 1) and
    ``"{i}.weight_v"`` (units, in_features) in place of ``"{i}.weight"``, as
    ``torch.nn.utils.weight_norm`` names them. `init` gives v, and g is its length: W
    starts as it does without. `l1` and `l2` of a fit count for W: its squares sum to
    those of g, whatever the length of v; `max_norm` limits abs(g). An optimizer's own
    ``weight_decay`` shrinks both g and v, as torch's does. A unit whose v is all 0 is
    given weights 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> layer = fnn.Dense(2, "relu", init=([[1.0, -1.0], [0.5, 0.5]], [0.0, 1.0]))
    >>> fnn.Sequential(layer).predict([[3.0, 5.0]]).tolist()
    [[0.0, 5.0]]

    A unit's length by itself:

    >>> layer = fnn.Dense(1, init=([[3.0, 4.0]], [0.0]), weight_norm=True)
    >>> net = fnn.Sequential(layer)
    >>> net.state_dict()["0.weight_g"].tolist()
    [[5.0]]
    >>> net.predict([[1.0, 0.0]]).tolist()
    [[3.0]]
    """

    kind: ClassVar[str] = "dense"
    units: int
    activation: ActivationName | Activation | None = None
    _: dataclasses.KW_ONLY
    use_bias: bool = True
    init: InitName | InitArrays = "auto"
    in_features: int | None = None
    lr_scale: float = 1.0
    dropconnect: float = 0.0
    weight_norm: bool = False

    def __post_init__(self) -> None:
        if self.activation is not None:
            known = from_name("activation", self.activation, Activation, ACTIVATIONS)
            object.__setattr__(self, "activation", known)
        if isinstance(self.init, str):
            check_init_name("Dense", self.init, "; or give the arrays (W, b)")
        super().__post_init__()
        if self.weight_norm and self.init == "zeros":
            raise ValueError(
                "Dense: init must not be 'zeros' with weight_norm=True: weights 0 have "
                "no direction; take 'auto'"
            )
        if not isinstance(self.init, str):
            weight, bias = _init_arrays(self)
            object.__setattr__(self, "init", (weight, bias))
            object.__setattr__(self, "in_features", weight.shape[1])

    def width(self, in_features: int) -> int:
        """Return `units`, whatever comes in."""
        del in_features
        return self.units

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of the weights and, if there is one, the bias."""
        specs: dict[str, TensorSpec] = {}
        if self.weight_norm:
            specs["weight_g"] = (dtype, (self.units, 1))
        name = "weight_v" if self.weight_norm else "weight"
        specs[name] = (dtype, (self.units, in_features))
        if self.use_bias:
            specs["bias"] = (dtype, (self.units,))
        return specs

    @property
    def given(self) -> tuple[npt.NDArray[np.float64], ...]:
        """The (W, b) or (W,) that `init` gave, or () if it named a scheme."""
        if isinstance(self.init, str):
            return ()
        return tuple(a for a in self.init if isinstance(a, np.ndarray))

    def given_tensors(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the tensors that the arrays given as `init` make, by their names."""
        tensors = dict(zip(("weight", "bias"), self.given, strict=False))
        if tensors and self.weight_norm:
            weight = tensors.pop("weight")
            length = np.linalg.norm(weight, axis=1, keepdims=True)
            tensors = {"weight_g": length, "weight_v": weight, **tensors}
        return tensors

    def weight(self, tensors: Mapping[str, npt.NDArray[Any]], i: int | str) -> Any:
        """Return W of this layer at position i, in a block "1.0", from all tensors.

        It is one of them or, with weight normalisation, a read-only array made of two.
        """
        if not self.weight_norm:
            return tensors[f"{i}.weight"]
        g, v = tensors[f"{i}.weight_g"], tensors[f"{i}.weight_v"]
        length = np.linalg.norm(v.astype(np.float64), axis=1, keepdims=True)
        factor = np.divide(g, length, out=np.zeros_like(length), where=length > 0)
        weight = v * factor.astype(v.dtype)
        weight.setflags(write=False)
        return weight

    def undrawn(self) -> dict[str, Any]:
        """Return the dict C++ reads for a network whose numbers are at hand."""
        return {**self.to_native(), "init": "zeros"}

    def to_native(self) -> dict[str, Any]:
        """Return the dict C++ reads; given arrays are written in after the build."""
        values = super().to_native()
        if isinstance(self.activation, Activation):
            values["activation"] = self.activation.to_native()
        if not isinstance(self.init, str):
            values["init"] = "zeros"
        return values

    def stored(self) -> dict[str, Any]:
        """Return the fields as a file keeps them: given arrays are not its business."""
        fields = super().stored()
        if not isinstance(self.init, str):
            fields["init"] = "auto"
        return fields

    def _key(self) -> tuple[Any, ...]:
        init = self.init if isinstance(self.init, str) else None
        return (
            self.units,
            self.activation,
            self.use_bias,
            init,
            tuple(array.tobytes() for array in self.given),
            self.in_features,
            self.lr_scale,
            self.dropconnect,
            self.weight_norm,
        )

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Dense) else False

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        shown = [repr(self.units)]
        if self.activation is not None:
            shown.append(f"activation={self.activation!r}")
        if not self.use_bias:
            shown.append("use_bias=False")
        if not isinstance(self.init, str):
            shown.append("init=(W, b)" if self.use_bias else "init=(W, None)")
        elif self.init != "auto":
            shown.append(f"init={self.init!r}")
        if self.in_features is not None:
            shown.append(f"in_features={self.in_features}")
        if self.lr_scale != 1.0:
            shown.append(f"lr_scale={self.lr_scale!r}")
        if self.dropconnect != 0.0:
            shown.append(f"dropconnect={self.dropconnect!r}")
        if self.weight_norm:
            shown.append("weight_norm=True")
        return f"Dense({', '.join(shown)})"


def check_init_name(owner: str, name: str, otherwise: str = "") -> None:
    """Raise ValueError unless `name` is that of a scheme of first weights."""
    if name not in _INITS:
        raise ValueError(
            f"{owner}: init: unknown name {name!r}{nearest(name, _INITS) or '.'} "
            f"Known names: {', '.join(_INITS)}{otherwise}."
        )


def _numbers(what: str, value: object) -> npt.NDArray[np.float64]:
    try:
        return np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(
            f"Dense: {what} must be an array of numbers, got {type(value).__name__} "
            f"{value!r}"
        ) from None


def _init_arrays(
    layer: Dense,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Return the arrays given as `init`: checked, copied and read-only."""
    given: Any = layer.init
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeError(
            "Dense: init must be the name of a scheme or a pair of arrays (W, b), "
            f"got {type(given).__name__}"
        )
    weight = _numbers("init[0], the weights,", given[0])
    wanted_in = "in_features" if layer.in_features is None else layer.in_features
    if (
        weight.ndim != 2
        or weight.shape[0] != layer.units
        or weight.shape[1] == 0
        or (layer.in_features is not None and weight.shape[1] != layer.in_features)
    ):
        raise ValueError(
            f"Dense: init[0], the weights, must have shape (units, in_features) = "
            f"({layer.units}, {wanted_in}), got {weight.shape}; Keras' and "
            "scikit-learn's weights are the transpose"
        )
    if (given[1] is not None) != layer.use_bias:
        raise ValueError(
            "Dense: init[1], the bias, must be an array of shape (units,) with "
            "use_bias=True and None with use_bias=False"
        )
    bias = None if given[1] is None else _numbers("init[1], the bias,", given[1])
    if bias is not None and bias.shape != (layer.units,):
        raise ValueError(
            f"Dense: init[1], the bias, must have shape (units,) = ({layer.units},), "
            f"got {bias.shape}"
        )
    for index, array in enumerate((weight, bias)):
        if array is not None:
            if not np.isfinite(array).all():
                raise ValueError(f"Dense: init[{index}] holds NaN or infinity")
            array.setflags(write=False)
    if layer.weight_norm and not weight.any(axis=1).all():
        raise ValueError(
            "Dense: init[0], the weights, has a row of zeros, which has no direction: "
            "give other numbers, or weight_norm=False"
        )
    return weight, bias
