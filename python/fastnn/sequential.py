"""`Sequential`: the network most users meet, with fit, evaluate and probabilities."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from fastnn._head import replace_head
from fastnn._network import Network
from fastnn._validation import (
    TableLike,
    as_rows,
    check_bool,
    check_metrics,
    check_number,
    check_threads,
)
from fastnn.augment import Augment
from fastnn.callbacks import EMA, SWA, Callback, EarlyStopping
from fastnn.gradient_noise import GradientNoise
from fastnn.history import History
from fastnn.io.checkpoint import load_network
from fastnn.io.model_file import write_network
from fastnn.layers import Activation
from fastnn.layers.dense import ActivationName, InitArrays, InitName
from fastnn.losses import Loss, LossFunction, resolve_loss
from fastnn.optim import Optimizer
from fastnn.schedules.several import GivenSchedule
from fastnn.trainer import Trainer

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Sequential", "load"]


class Sequential(Network):
    """A multi-layer perceptron: layers in a row.

    Parameters
    ----------
    *layers : Layer
        Layers such as ``Dense(64)``, ``ReLU()``, ``Dropout(0.2)``, or one list.
    seed : int, default 0
        Decides the initial weights, shuffles, masks and validation splits, >= 0.
    dtype : {"float32", "float64"}, default "float32"
        The type of all numbers.

    Raises
    ------
    TypeError, ValueError
        If something is no layer, or widths disagree.

    Notes
    -----
    Same seed, data and settings give the same bits for any number of threads.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 8)
    >>> y = X[:, 0] ^ X[:, 1]
    >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(2), seed=0)
    >>> history = net.fit(X, y, optimizer=fnn.Adam(lr=0.03), epochs=100, batch_size=8)
    >>> net.predict(X[:4]).argmax(axis=1).tolist()
    [0, 1, 1, 0]
    """

    def fit(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        *,
        loss: str | Loss | LossFunction = "cross_entropy",
        optimizer: str | Optimizer = "adam",
        schedule: GivenSchedule | None = None,
        epochs: int = 10,
        batch_size: int = 128,
        shuffle: bool = True,
        validation_data: tuple[Any, ...] | None = None,
        validation_split: float = 0.0,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        gradient_noise: float | GradientNoise | None = None,
        early_stopping: bool | EarlyStopping | None = None,
        callbacks: Sequence[Callback | EarlyStopping | EMA | SWA] = (),
        metrics: Sequence[str] = (),
        augment: Augment | Sequence[Augment] | None = None,
        n_threads: int | None = None,
        verbose: int = 0,
        diagnose: bool | str | float = False,
    ) -> History:
        """Train the network on (X, y) and return the curves.

        A second fit goes on from the current weights with a fresh optimizer; its
        shuffles and dropout masks are new ones. To keep the optimizer's state, use
        a `Trainer`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, in_features)
            Finite numbers, best of mean 0 and variance 1: an array, nested lists, a
            data frame of numbers and booleans, or a sparse matrix of SciPy (see Notes).
            Pictures, (n, height, width) or (n, height, width, channels), are flattened
            to rows, here as everywhere.
        y : array-like of shape (n,) or (n, out_features)
            Integer labels or probabilities for "cross_entropy", labels in [0, 1] for
            "binary_cross_entropy", numbers >= 0 for "poisson", else numbers.
        loss, optimizer, schedule, l1, l2, max_norm, clip_norm, clip_value, \
gradient_noise, n_threads
            As for `Trainer`.
        epochs, batch_size, shuffle, validation_data, validation_split, \
