"""L-BFGS: minimises a function by its values and gradients; for networks, the loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from fastnn._native import core
from fastnn.layers.chain import named_layers
from fastnn.optim.base import Optimizer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fastnn.layers import Layer

__all__ = ["LBFGS", "MinimizeResult"]


@dataclasses.dataclass(frozen=True)
class MinimizeResult:
    """Where `LBFGS.minimize` ended, and why.

    Attributes
    ----------
    x : ndarray
        The lowest point, of the shape and dtype of `x0`.
    fun : float
        The function there.
    gradient_norm : float
        The largest absolute element of the gradient there, which `tolerance_grad`
        bounds.
    n_iter, n_eval : int
        Iterations and evaluations of the function.
    converged : bool
        Whether a tolerance was met.
    message : str
        Why the run ended.
    """

    x: NDArray[Any]
    fun: float
    gradient_norm: float
    n_iter: int
    n_eval: int
    converged: bool
    message: str


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LBFGS(Optimizer):
    """Limited-memory BFGS with a strong Wolfe line search.

    ::

        d = -H g                  H: the inverse Hessian the last steps tell of
        w = w + t d               t: by line search along d, at first lr

    A quasi-Newton method for smooth losses of small data: every iteration takes all
    rows. Either call `minimize` on a function, or pass it to `fit` or `Trainer`.

    Parameters
    ----------
    lr : float, default 1.0
        The step length each line search tries first, > 0; without a line search the
        length of every step.
    max_iter : int, default 20
        Iterations of a run, >= 1: of `minimize`, of an epoch of `fit`, of
        `Trainer.step`.
    max_eval : int, optional
        Evaluations of a run, looked at after each iteration, >= 1. None:
        ``max_iter * 5 // 4``.
    tolerance_grad : float, default 1e-7
        Converged when no element of the gradient is larger, >= 0.
    tolerance_change : float, default 1e-9
        Converged when an iteration changes no parameter by more, or the function by
        less, or when its slope along `d` promises less, >= 0.
    history_size : int, default 100
        Steps remembered for `H`, >= 1: two arrays like the parameters each.
    line_search_fn : "strong_wolfe" or None, default "strong_wolfe"
        None: steps of length `lr` whatever comes of it.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    In a fit an epoch is one run of up to `max_iter` iterations on all rows, and what
    was learned of the curvature is kept from epoch to epoch. `batch_size` and `shuffle`
    have no effect. Rows are computed 1024 at a time, so memory does not grow with them;
    a network with BatchNorm needs the activations of all rows at once, and moves its
    running statistics at each iteration. Dropout masks stay the same for an epoch. The
    penalties `l1` and `l2` belong to what is minimised; at the kink of `l1` the slope
    is taken as 0, so weights do not become exactly 0, and a line search may end there.
    ``history["loss"]`` is the loss after an epoch's iterations. A fit ends before its
    epochs with ``stop_reason`` "converged" when a tolerance is met or rounding leaves
    nothing lower to be found, unless dropout makes each epoch another function.
    `clip_norm`, `clip_value`, `max_norm`, `gradient_noise`, the `lr_scale` of layers,
    schedules of more than the rate, and with a line search any `schedule`, contradict
    the method and are errors. Frozen layers stay out of it; freezing others forgets
    what was learned of the curvature.

    The defaults are torch's but for `line_search_fn`, which torch leaves out. Unlike
    torch, a search is never cut short by `max_eval` (torch's leaves no evaluations to
    ``max_iter=1``), one that fails is tried again along the gradient, a fixed step is
    evaluated even if it is the last, and a step is remembered whenever ``y's > 0``, not
    only above 1e-10: small losses converge as large ones do.

    References
    ----------
    Nocedal (1980), Updating quasi-Newton matrices with limited storage.
    Liu & Nocedal (1989), On the limited memory BFGS method for large scale
    optimization.
    Nocedal & Wright (2006), Numerical Optimization, algorithms 3.5, 3.6, 7.4 and 7.5.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> net = fnn.Sequential(fnn.Dense(8, "tanh"), fnn.Dense(1), dtype="float64")
    >>> history = net.fit(X, np.sin(3 * X), loss="mse", optimizer=fnn.LBFGS())
    >>> bool(history.history["loss"][-1] < 1e-4)
    True
    """

    kind: ClassVar[str] = "lbfgs"

    lr: float = 1.0
    max_iter: int = 20
    max_eval: int | None = None
    tolerance_grad: float = 1e-7
    tolerance_change: float = 1e-9
    history_size: int = 100
    line_search_fn: str | None = "strong_wolfe"

    def minimize(
        self,
        fun: Callable[[NDArray[Any]], tuple[float, ArrayLike]],
        x0: ArrayLike,
    ) -> MinimizeResult:
        """Minimise a function from `x0` on.

        Parameters
        ----------
        fun : callable
            ``fun(x) -> (value, gradient)`` for an array `x` like `x0`, its own to keep;
            the gradient has the shape of `x`. What it raises is raised here. Values
            that are not finite make the line search back off.
        x0 : array-like, any shape
            Finite numbers. float32 stays float32; all else is computed in float64.

        Returns
        -------
        MinimizeResult

        Raises
        ------
        TypeError
            If `fun` is not callable, or it or `x0` does not give numbers.
        ValueError
            If `x0` or the function there is not finite, or the gradient has another
            shape.

        Examples
        --------
        >>> import numpy as np
        >>> import fastnn as fnn
        >>> def rosenbrock(x):
        ...     a, b = 1 - x[0], x[1] - x[0] ** 2
        ...     gradient = np.array([-2 * a - 400 * x[0] * b, 200 * b])
        ...     return a**2 + 100 * b**2, gradient
        >>> result = fnn.LBFGS(max_iter=100).minimize(rosenbrock, [-1.2, 1.0])
        >>> result.x.round(3), result.converged
        (array([1., 1.]), True)
        """
        if not callable(fun):
            raise TypeError(
                "fun must be callable, fun(x) -> (value, gradient), got "
                f"{type(fun).__name__}"
            )
        start = _checked_start(x0)
        float32 = start.dtype == np.float32
        minimizer = core.MinimizerF32 if float32 else core.MinimizerF64
        run = minimizer(self.to_native(), start.ravel())
        while not run.ended:
            outcome = fun(run.point.reshape(start.shape))
            value, gradient = _checked_outcome(outcome, start)
            first = run.n_eval == 0
            run.tell(value, gradient.ravel())
            if first and not (np.isfinite(value) and np.isfinite(gradient).all()):
                raise ValueError(
                    f"fun must be finite at x0, got the value {value!r} and "
                    f"{np.count_nonzero(~np.isfinite(gradient))} elements of the "
                    "gradient that are not: start elsewhere"
                )
        return MinimizeResult(
            x=run.x.reshape(start.shape),
            fun=run.value,
            gradient_norm=run.gradient_norm,
            n_iter=run.n_iter,
            n_eval=run.n_eval,
            converged=run.converged,
            message=run.message,
        )

    def init(self, *_: object) -> NoReturn:
        """Raise TypeError: there is no state beside a run."""
        raise _no_single_gradient("init")

    def update(self, *_: object, **__: object) -> NoReturn:
        """Raise TypeError: one gradient is not enough for a line search."""
        raise _no_single_gradient("update")

    def state_names(self, count: int) -> tuple[str, ...] | None:
        """Return the names of the arrays of its pairs, the oldest first."""
        pairs, rest = divmod(count, 2)
        if rest or pairs > self.history_size:
            return None
        return tuple(f"{name}.{i}" for i in range(pairs) for name in "sy")

    def check_training(self, layers: Iterable[Layer], **options: object) -> None:
        """Raise ValueError for layers or options of a `Trainer` it cannot serve."""
        needless = "its line search needs the loss and its gradient as they are"
        names = ("max_norm", "clip_norm", "clip_value", "gradient_noise")
        refused = dict.fromkeys(names, needless)
        refused["augment"] = "its line search needs rows that stay as they are"
        if self.line_search_fn is not None:
            refused["schedule"] = "its line search finds the length of each step"
        for name, why in refused.items():
            if options.get(name) is not None:
                raise ValueError(
                    f"{name} must be None with LBFGS, got {options[name]!r}: {why}; "
                    "leave it out, or use another optimizer"
                )
        for i, layer in named_layers(tuple(layers), blocks=True):
            if getattr(layer, "lr_scale", 1.0) != 1.0:
                raise ValueError(
                    f"layer {i}: lr_scale must be 1 with LBFGS, got {layer!r}: all "
                    "parameters move along one line; leave it out, or use another "
                    "optimizer"
                )


def _no_single_gradient(method: str) -> TypeError:
    return TypeError(
        f"LBFGS has no {method}: it must evaluate the function itself; call "
        "LBFGS(...).minimize(fun, x0), or pass it to fit(optimizer=LBFGS(...))"
    )


def _checked_start(x0: object) -> NDArray[Any]:
    if isinstance(x0, np.ma.MaskedArray):
        raise TypeError("x0 must be a plain array, got a masked one")
    given = np.asarray(x0)
    if given.dtype.kind not in "fiu":
        raise TypeError(f"x0 must hold real numbers, got dtype {given.dtype}")
    float32 = given.dtype.newbyteorder("=") == np.float32
    start = np.array(given, np.float32 if float32 else np.float64)
    if start.size == 0:
        raise ValueError(f"x0 must hold at least one number, got shape {start.shape}")
    if not np.isfinite(start).all():
        raise ValueError("x0 must be finite, got NaN or infinity")
    return start


def _checked_outcome(outcome: Any, x: NDArray[Any]) -> tuple[float, NDArray[Any]]:
    """Return what `fun` returned as a number and an array like `x`."""
    if not isinstance(outcome, (tuple, list)) or len(outcome) != 2:
        raise TypeError(
            f"fun must return (value, gradient), got {type(outcome).__name__}"
        )
    value = np.asarray(outcome[0])
    gradient = np.asarray(outcome[1])
    if value.ndim != 0 or value.dtype.kind not in "fiu":
        raise TypeError(
            "fun must return a real number as value, got "
            f"{type(outcome[0]).__name__} of shape {value.shape}"
        )
    if gradient.dtype.kind not in "fiu":
        raise TypeError(
            f"fun must return a gradient of real numbers, got dtype {gradient.dtype}"
        )
    if gradient.shape != x.shape:
        raise ValueError(
            "fun must return a gradient of the shape of x0, expected "
            f"{x.shape}, got {gradient.shape}"
        )
    with np.errstate(over="ignore"):  # infinite in float32: the search backs off
        return float(value), gradient.astype(x.dtype)
