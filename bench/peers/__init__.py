"""The contenders of the training benchmarks, and the processes they race in.

Each contender is a module with a class of the same protocol (`contender.Contender`);
`race` starts every one in a process of its own and lets them take turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec


@dataclass(frozen=True)
class Entrant:
    """A contender's name in tables, where it lives and what it needs installed."""

    key: str
    label: str
    module: str
    requires: str

    @property
    def short(self) -> str:
        """The label without what explains it."""
        return self.label.removesuffix(" eager").split(" (")[0]

    @property
    def installed(self) -> bool:
        return find_spec(self.requires) is not None


ENTRANTS = {
    entrant.key: entrant
    for entrant in (
        Entrant("fastnn", "fastnn", "peers.fastnn_", "fastnn"),
        Entrant("jax", "JAX (jit, scan)", "peers.jax_scan", "jax"),
        Entrant("torch", "PyTorch eager", "peers.torch_eager", "torch"),
        Entrant("compiled", "torch.compile", "peers.torch_compiled", "torch"),
        Entrant("sklearn", "scikit-learn", "peers.sklearn_mlp", "sklearn"),
        Entrant("numpy", "NumPy", "peers.numpy_reference", "fastnn"),
    )
}


def versions() -> dict[str, str]:
    """Return the versions of the libraries that race."""
    names = ("jax", "torch", "scikit-learn")
    return {name: metadata.version(name) for name in names if _is_installed(name)}


def _is_installed(distribution: str) -> bool:
    return any(True for _ in metadata.distributions(name=distribution))
