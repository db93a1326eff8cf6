"""What optimizers share; of update rules: the update of plain arrays and its state."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastnn._config import Config, number
from fastnn._native import core

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fastnn.layers import Layer

__all__ = ["Optimizer", "OptimizerState", "Rule", "rate"]


@dataclasses.dataclass
class OptimizerState:
    """What an optimizer remembers of the steps done so far.

    Made by `Optimizer.init`, changed by `Optimizer.update`. Plain data: pickle it, copy
    it, or read and write its arrays.

    Attributes
    ----------
    optimizer : str
        The name of the rule the state belongs to, such as ``"adam"``.
    step : int
        Updates done.
    slots : dict of str to ndarray
        The arrays of the rule, of the shape and dtype of the parameters, under the
        names they have in `torch.optim`'s state: ``"exp_avg"``, ...

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> opt, w = fnn.SGD(lr=0.1, momentum=0.9), np.zeros(2)
    >>> state = opt.init(w)
    >>> opt.update(w, np.array([1.0, -1.0]), state)
    >>> state.step, state.slots
    (1, {'momentum_buffer': array([ 1., -1.])})
    """

    optimizer: str
    step: int = 0
    slots: dict[str, NDArray[Any]] = dataclasses.field(default_factory=dict)

    def copy(self) -> OptimizerState:
        """Return a state of its own arrays, to go back to later."""
        return copy.deepcopy(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Optimizer(Config):
    """Base of the optimizers: what `Trainer` and `fit` train by.

    An optimizer itself is inert: it describes. Names, order and defaults of its
    settings are `torch.optim`'s.
    """

    def _check_ranges(self) -> None:
        core.check_optimizer(self.to_native())

    def state_names(self, count: int) -> tuple[str, ...] | None:
        """Return the names of the `count` arrays of its state; None: it has no such."""
        raise NotImplementedError

    def scheduled(self) -> tuple[str, ...]:
        """Return what may have a schedule in a `Trainer`, beside the learning rate."""
        return ()

    def check_training(self, layers: Iterable[Layer], **options: object) -> None:
        """Raise ValueError for layers or options of a `Trainer` it cannot serve."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Rule(Optimizer):
    """Base of the update rules: settings, and the update of plain arrays by them."""

    slot_names: ClassVar[tuple[str, ...]] = ()

    def state_names(self, count: int) -> tuple[str, ...] | None:
        """Return the names of its slots, if it has `count` of them."""
        names = tuple(self.rule.slots())
        return names if len(names) == count else None

    def scheduled(self) -> tuple[str, ...]:
        """Return what may have a schedule in a `Trainer`, beside the learning rate.

        "momentum" is the rule's own, if it is above 0, or the first of its betas.
        """
        momentum = getattr(self, "momentum", 0) or getattr(self, "betas", (0,))[0]
        names = ["weight_decay"] if hasattr(self, "weight_decay") else []
        return (*names, *(["momentum"] if momentum else []), "dropout")

    @functools.cached_property
    def rule(self) -> core.UpdateRule:
        """The compiled twin, made at first use."""
        return core.UpdateRule(self.to_native())

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def init(self, params: NDArray[Any]) -> OptimizerState:
        """Return the state before the first update.

        Parameters
        ----------
        params : ndarray, float32 or float64, any shape
            The parameters to be updated; only their shape, dtype and order count.

        Returns
        -------
        OptimizerState

        Raises
        ------
        TypeError
            `params` is no array, or of another dtype.

        Examples
        --------
        >>> import numpy as np
        >>> import fastnn as fnn
        >>> fnn.SGD(momentum=0.9).init(np.ones(3))
        OptimizerState(optimizer='sgd', step=0,
                       slots={'momentum_buffer': array([0., 0., 0.])})
        """
        given: object = params
        if isinstance(given, np.ma.MaskedArray) or not isinstance(given, np.ndarray):
            raise TypeError(
                f"params must be a plain NumPy array, got {type(params).__name__}"
            )
        if params.dtype not in (np.float32, np.float64) or not params.dtype.isnative:
            raise TypeError(
                f"params must be of dtype float32 or float64, got {params.dtype!r}: "
                "convert it with params.astype(np.float32)"
            )
        slots = {
            name: np.full_like(params, value, subok=False)
            for name, value in self.rule.slots().items()
        }
        return OptimizerState(self.kind, 0, slots)

    def update(
        self,
        params: NDArray[Any],
        grads: NDArray[Any],
        state: OptimizerState,
        lr: float | None = None,
    ) -> None:
        """Take one step, in place, in one pass over the arrays.

        Parameters
        ----------
        params : ndarray, float32 or float64, any shape
            Updated in place, whatever its memory order. Arrays that are all in C or all
            in Fortran order are updated where they lie; others by way of a copy.
        grads : ndarray
            The gradient of the loss, shape and dtype of `params`. It is not changed.
            NaN and infinity are taken as they are: they reach `params`.
        state : OptimizerState
            Made by `init`; its arrays and its count of steps are updated.
        lr : float, optional
            The learning rate of this step, by default the optimizer's own. `Rprop` does
            not use it.

        Raises
        ------
        TypeError
            No array, another dtype, no state.
        ValueError
            Shapes that differ, arrays that are read-only or share memory with each
            other, the state of another rule, an `lr` that is negative or not finite.
            Nothing has been changed then.

        Examples
        --------
        >>> import numpy as np
        >>> import fastnn as fnn
        >>> opt = fnn.SGD(lr=0.1)
        >>> w = np.array([1.0, -2.0])
        >>> state = opt.init(w)
        >>> for _ in range(50):
        ...     opt.update(w, 2 * w, state)     # the gradient of sum(w**2)
        >>> bool(np.abs(w).max() < 1e-4), state.step
        (True, 50)
        """
        if not isinstance(state, OptimizerState):
            raise TypeError(
                "state must be an OptimizerState, as made by init, "
                f"got {type(state).__name__}"
            )
        if state.optimizer != self.kind:
            raise ValueError(
                f"state belongs to the rule {state.optimizer!r}, but this is "
                f"{self.kind!r}: make a state with this optimizer's init"
            )
        step = state.step + 1
        self.rule.update(params, grads, state.slots, step, rate(lr))
        state.step = step


def rate(lr: object) -> float | None:
    """Return `lr` as a float, or None for the optimizer's own."""
    return lr if lr is None or type(lr) is float else number("lr", lr)
