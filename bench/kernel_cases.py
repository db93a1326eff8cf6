"""The table of the kernel benchmark: what is called, on which shapes, for which work.

Sizes are steps of the memory ladder; "L2" means that the largest array of a float32
call fits there on most processors. A product's steps are shapes of dense layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import kernels, reference

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray[Any, np.dtype[Any]]

STEPS = ("tiny", "L1", "L2", "L3", "memory")
ELEMENTS = dict(zip(STEPS, (1 << 6, 1 << 12, 1 << 16, 1 << 20, 1 << 24), strict=True))
COLUMNS = dict(zip(STEPS, (8, 64, 256, 1024, 1024), strict=True))
DENSE = dict(
    zip(
        STEPS,
        (
            (1, 8, 8),
            (32, 32, 32),
            (128, 256, 128),
            (512, 1024, 1024),
            (1024, 4096, 4096),
        ),
        strict=True,
    )
)
THIN = {step: (rows, inputs, 10) for step, (rows, inputs, _) in DENSE.items()}
ACTIVATIONS = (
    *("identity", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "gelu_tanh"),
    *("silu", "mish", "sigmoid", "tanh", "softplus", "softsign"),
    *("hard_sigmoid", "hard_swish", "hard_tanh"),
)
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("sgd", {}),
    "sgd momentum": ("sgd", {"momentum": 0.9}),
    "sgd nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("adagrad", {}),
    "rmsprop": ("rmsprop", {}),
    "rmsprop centered": ("rmsprop", {"centered": True, "momentum": 0.9}),
    "adadelta": ("adadelta", {}),
    "adam": ("adam", {}),
    "adam amsgrad": ("adam", {"amsgrad": True}),
    "adamw": ("adamw", {}),
    "adamax": ("adamax", {}),
    "nadam": ("nadam", {}),
    "radam": ("radam", {}),
    "rprop": ("rprop", {}),
    "asgd": ("asgd", {}),
    "lion": ("lion", {}),
}


@dataclass(frozen=True)
class Work:
    """One call: its arguments, and what it must at least do."""

    shape: tuple[int, ...]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    amount: float  # floating point operations, or bytes read and written
    unit: str  # "GFLOP/s" or "GB/s"


@dataclass(frozen=True)
class Case:
    """A kernel over the steps."""

    label: str
    group: str
    function: str
    make: Callable[[np.random.Generator, str, Any], Work]
    in_place: bool = False

    def calls(self, work: Work) -> tuple[Callable[[], object], Callable[[], object]]:
        """Return the compiled kernel and its NumPy twin, ready to call."""
        ours, theirs = (
            getattr(kernels, self.function),
            getattr(reference, self.function),
        )
        theirs_of = copied(work.arguments) if self.in_place else work.arguments
        return (
            lambda: ours(*work.arguments, **work.options),
            lambda: theirs(*theirs_of, **work.options),
        )

    def check(self, work: Work, dtype: Any) -> None:
        """Assert that both compute, and change, the same."""
        outcomes = []
        for module in (kernels, reference):
            arguments = copied(work.arguments)
            results = getattr(module, self.function)(*arguments, **work.options)
            outcomes.append([*_flat(arguments), *_flat(results)])
        slack = 64 * float(np.finfo(dtype).eps) * max(work.shape) ** 0.5
        for a, e in zip(*outcomes, strict=True):
            allowed = slack * float(np.abs(e).max(initial=1))
            np.testing.assert_allclose(a, e, rtol=0, atol=allowed, err_msg=self.label)


def copied(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)


def _flat(results: Any) -> list[Array]:
    parts = results if isinstance(results, tuple) else (results,)
    return [np.asarray(p) for p in parts if isinstance(p, np.ndarray | float)]


def _moved(*arrays: Array) -> float:
    return float(sum(a.nbytes for a in arrays))


def _draw(rng: np.random.Generator, dtype: Any) -> Callable[..., Array]:
    return lambda *shape: rng.standard_normal(shape, dtype=np.float32).astype(dtype)


def _matrix(step: str) -> tuple[int, int]:
    return ELEMENTS[step] // COLUMNS[step], COLUMNS[step]


def _activation(name: str, *, backward: bool) -> Case:
    def make(rng: np.random.Generator, step: str, dtype: Any) -> Work:
        z = 2 * _draw(rng, dtype)(ELEMENTS[step])
        if not backward:
            return Work(z.shape, (z, name), {}, 2 * _moved(z), "GB/s")
        return Work(z.shape, (z[::-1].copy(), z, name), {}, 3 * _moved(z), "GB/s")

    which = "backward" if backward else "forward"
    return Case(name, f"activation {which}", f"activation_{which}", make)


def _dense(
    label: str, shapes: dict[str, tuple[int, int, int]], *, backward: bool
) -> Case:
    def make(rng: np.random.Generator, step: str, dtype: Any) -> Work:
        rows, inputs, units = shapes[step]
        draw = _draw(rng, dtype)
        x, w, b = draw(rows, inputs), draw(units, inputs), draw(units)
        flops = 2.0 * rows * inputs * units
        if not backward:
            return Work(shapes[step], (x, w, b, "relu"), {}, flops, "GFLOP/s")
        y = reference.dense_forward(x, w, b, "relu")
        arguments = (draw(rows, units), x, w, y, "relu")
        return Work(shapes[step], arguments, {}, 2 * flops, "GFLOP/s")

    return Case(
        label, "kernels", f"dense_{'backward' if backward else 'forward'}", make
    )


def _normalize(function: str) -> Case:
    def make(rng: np.random.Generator, step: str, dtype: Any) -> Work:
        draw, (rows, cols) = _draw(rng, dtype), _matrix(step)
        x, gamma, beta = draw(rows, cols), draw(cols), draw(cols)
        if function.endswith("forward"):
            return Work(x.shape, (x, gamma, beta), {}, 2 * _moved(x), "GB/s")
        if function.endswith("inference"):
            arguments = (x, gamma, beta, beta, gamma * gamma)
            return Work(x.shape, arguments, {}, 2 * _moved(x), "GB/s")
        forward = getattr(reference, function.replace("backward", "forward"))
        _, mean, inv_std = forward(x, gamma, beta)
        arguments = (draw(rows, cols), x, gamma, mean, inv_std)
        return Work(x.shape, arguments, {}, 3 * _moved(x), "GB/s")

    return Case(function, "kernels", function, make)


def _class_loss(label: str, classes: int | None) -> Case:
    def make(rng: np.random.Generator, step: str, dtype: Any) -> Work:
        cols = classes or COLUMNS[step]
        rows = max(1, ELEMENTS[step] // cols)
        z = _draw(rng, dtype)(rows, cols)
        return Work(
            z.shape, (z, rng.integers(0, cols, rows)), {}, 2 * _moved(z), "GB/s"
        )

    return Case(label, "kernels", label.split(",", maxsplit=1)[0], make)


def _loss(function: str) -> Case:
    def make(rng: np.random.Generator, step: str, dtype: Any) -> Work:
        z = _draw(rng, dtype)(ELEMENTS[step])
        y = rng.random(z.shape).astype(dtype)
        return Work(z.shape, (z, y), {}, 3 * _moved(z), "GB/s")

    return Case(function, "kernels", function, make)


def _gaussian(rng: np.random.Generator, step: str, dtype: Any) -> Work:
    draw, (rows, cols) = _draw(rng, dtype), _matrix(step)
    z = draw(rows, 2 * cols)
    return Work(z.shape, (z, draw(rows, cols)), {}, 2.5 * _moved(z), "GB/s")


def _dropout_forward(rng: np.random.Generator, step: str, dtype: Any) -> Work:
    x = _draw(rng, dtype)(*_matrix(step))
    return Work(x.shape, (x, 0.5, 1, 2), {}, 2 * _moved(x) + x.size, "GB/s")


def _dropout_backward(rng: np.random.Generator, step: str, dtype: Any) -> Work:
    dy = _draw(rng, dtype)(*_matrix(step))
    mask = rng.random(dy.shape, dtype=np.float32) < 0.5
    return Work(dy.shape, (dy, mask, 0.5), {}, 2 * _moved(dy) + dy.size, "GB/s")


def _update(label: str) -> Case:
    rule, settings = RULES[label]

    def make(rng: np.random.Generator, step: str, dtype: Any) -> Work:
        draw = _draw(rng, dtype)
        params, grads = draw(ELEMENTS[step]), draw(ELEMENTS[step])
        slots = reference.init_slots(rule, params, **settings)
        used = [s for s in slots if s is not None]
        moved = 3 * _moved(params) + 2 * _moved(*used)
        options = {"step": 10, "lr": 1e-6, **settings}
        return Work(params.shape, (params, grads, *slots), options, moved, "GB/s")

    return Case(label, "optimizers", f"{rule}_update", make, in_place=True)


CASES = (
    _dense("dense_forward", DENSE, backward=False),
    _dense("dense_backward", DENSE, backward=True),
    _dense("dense_forward, 10 units", THIN, backward=False),
    _dense("dense_backward, 10 units", THIN, backward=True),
    *map(
        _normalize,
        (
            *("batchnorm_forward", "batchnorm_backward", "batchnorm_inference"),
            *("layernorm_forward", "layernorm_backward"),
        ),
    ),
    _class_loss("softmax_cross_entropy", None),
    _class_loss("softmax_cross_entropy, 10 classes", 10),
    *map(_loss, ("mse", "squared_error", "mae", "huber")),
    *map(_loss, ("log_cosh", "quantile_loss", "poisson_nll")),
    Case("gaussian_nll", "kernels", "gaussian_nll", _gaussian),
    *map(_loss, ("binary_cross_entropy", "hinge")),
    _class_loss("focal_loss", None),
    Case("dropout_forward", "kernels", "dropout_forward", _dropout_forward),
    Case("dropout_backward", "kernels", "dropout_backward", _dropout_backward),
    *(_activation(name, backward=False) for name in ACTIVATIONS),
    *(_activation(name, backward=True) for name in ACTIVATIONS),
    *map(_update, RULES),
)