sample_weight, class_weight, early_stopping, callbacks, metrics, augment, verbose
            As for `Trainer.fit`.
        diagnose : bool, str or float, default False
            Whether to find out by `fastnn.diagnose`, after the fit and on copies, what
            keeps it from going well, and to print two or three lines if something
            does. A time such as "5s" is the budget; True: "10s".

        Returns
        -------
        History
            One value per epoch of the loss, the metrics and their "val_" twins.

        Raises
        ------
        TypeError, ValueError
            If an argument is unusable; the network is then unchanged.
        DivergedError
            If loss or weights stop being finite; the network is then as after the
            last finite epoch.

        Notes
        -----
        A sparse X gives the same bits as ``X.toarray()``, without ever being written
        out as a whole. A first layer that is Dense or Maxout reads the nonzeros of CSR
        rows alone; for any other, the rows of a batch are written out. Formats other
        than CSR are converted by ``X.tocsr()``. The optimizer's update stays dense: a
        step still visits every weight once. Above about a quarter of nonzeros, dense
        rows are faster.

        Columns of frames are numbers by narwhals (``pip install 'fastnn[frames]'``);
        a frame of pandas that holds NumPy's numbers needs nothing. Missing values are
        an error that names the column.

        Examples
        --------
        >>> import numpy as np
        >>> import fastnn as fnn
        >>> X = np.linspace(-1, 1, 64)[:, None]
        >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1))
        >>> history = net.fit(
        ...     X, X[:, 0] ** 2, loss="mse", optimizer=fnn.Adam(lr=0.01), epochs=200
        ... )
        >>> bool(history.history["loss"][-1] < 0.01)
        True
        """
        given = dict(locals())
        trainer = Trainer(
            self,
            loss=loss,
            optimizer=optimizer,
            schedule=schedule,
            l1=l1,
            l2=l2,
            max_norm=max_norm,
            clip_norm=clip_norm,
            clip_value=clip_value,
            gradient_noise=gradient_noise,
            n_threads=n_threads,
        )
        with contextlib.nullcontext() if diagnose is False else _telling(given):
            return trainer.fit(
                X,
                y,
                epochs=epochs,
                batch_size=batch_size,
                shuffle=shuffle,
                validation_data=validation_data,
                validation_split=validation_split,
                sample_weight=sample_weight,
                class_weight=class_weight,
                early_stopping=early_stopping,
                callbacks=callbacks,
                metrics=metrics,
                augment=augment,
                verbose=verbose,
            )

    def predict_proba(
        self, X: TableLike, *, n_threads: int | None = None
    ) -> npt.NDArray[Any]:
        """Return probabilities: softmax or sigmoid of the outputs, by the last loss.

        Unlike scikit-learn's classifiers, one sigmoid output stays one column.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, in_features)
            Finite numbers, as for `fit`.
        n_threads : int, optional
            As for `predict`.

        Returns
        -------
        ndarray of shape (n, out_features)
            With "cross_entropy" each row sums to 1.

        Raises
        ------
        ValueError
            If the network was not fitted yet, or last with a loss for numbers.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(2))
        >>> _ = net.fit([[0.0], [1.0]], [0, 1], epochs=1)
        >>> net.predict_proba([[0.5]]).sum(axis=1).round(6).tolist()
        [1.0]
        """
        if self._loss is None:
            raise ValueError(
                "predict_proba: the network was not fitted yet, or comes from a file, "
                "which cannot hold a loss of your own; so it is not known whether "
                "softmax or sigmoid makes probabilities: fit it, or use predict"
            )
        if self._loss.targets == "any":
            raise ValueError(
                "predict_proba: the network was fitted with a loss function, of which "
                "it is not known whether softmax or sigmoid makes probabilities: fit "
                "with loss=fastnn.losses.CustomLoss(function, targets='classes') (or "
                "'labels'), or use predict"
            )
        if self._loss.targets == "values" or not self._loss.are_logits:
            raise ValueError(
                f"predict_proba: the network was fitted with loss {self._loss.kind!r}, "
                "whose outputs are numbers, not logits; use predict"
            )
        native = self._require("predict_proba")
        link = "softmax" if self._loss.targets == "classes" else "sigmoid"
        rows = as_rows("X", X, self._dtype, native.in_features)
        outputs = native.probabilities(rows, link, check_threads(n_threads))
        return self._finite(X, rows, outputs)

    def evaluate(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        *,
        loss: str | Loss | LossFunction | None = None,
        metrics: Sequence[str] = (),
        sample_weight: npt.ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> dict[str, float]:
        """Return the loss and metrics on (X, y), in inference mode.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As for `fit`.
        loss : str, Loss or callable, optional
            None: the loss last fitted with.
        metrics : sequence of str, default ()
            "accuracy" and "auc" for classes, "mae" and "r2" for numbers.
        n_threads : int, optional
            As for `predict`.

        Returns
        -------
        dict of str to float
            "loss" (without penalties) and each metric.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Identity()).build(2)
        >>> net.evaluate(
        ...     [[0.0, 9.0], [9.0, 0.0]], [1, 1], loss="cross_entropy",
        ...     metrics=["accuracy"],
        ... )["accuracy"]
        0.5
        """
        native = self._require("evaluate")
        used = self._loss_or_last(loss)
        names = check_metrics(metrics, used)
        data = self._checked_data(X, y, sample_weight, used)
        report: dict[str, float] = native.evaluate(
            data.X,
            data.y,
            data.weight,
            used.to_native(),
            names,
            check_threads(n_threads),
        )
        return report

    def loss_and_gradients(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        *,
        loss: str | Loss | LossFunction | None = None,
        sample_weight: npt.ArrayLike | None = None,
        training: bool = False,
        l1: float = 0.0,
        l2: float = 0.0,
        n_threads: int | None = None,
    ) -> tuple[float, dict[str, npt.NDArray[Any]]]:
        """Return the mean loss on (X, y) and its gradient; the network stays as it is.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As for `fit`; all rows are one batch.
        loss : str, Loss or callable, optional
            None: the loss last fitted with.
        training : bool, default False
            False: running statistics and no dropout. True: batch statistics, and
            the dropout masks of the next training step.
        l1, l2 : float, default 0.0
            Penalties on weights, part of the loss returned.
        n_threads : int, optional
            As for `predict`.

        Returns
        -------
        loss : float
            Loss plus penalties.
        gradients : dict of str to ndarray
            The gradient with respect to each trainable tensor, by its name; those of
            frozen layers are there as well.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1, init=([[2.0]], [0.0])))
        >>> loss, gradients = net.loss_and_gradients([[3.0]], [5.0], loss="mse")
        >>> loss, gradients["0.weight"].tolist(), gradients["0.bias"].tolist()
        (1.0, [[6.0]], [2.0])
        """
        native = self._require("loss_and_gradients")
        used = self._loss_or_last(loss)
        data = self._checked_data(X, y, sample_weight, used)
        value, flat = native.loss_and_gradients(
            data.X,
            data.y,
            data.weight,
            used.to_native(),
            check_bool("training", training),
            check_number("l1", l1, at_least=0.0),
            check_number("l2", l2, at_least=0.0),
            check_threads(n_threads),
        )
        return float(value), _by_name(flat, native.tensors())

    def replace_head(
        self,
        units: int,
        *,
        activation: ActivationName | Activation | None = None,
        init: InitName | InitArrays = "auto",
        seed: int | None = None,
    ) -> Self:
        """Put a fresh Dense in the place of the head, for another task.

        The head is the last Dense or Maxout. What follows it, such as an activation of
        the outputs, belongs to it and goes with it, but no layer that has numbers of
        its own: that is an error. All other layers keep their numbers bit for bit, and
        stay frozen if they were. The loss last fitted with is forgotten.

        Parameters
        ----------
        units : int
            Outputs of the new head, >= 1.
        activation, init
            As for `Dense`; for other options put them into the layers from the start.
        seed : int, optional
            Decides the head's initial weights, >= 0. None: the network's own seed. Only
            for a network that knows its input width.

        Returns
        -------
        Sequential
            The network itself, changed in place.

        Raises
        ------
        TypeError, ValueError
            If an argument is unusable, there is no Dense or Maxout among the layers
            (those within a block do not count), or a layer with numbers, such as a
            Residual or BatchNorm, follows the last of them; the network is then
            unchanged.
        NotBuiltError
            If `seed` is given before the width of the input is known.
        RuntimeError
            If another thread trains the network at the moment.

        Notes
        -----
        A `Trainer` that has begun with the old head does not go on: make a new one.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(5)).build(4)
        >>> net.replace_head(3).freeze(0)
        Sequential(
          (0): Dense(8, activation=ReLU()), frozen
          (1): Dense(3)
          seed=0, dtype='float32'
        )
        """
        replace_head(self, units, activation=activation, init=init, seed=seed)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a file, whole or not at all.

        All that makes it what it is goes there: layers, seed, dtype, the tensors with
        the statistics and counters of BatchNorm, how many epochs and steps it was
        trained for, and the loss last fitted with (unless that is a function of your
        own, which no file can hold). `load` gives it back: it predicts the same bits,
        and a further fit goes on as this one's would. The state of an optimizer belongs
        to a `Trainer`.

        The file is in the safetensors format, with the names of ``state_dict()``:
        ``safetensors.torch.load_file(path)`` gives what ``torch.nn.Sequential`` of the
        same layers loads.

        Parameters
        ----------
        path : str or os.PathLike
            Where, by custom with the suffix ".fnn". A file that is there is replaced in
            one step, and keeps its mode; until then, and on any error, it stays as it
            was. The target of a symbolic link is replaced, not the link.

        Raises
        ------
        NotBuiltError
            If the width of the input is not known yet.
        TypeError, ValueError
            If `path` is no path, or the network holds NaN or infinity.
        OSError
            If the folder is missing or not writable, or the disk is full.
        RuntimeError
            If another thread trains the network at the moment.

        Examples
        --------
        >>> import os, tempfile
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1, init=([[2.0, 1.0]], [0.5])))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "net.fnn")
        ...     net.save(path)
        ...     fnn.load(path).predict([[1.0, 1.0]]).tolist()
        [[3.5]]
        """
        self._require("save")
        write_network(path, self)

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the network, in inference mode, to an ONNX file.

        The model's input is "X" (n, in_features) in the network's dtype, its outputs
        are "outputs", what `predict` returns, and by the loss last fitted with
        "probabilities", what `predict_proba` returns, and "label": the class of each
        row, or yes (1) and no (0). `fastnn.onnx.to_model` tells more.

        Parameters
        ----------
        path : str or path-like
            The file, by custom ending in ".onnx". One that exists is replaced whole.

        Raises
        ------
        ImportError
            If onnx is not installed: the extra ``fastnn[onnx]``.
        NotBuiltError
            If the width of the input is not known yet.
        OSError
            If the file cannot be written; an older one is then as it was.

        Examples
        --------
        ``onnxruntime.InferenceSession("net.onnx").run(None, {"X": X})`` after
        ``net.to_onnx("net.onnx")``
        """
        from fastnn import onnx  # noqa: PLC0415  (10 ms that few need)

        onnx.write(self, path)

    def _loss_or_last(self, loss: str | Loss | LossFunction | None) -> Loss:
        if loss is not None:
            return resolve_loss(loss)
        if self._loss is None:
            raise ValueError(
                "loss: the network was not fitted yet, so there is no last loss to "
                "take; pass loss= (for example 'cross_entropy' or 'mse')"
            )
        return self._loss


def load(path: str | os.PathLike[str]) -> Sequential:
    """Return the network that `Sequential.save`, or a checkpoint, wrote to a file.

    Of a checkpoint it is the network as the fit would hand it out by now: with `EMA`
    the averages, and what the fit ended with once it is over.

    Anybody's file may be loaded: nothing in it is ever executed, nor found by a name
    that stands in it, and no more memory is asked for than the file is long.

    A Dense that was given arrays as `init` comes back with ``init="auto"``, which only
    a new network would look at: the numbers are those of the file.

    Parameters
    ----------
    path : str or os.PathLike
        A file written by `Sequential.save` or ``Trainer.fit(checkpoint=path)``.

    Returns
    -------
    Sequential
        It predicts the same bits as the one that was saved, and a further fit gives the
        same bits as a further fit of that one.

    Raises
    ------
    ModelFileError
        If the file is damaged, hostile, of a newer fastnn or none of fastnn's. It says
        where.
    OSError
        If the file is missing or cannot be read.
    TypeError, ValueError
        If `path` is no path.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.load("no_such_file.fnn")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no_such_file.fnn'
    """
    return load_network(path, Sequential)


def _by_name(flat: npt.NDArray[Any], tensors: Any) -> dict[str, npt.NDArray[Any]]:
    """Cut a flat gradient into the shapes of the trainable tensors."""
    pieces = {}
    begin = 0
    for name, view, trainable in tensors:
        if trainable:
            pieces[name] = flat[begin : begin + view.size].reshape(view.shape)
            begin += view.size
    return pieces


def _telling(given: dict[str, Any]) -> AbstractContextManager[None]:
    """Return what diagnoses the fit of these arguments that runs in it."""
    after_fit = importlib.import_module("fastnn.diagnosis.after_fit")  # stands above
    telling: AbstractContextManager[None] = after_fit.telling(given)
    return telling
