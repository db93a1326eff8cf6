"""The contenders of the inference benchmark: modules with a `Predictor` each.

They race in the worker's processes of `peers`, by the same pipe.
"""

from __future__ import annotations

from importlib import metadata

from peers import Entrant

ENTRANTS = {
    entrant.key: entrant
    for entrant in (
        Entrant("fastnn", "fastnn", "predictors.fastnn_", "fastnn"),
        Entrant("onnx", "onnxruntime", "predictors.onnxruntime_", "onnxruntime"),
        Entrant("jax", "JAX (jit)", "predictors.jax_jit", "jax"),
        Entrant("torch", "PyTorch eager", "predictors.torch_eager", "torch"),
        Entrant("compiled", "torch.compile", "predictors.torch_compiled", "torch"),
        Entrant("sklearn", "scikit-learn", "predictors.sklearn_mlp", "sklearn"),
    )
}


def versions() -> dict[str, str]:
    """Return the versions of the libraries that race."""
    names = ("onnxruntime", "jax", "torch", "scikit-learn")
    found = {name: list(metadata.distributions(name=name)) for name in names}
    return {name: each[0].version for name, each in found.items() if each}
