"""The network: its layers, its numbers and what it predicts. `Sequential` adds fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastnn._frozen import positions
from fastnn._native import core
from fastnn._state import checked_state
from fastnn._summary import network_html, network_repr, network_summary
from fastnn._validation import (
    Array,
    Data,
    Rows,
    TableLike,
    as_data,
    as_rows,
    check_bool,
    check_dtype,
    check_int,
    check_threads,
    features_not_finite,
    finite_in_dtype,
)
from fastnn.errors import NotBuiltError
from fastnn.layers import Dense, Layer
from fastnn.layers.chain import (
    checked_chain,
    count_parameters,
    declared_width,
    named_layers,
    output_width,
)
from fastnn.losses import Loss

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Network"]


_MAX_BYTES = 2**50


class Network:
    """Layers in a row and the numbers they own, all but the training."""

    def __init__(self, *layers: Any, seed: int = 0, dtype: str = "float32") -> None:
        self._layers = checked_chain(layers)
        self._seed = check_int("seed", seed, 0, below=2**64)
        self._dtype = check_dtype(dtype)
        self._native: Any = None
        self._loss: Loss | None = None  # the one last fitted with
        self._frozen: frozenset[int] = frozenset()  # positions
        self._heads = 0  # how often the head was replaced

    # -- description ------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order."""
        return self._layers

    @property
    def seed(self) -> int:
        """The seed of initial weights, shuffles, masks and splits."""
        return self._seed

    @property
    def dtype(self) -> str:
        """The type of every number in the network, "float32" or "float64"."""
        return self._dtype

    @property
    def in_features(self) -> int | None:
        """The width of the input, or None if it is not known yet."""
        if self._native is not None:
            return int(self._native.in_features)
        return declared_width(self._layers)

    @property
    def out_features(self) -> int | None:
        """The width of the output, or None if it is not known yet."""
        return output_width(self._layers, self.in_features)

    @property
    def frozen(self) -> tuple[int, ...]:
        """The positions of the layers that `freeze` froze, in order."""
        return tuple(sorted(self._frozen))

    def __repr__(self) -> str:
        return network_repr(
            type(self).__name__,
            self._layers,
            seed=self._seed,
            dtype=self._dtype,
            frozen=self._frozen,
        )

    def summary(self) -> str:
        """Return a table of the layers, output shapes and parameter counts.

        Raises
        ------
        NotBuiltError
            If the width of the input is not known yet.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(3)).build(4)
        >>> print(net.summary())
           Layer                        Output  Parameters
        --------------------------------------------------
           input                        (n, 4)
        0  Dense(8, activation=ReLU())  (n, 8)          40
        1  Dense(3)                     (n, 3)          27
        --------------------------------------------------
        67 parameters, float32, 0.3 KiB
        """
        native = self._require("summary")
        return network_summary(
            self._layers, native.in_features, self._dtype, self._frozen
        )

    def _repr_html_(self) -> str:
        return network_html(
            type(self).__name__,
            self._layers,
            self.in_features,
            built=self._native is not None,
            seed=self._seed,
            dtype=self._dtype,
            frozen=self._frozen,
        )

    # -- building ---------------------------------------------------------------------

    def build(self, in_features: int) -> Self:
        """Draw the initial parameters for inputs of `in_features` columns.

        The first ``fit`` does it by itself. A second call with the same width
        changes nothing.

        Parameters
        ----------
        in_features : int
            Columns of X, >= 1.

        Returns
        -------
        Sequential
            The network itself.

        Raises
        ------
        ValueError
            If the network is built, or its first layer declared, for another width.

        Examples
        --------
        >>> import fastnn as fnn
        >>> fnn.Sequential(fnn.Dense(3)).build(4).n_parameters
        15
        """
        width = check_int("in_features", in_features, 1)
        known = self.in_features
        if known is not None and known != width:
            raise ValueError(
                f"in_features: this network is made for {known} features, got {width}; "
                "make a new Sequential for another width"
            )
        self._built(width)
        return self

    def _built(self, in_features: int) -> Any:
        """Return the native network, the same to all threads that come at once."""
        if self._native is None:
            native = self._initialised(in_features)
            native.freeze(self.frozen)
            if self._native is None:  # else another thread was faster
                self._native = native
        return self._native

    def _initialised(self, in_features: int) -> Any:
        native = self._allocated(
            [layer.to_native() for layer in self._layers], in_features
        )
        tensors = {name: view for name, view, _ in native.tensors()}
        for i, layer in named_layers(self._layers):
            if isinstance(layer, Dense):
                for name, given in layer.given_tensors().items():
                    tensors[f"{i}.{name}"][...] = finite_in_dtype(
                        f"layer {i}: init",
                        given,
                        self._dtype,
                        advice="give finite numbers",
                    )
        return native

    def _restore(
        self, in_features: int, tensors: Mapping[str, Any], progress: tuple[int, int]
    ) -> None:
        """Become a built network with these numbers; none is drawn for it."""
        layers = [layer.undrawn() for layer in self._layers]
        native = self._allocated(layers, in_features)
        native.assign(checked_state(native.tensors(), tensors, strict=True))
        native.progress = progress
        native.freeze(self.frozen)
        self._native = native

    def _allocated(self, layers: list[dict[str, Any]], in_features: int) -> Any:
        """Return a native network, or a MemoryError that says how large it is."""
        n_parameters = count_parameters(self._layers, in_features)
        size = n_parameters * np.dtype(self._dtype).itemsize
        too_large = MemoryError(
            f"this network would have {n_parameters:.4g} parameters, "
            f"{size / 2**30:.4g} GiB in {self._dtype}, more than can be had: give "
            "its layers fewer units, or X fewer columns"
        )
        if size > _MAX_BYTES:  # C++ could not even count them
            raise too_large
        try:
            return core.Network(self._dtype, layers, in_features, self._seed)
        except MemoryError:
            raise too_large from None

    def _require(self, what: str) -> Any:
        """Return the native network, built if its width is known, else complain."""
        if self._native is None:
            width = declared_width(self._layers)
            if width is None:
                raise NotBuiltError(
                    f"{what}: this network does not know its input width yet; call "
                    "net.fit(X, y) or net.build(in_features) first, or give the first "
                    "Dense layer in_features="
                )
            return self._built(width)
        return self._native

    def _checked_data(
        self, X: object, y: object, sample_weight: object, loss: Loss
    ) -> Data:
        """Return what a user passed as the engine takes it; nothing is built."""
        return as_data(
            ("X", "y", "sample_weight"),
            (X, y, sample_weight),
            loss,
            self._dtype,
            self.in_features,
            self.out_features,
        )

    # -- transfer ---------------------------------------------------------------------

    def freeze(self, *indices: int) -> Self:
        """Let training leave layers as they are; those frozen before stay so.

        A frozen layer keeps its parameters and its running statistics bit for bit,
        whatever trains the network: penalties, `max_norm`, averages and the optimizer
        leave it alone. A frozen BatchNorm normalises by its running statistics in
        training too, as is usual in fine-tuning. Layers without parameters have nothing
        to keep: a frozen Dropout drops all the same.

        No gradient is computed for frozen layers, and none goes back past the first
        layer that is trained: with frozen layers in front a step costs less. They stay
        a part of ``parameters`` and of `loss_and_gradients`, which tells their gradient
        as well.

        Parameters
        ----------
        *indices : int
            Positions of layers; negative: from the end, as in a list. None: all.

        Returns
        -------
        Sequential
            The network itself.

        Raises
        ------
        TypeError, ValueError
            If an index is no position of a layer; nothing is frozen then.
        RuntimeError
            If another thread trains the network at the moment.

        Notes
        -----
        Takes effect with the next `fit` or `Trainer.step`; a fit whose callback calls
        it goes on as it began. In a `Trainer`, the optimizer keeps what it remembers of
        a layer while that is frozen. A layer that joins later begins with moments of 0
        while the correction of Adam's bias counts all steps of the trainer, so its
        first steps are up to 3 times as long: `fit`, or a new trainer, has a fresh
        optimizer.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(2)).build(4)
        >>> before = net.state_dict()["0.weight"]
        >>> _ = net.freeze(0).fit([[1.0, 2.0, 3.0, 4.0]], [1], epochs=3)
        >>> bool((net.state_dict()["0.weight"] == before).all()), net.frozen
        (True, (0,))
        """
        return self._freeze(self._frozen | positions(indices, len(self._layers)))

    def unfreeze(self, *indices: int) -> Self:
        """Let training change layers again; see `freeze`.

        Parameters
        ----------
        *indices : int
            Positions of layers; negative: from the end, as in a list. None: all.

        Returns
        -------
        Sequential
            The network itself.

        Raises
        ------
        TypeError, ValueError
            If an index is no position of a layer; nothing has changed then.
        RuntimeError
            If another thread trains the network at the moment.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(8), fnn.Dense(8), fnn.Dense(2)).freeze(0, 1)
        >>> net.unfreeze(-2).frozen
        (0,)
        """
        return self._freeze(self._frozen - positions(indices, len(self._layers)))

    def _freeze(self, frozen: frozenset[int]) -> Self:
        if self._native is not None:
            self._native.freeze(sorted(frozen))
        self._frozen = frozen
        return self

    def _like(self, layers: tuple[Layer, ...], seed: int) -> Self:
        """Return a network of other layers and seed that is not built."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.__dict__.update(
            _layers=layers, _seed=seed, _native=None, _frozen=frozenset()
        )
        return twin

    def _become(self, layers: tuple[Layer, ...], native: Any) -> None:
        """Take over these layers and numbers, of which the last are new."""
        frozen = frozenset(i for i in self._frozen if i < len(layers) - 1)
        if native is not None:
            native.freeze(sorted(frozen))
        self._layers, self._native, self._frozen = layers, native, frozen
        self._loss = None
        self._heads += 1

    # -- numbers ----------------------------------------------------------------------

    @property
    def parameters(self) -> npt.NDArray[Any]:
        """Every trainable number, a writable 1-D view in the order of `state_dict`.

        Those of frozen layers are among them.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1)).build(2)
        >>> net.parameters[:] = [2.0, 3.0, 1.0]
        >>> net.predict([[1.0, 1.0]]).tolist()
        [[6.0]]
        """
        return np.asarray(self._require("parameters").parameters)

    @property
    def n_parameters(self) -> int:
        """How many trainable numbers there are."""
        return int(self._require("n_parameters").n_parameters)

    def state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all tensors, named and shaped as by torch.nn.Sequential.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(3), fnn.BatchNorm()).build(4)
        >>> {name: array.shape for name, array in net.state_dict().items()}
        {'0.weight': (3, 4), '0.bias': (3,), '1.weight': (3,), '1.bias': (3,),
         '1.running_mean': (3,), '1.running_var': (3,), '1.num_batches_tracked': ()}
        """
        state: dict[str, npt.NDArray[Any]] = self._require("state_dict").state()
        return state

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Overwrite the tensors with those of `state`; on an error, none of them.

        Parameters
        ----------
        state : mapping of str to array-like
            Arrays by the names, shapes and dtypes of ``state_dict()``. Unlike torch,
            another dtype is an error, and so are NaN and infinity.
        strict : bool, default True
            Whether missing and unexpected names are errors; False: they are skipped.

        Raises
        ------
        TypeError, ValueError
            If a name, shape, dtype or value does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1)).build(2)
        >>> net.load_state_dict(
        ...     {"0.weight": np.ones((1, 2), "f4"), "0.bias": np.zeros(1, "f4")}
        ... )
        >>> net.predict([[1.0, 2.0]]).tolist()
        [[3.0]]
        """
        native = self._require("load_state_dict")
        native.assign(
            checked_state(native.tensors(), state, strict=check_bool("strict", strict))
        )

    # -- inference --------------------------------------------------------------------

    def predict(
        self, X: TableLike, *, n_threads: int | None = None
    ) -> npt.NDArray[Any]:
        """Return the raw outputs of the last layer, in inference mode.

        A row's outputs are the same bits alone and in any batch, whatever the number
        of threads. May run from many threads at once.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, in_features)
            Finite numbers, as for `fit`.
        n_threads : int, optional
            None: the setting of `set_num_threads`, else all the process may use.

        Returns
        -------
        ndarray of shape (n, out_features)
            In the network's dtype.

        Raises
        ------
        NotBuiltError
            If the width of the input is not known yet.
        TypeError, ValueError
            If X is unusable.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1, init=([[2.0, 1.0]], [0.5])))
        >>> net.predict([[1.0, 1.0], [0.0, 2.0]]).tolist()
        [[3.5], [2.5]]
        """
        native = self._require("predict")
        rows = as_rows("X", X, self._dtype, native.in_features)
        return self._finite(X, rows, native.predict(rows, check_threads(n_threads)))

    def hidden(
        self, X: TableLike, layer: int, *, n_threads: int | None = None
    ) -> npt.NDArray[Any]:
        """Return what comes out of one layer, in inference mode.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, in_features)
            Finite numbers, as for `fit`.
        layer : int
            Position of the layer; negative: from the end, as in a list. Of a Dense
            with an activation, what comes out of the activation.
        n_threads : int, optional
            As for `predict`.

        Returns
        -------
        ndarray of shape (n, width of the layer)
            In the network's dtype.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.ReLU(), fnn.Dense(5)).build(2)
        >>> net.hidden([[-1.0, 1.0]], 0).tolist()
        [[0.0, 1.0]]
        """
        native = self._require("hidden")
        n_layers = len(self._layers)
        index = check_int("layer", layer, -n_layers)
        if index >= n_layers:
            raise ValueError(
                f"layer must be below {n_layers}, the number of layers, got {index}"
            )
        rows = as_rows("X", X, self._dtype, native.in_features)
        outputs = native.hidden(rows, index % n_layers, check_threads(n_threads))
        return self._finite(X, rows, outputs)

    def _finite(self, X: object, rows: Rows, outputs: Array | None) -> Array:
        """Return outputs for rows made of X; of NaN the engine makes none."""
        if outputs is None:
            raise features_not_finite("X", X, rows, self._dtype)
        return outputs

    # -- copies -----------------------------------------------------------------------

    def copy(self) -> Self:
        """Return a network with the same layers and numbers that lives on its own.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1)).build(2)
        >>> twin = net.copy()
        >>> twin.parameters[:] = 0.0
        >>> bool((net.parameters == 0.0).all())
        False
        """
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        if self._native is not None:
            twin.__dict__["_native"] = self._native.copy()
        return twin

    def _redrawn(self, seed: int) -> Self:
        """Return a network of the same layers, not yet built, with another seed."""
        return type(self)(*self._layers, seed=seed, dtype=self._dtype)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        del memo
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_native": None}
        if self._native is not None:
            state["in_features"] = self._native.in_features
            state["tensors"] = self.state_dict()
            state["progress"] = self._native.progress
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        in_features = state.pop("in_features", None)
        tensors = state.pop("tensors", None)
        progress = state.pop("progress", None)
        self.__dict__.update(state)
        if tensors is not None:
            self._restore(in_features, tensors, progress)
