"""`Trainer`: a network, a loss and an optimizer whose state lasts between calls."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from fastnn._config import from_name
from fastnn._fit_options import FitOptions, check_monitor
from fastnn._native import core
from fastnn._network import Network
from fastnn._progress import Progress
from fastnn._validation import (
    Array,
    Data,
    TableLike,
    as_class_weight,
    as_validation_data,
    check_int,
    check_number,
    check_positive_or_none,
    check_threads,
    split_data,
)
from fastnn._validation.fingerprint import fingerprints
from fastnn._validation.weights import combine
from fastnn.augment import Augment
from fastnn.augment._checks import as_augments, check_augments, with_shape
from fastnn.callbacks import EMA, SWA, Callback, EarlyStopping, EpochInfo
from fastnn.errors import DivergedError
from fastnn.gradient_noise import GradientNoise, checked_gradient_noise
from fastnn.history import History
from fastnn.io.atomic import checked_target
from fastnn.io.checkpoint import Checkpoint, CheckpointWriter
from fastnn.io.run_record import TRAINER_KEYWORDS, RunRecord
from fastnn.losses import Loss, LossFunction, resolve_loss
from fastnn.optim import OPTIMIZERS, Optimizer
from fastnn.schedules.several import GivenSchedule, Schedules

if TYPE_CHECKING:
    from fastnn.sequential import Sequential

__all__ = ["Trainer"]


class Trainer:
    """Trains one network; the optimizer's state and the schedule go on between calls.

    Parameters
    ----------
    net : Sequential
        The network to train, in place.
    loss : str, Loss or callable, default "cross_entropy"
        "cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "poisson", an
        object, or a function ``(outputs, y) -> (loss of each row, its gradient)``: see
        `fastnn.losses.CustomLoss`.
    optimizer : str or Optimizer, default "adam"
        A name such as "sgd", with its defaults, or an object: ``SGD(0.1)``.
    schedule : Schedule or mapping of str to Schedule, optional
        How the learning rate changes; None: it stays. A mapping changes more than it:
        ``{"lr": Cosine(30), "dropout": Linear(1.0, 0.0, 30)}``. See Notes.
    l1, l2 : float, default 0.0
        Add ``l1 * sum(|w|) + l2 / 2 * sum(w**2)`` to the mean loss of each batch. Only
        weights of Dense and Maxout layers are penalised, neither biases nor
        normalisation nor slopes. For decoupled decay give the optimizer `weight_decay`.
    max_norm : float, optional
        After each step, rows of weights (all that feeds one unit) longer than this
        are scaled back to it. Srivastava et al. (2014).
    clip_norm : float, optional
        Gradients whose Euclidean norm, over all parameters, is larger are scaled down
        to it: ``g clip_norm / (norm + 1e-6)``, as torch's ``clip_grad_norm_`` has it.
        Pascanu, Mikolov and Bengio (2013).
    clip_value : float, optional
        Each element of the gradient is clipped to [-clip_value, clip_value], before
        `clip_norm` looks at the whole.
    gradient_noise : float or GradientNoise, optional
        Normal noise on the gradient, before it is clipped; a number is the `eta` of
        `GradientNoise`.
    n_threads : int, optional
        None: the setting of `set_num_threads`, else all the process may use. The
        number does not change a bit of the result.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable.

    Notes
    -----
    Names that may have a schedule, and what each starts from:

    ==============  ==================================================================
    "lr"            the optimizer's learning rate
    "weight_decay"  the optimizer's `weight_decay`
    "momentum"      the optimizer's `momentum`, above 0, or ``betas[0]`` of those that
                    have betas; not of `NAdam`, whose momentum follows a rule of its own
    "dropout"       the `p` of each layer that drops elements
    ==============  ==================================================================

    A value at step t is ``schedule.at(t, start)``. One that is impossible, such as a
    `p` of 1, is a ValueError that names the step, before the training starts if it is
    among the first million. The history has them by their names, as it has "lr": of an
    epoch's last step, and of dropout that of the first such layer.

    Once ``net.replace_head`` was called, a trainer that was used before is an error.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Dense(1, init=([[0.0]], [0.0])))
    >>> trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=0.25))
    >>> [round(trainer.step([[1.0]], [1.0]), 4) for _ in range(3)]
    [1.0, 0.0, 0.0]
    """

    def __init__(
        self,
        net: Sequential,
        *,
        loss: str | Loss | LossFunction = "cross_entropy",
        optimizer: str | Optimizer = "adam",
        schedule: GivenSchedule | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        gradient_noise: float | GradientNoise | None = None,
        n_threads: int | None = None,
    ) -> None:
        if not isinstance(net, Network):
            raise TypeError(
                f"net must be a fastnn.Sequential, got {type(net).__name__}"
            )
        self.net = net
        self.loss = resolve_loss(loss)
        self.optimizer = from_name("optimizer", optimizer, Optimizer, OPTIMIZERS)
        self._schedules = Schedules.checked(schedule)
        self.schedule = self._schedules.given
        self.gradient_noise = checked_gradient_noise(gradient_noise)
        self._config = {
            "loss": self.loss.to_native(),
            "optimizer": self.optimizer.to_native(),
            **self._schedules.to_native(),
            "l1": check_number("l1", l1, at_least=0.0),
            "l2": check_number("l2", l2, at_least=0.0),
            "penalty_per_row": False,  # the estimators' rule
            "max_norm": check_positive_or_none("max_norm", max_norm),
            "clip_norm": check_positive_or_none("clip_norm", clip_norm),
            "clip_value": check_positive_or_none("clip_value", clip_value),
            "gradient_noise": (
                None if self.gradient_noise is None else self.gradient_noise.to_native()
            ),
            "n_threads": check_threads(n_threads),
        }
        self.optimizer.check_training(
            net.layers,
            schedule=schedule,
            max_norm=max_norm,
            clip_norm=clip_norm,
            clip_value=clip_value,
            gradient_noise=gradient_noise,
        )
        self._schedules.check_optimizer(self.optimizer)
        self._schedules.check_layers(net.layers)
        self._native: Any = None
        self._head = 0  # of the network that is trained
        self._unfinished: Checkpoint | None = None  # the fit to complete

    def __repr__(self) -> str:
        return (
            f"Trainer(loss={self.loss!r}, optimizer={self.optimizer!r}, "
            f"schedule={self.schedule!r})"
        )

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._native is not None:
            state["_native"] = {} if self._is_of_old_head() else self._native.state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._native is not None and not self._is_of_old_head():
            self._native = core.Trainer(self.net._native, self._config)  # noqa: SLF001
            self._native.restore(state["_native"])

    @classmethod
    def resume(
        cls, path: str | os.PathLike[str], *, n_threads: int | None = None
    ) -> Trainer:
        """Return the trainer of a checkpoint, whose next `fit` completes the fit.

        That `fit` is to be called with the same arguments and data as the one that was
        interrupted. It goes on after the last epoch in the file, writes to the same
        file, and ends as if nothing had happened: the same bits of weights, statistics
        and history; only the "seconds" may differ. Callbacks of your own are to be
        passed again; what they remember is theirs to keep.

        Another argument or other data is a ValueError. `epochs` alone may differ: more
        to train on, as the longer fit would have, fewer to end earlier, not below the
        epochs done. (It must not where ``SWA(start=...)`` is a part of the epochs.)

        If the fit in the file was over, the same call returns its history at once and
        changes nothing; more `epochs` go on, unless early stopping or a callback ended
        it. Whatever `fit` is called after that is an ordinary one.

        Parameters
        ----------
        path : str or os.PathLike
            A file that ``fit(..., checkpoint=path)`` wrote. Anybody's may be read.
        n_threads : int, optional
            As for `Trainer`; the bits do not depend on it.

        Returns
        -------
        Trainer
            Its ``net`` is what ``fastnn.load(path)`` returns; changes made to it before
            `fit` are lost.

        Raises
        ------
        ModelFileError
            If the file is damaged, hostile or none of a fit. It says where.
        OSError
            If the file is missing or cannot be read.

        Examples
        --------
        >>> import os, tempfile
        >>> import fastnn as fnn
        >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
        >>> net = fnn.Sequential(fnn.Dense(1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "run.fnn")
        ...     trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=0.1))
        ...     _ = trainer.fit(X, y, epochs=3, checkpoint=path)
        ...     longer = fnn.Trainer.resume(path).fit(X, y, epochs=5)
        >>> len(longer.epoch)
        5
        """
        checkpoint = Checkpoint.read(path)
        # Sequential stands above: it knows trainers. A file holds no other networks.
        net_class = importlib.import_module("fastnn.sequential").Sequential
        net = checkpoint.network(net_class)
        trainer = cls(net, **checkpoint.run.trainer, n_threads=n_threads)
        trainer._unfinished = checkpoint
        return trainer

    def step(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        augment: Augment | Sequence[Augment] | None = None,
    ) -> float:
        """Take one optimizer step on one batch.

        Parameters
        ----------
        X, y, sample_weight : array-like
            The batch, as for `fit`.
        augment : augmentation or sequence of augmentations, optional
            Changes the rows at random, another way in each step: see `fastnn.augment`.
            Rows are mixed with those of the batch.

        Returns
        -------
        float
            The mean loss of the batch before the step, penalties left out.

        Raises
        ------
        TypeError, ValueError
            If an argument is unusable; nothing has changed then.
        DivergedError
            If the loss or a weight is not finite; the network is as before the step.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(2))
        >>> trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=0.1))
        >>> first = trainer.step([[1.0, 2.0]], [1])
        >>> trainer.step([[1.0, 2.0]], [1]) < first
        True
        """
        if self._unfinished is not None:
            raise ValueError(
                f"step: this trainer has a fit to complete, in "
                f"{self._unfinished.path!r}: call fit with the arguments of that one "
                "first, or begin anew with fnn.Trainer(fnn.load(path), ...)"
            )
        data = self._checked_data(X, y, sample_weight)
        augments = [a.to_native() for a in self._augments(as_augments(augment), data)]
        with self._unchanged_by_errors():
            native = self._ready(data)
            loss, diverged = native.step(data.X, data.y, data.weight, augments)
        if diverged is not None:
            raise DivergedError(**diverged)
        return float(loss)

    def fit(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        *,
        epochs: int = 10,
        batch_size: int = 128,
        shuffle: bool = True,
        validation_data: tuple[Any, ...] | None = None,
        validation_split: float = 0.0,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Any = None,
        early_stopping: bool | EarlyStopping | None = None,
        callbacks: Sequence[Callback | EarlyStopping | EMA | SWA] = (),
        metrics: Sequence[str] = (),
        augment: Augment | Sequence[Augment] | None = None,
        checkpoint: str | os.PathLike[str] | bool | None = None,
        checkpoint_every: int = 1,
        verbose: int = 0,
    ) -> History:
        """Train for some epochs; a second call goes on where the first one ended.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, in_features)
            Finite numbers, best of mean 0 and variance 1: an array, nested lists, a
            data frame of numbers and booleans, or a sparse matrix of SciPy (see Notes).
            Pictures, (n, height, width) or (n, height, width, channels), are flattened
            to rows, here as everywhere.
        y : array-like of shape (n,) or (n, out_features)
            Integer labels or probabilities for "cross_entropy", labels in [0, 1] for
            "binary_cross_entropy", numbers >= 0 for "poisson", else numbers. For a
            function: what it takes, a row for each of X.
        epochs : int, default 10
            Passes over the data, >= 1.
        batch_size : int, default 128
            Rows per step, >= 1; the last batch of an epoch may be shorter. `LBFGS`
            takes all rows, whatever this says.
        shuffle : bool, default True
            Whether each epoch visits the rows in a new random order.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Rows to validate on after each epoch.
        validation_split : float, default 0.0
            In [0, 1): the part of the rows drawn at random to validate on instead,
            in proportion from each class if y holds class labels. (Keras takes the
            last rows.) The same seed and labels draw the same rows.
        sample_weight : array-like of shape (n,), optional
            Weights >= 0 of the rows; the loss is ``sum(w * l) / sum(w)`` per batch.
        class_weight : dict, array-like or "balanced", optional
            Weights of the classes, a factor on `sample_weight` in training alone.
            "balanced": n / (number of classes * rows of the class).
        early_stopping : bool or EarlyStopping, optional
            True stands for ``EarlyStopping()``.
        callbacks : sequence of callables, default ()
            Each gets an `EpochInfo` after each epoch; a true return value stops. One
            that is a context manager is entered before the first epoch and left in the
            end. `EMA` or `SWA` among them averages the weights.
        metrics : sequence of str, default ()
            "accuracy" and "auc" for classes, "mae" and "r2" for numbers.
        augment : augmentation or sequence of augmentations, optional
            Changes the rows of each batch at random, in this order: see
            `fastnn.augment`. The loss and the metrics of training are then those of
            changed rows; validation sees rows as they are. Rows of a sparse X are
            written out, a batch at a time. With `SWA` the statistics of BatchNorm are
            computed anew from rows as they are. `LBFGS` needs one function and cannot.
        checkpoint : str or os.PathLike, optional
            A file that is written after epochs, whole or not at all, from which
            `resume` completes the fit after a crash or Ctrl-C; ``fastnn.load`` reads
            the network in it. None: the file resumed from, if any; False: none.
        checkpoint_every : int, default 1
            Epochs from one writing to the next, >= 1; the last is always written. A
            file of a small network costs 1 to 3 ms and what the disk takes to have it
            for certain, often 5 to 20 ms: more than an epoch over few rows. The bits
            of a resumed fit do not depend on it.
        verbose : {0, 1, 2}, default 0
            1 shows a progress bar on stderr, 2 prints a line an epoch to stdout.

        Returns
        -------
        History
            One value per epoch of the loss, the metrics and their "val_" twins.

        Raises
        ------
        TypeError, ValueError
            If an argument is unusable, or not that of the fit to complete; nothing has
            changed then.
        DivergedError
            If loss or weights stop being finite; the network is then as after the
            last finite epoch.
        OSError
            If the checkpoint cannot be written; an older one is intact. That it cannot
            is found out before the training where the path tells.

        Notes
        -----
        Sparse matrices and data frames: see `Sequential.fit`.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(1))
        >>> trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=0.1))
        >>> trainer.fit([[0.0], [1.0]], [1.0, 3.0], epochs=2).stop_reason
        'epochs'
        """
        options = FitOptions.checked(
            self.loss,
            has_validation_data=validation_data is not None,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            validation_split=validation_split,
            early_stopping=early_stopping,
            callbacks=callbacks,
            metrics=metrics,
            augment=augment,
            verbose=verbose,
            scheduled=self._schedules.curves,
        )
        path = self._checkpoint_path(checkpoint)
        every = check_int("checkpoint_every", checkpoint_every, 1)
        train = self._checked_data(X, y, sample_weight)
        options = dataclasses.replace(
            options, augment=self._augments(options.augment, train)
        )
        n_outputs = self._n_outputs(train)
        validation = as_validation_data(
            validation_data, train, self.loss, self.net.dtype, n_outputs
        )
        given = train, validation
        if options.validation_split > 0:
            train, validation = split_data(
                train, options.validation_split, self.loss, self.net.seed
            )
        if isinstance(monitor := getattr(self._schedules.lr, "monitor", None), str):
            check_monitor(
                "schedule", monitor, options.metrics, validates=validation is not None
            )
        by_class = as_class_weight(
            class_weight, train.y, self.loss, self.net.dtype, n_outputs
        )
        weight = combine(train.weight, by_class)
        resumed, run = self._unfinished, None
        if resumed is not None or path is not None:
            run = self._run_record(options, given, by_class)
        if resumed is not None and run is not None:
            resumed.check_completed_by(run, self.net)
        with self._unchanged_by_errors():
            native = self._ready(train)
            writer = None
            if run is not None and path is not None:
                writer = CheckpointWriter(path, self.net, run, resumed)
            done = 0 if resumed is None else resumed.epoch
            with (
                _entered(options.callbacks),
                Progress(
                    options.epochs, verbose=options.verbose, done=done
                ) as progress,
            ):
                self._unfinished = None
                report = native.fit(
                    train.X,
                    train.y,
                    weight,
                    *_arrays(validation),
                    config=options.to_native(),
                    on_epoch=self._on_epoch(progress, options.callbacks),
                    save=None if writer is None else writer.save,
                    every=every,
                    state=None if resumed is None else resumed.state,
                )
        history = _history(report)
        if writer is not None:
            writer.finish(self.net, len(history.epoch))
        return history

    def _augments(
        self, augments: tuple[Augment, ...], data: Data
    ) -> tuple[Augment, ...]:
        """Return the augmentations as the rows of these data ask for."""
        if not augments:
            return ()
        self.optimizer.check_training((), augment=augments)
        fitted = with_shape(augments, data.picture)
        check_augments(fitted, data.X.shape[1], self.loss)
        return fitted

    def _checkpoint_path(self, value: object) -> str | None:
        """Return the file to write after each epoch, or raise if it cannot be."""
        if value is None and self._unfinished is not None:
            return self._unfinished.path
        if value is None or value is False:
            return None
        return checked_target(value, "checkpoint")

    def _run_record(
        self,
        options: FitOptions,
        data: tuple[Data, Data | None],
        class_weight: Array | None,
    ) -> RunRecord:
        values = {
            **self._config,
            "loss": self.loss,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "gradient_noise": self.gradient_noise,
        }
        keywords = {name: values[name] for name in TRAINER_KEYWORDS}
        run = RunRecord(keywords, options, fingerprints(*data, class_weight))
        run.check_storable()
        return run

    def _checked_data(self, X: object, y: object, sample_weight: object) -> Data:
        return self.net._checked_data(X, y, sample_weight, self.loss)  # noqa: SLF001

    def _n_outputs(self, data: Data) -> int:
        width = self.net.out_features
        return data.X.shape[1] if width is None else width

    def _ready(self, data: Data) -> Any:
        """Return the native trainer; all checks are behind us."""
        self.net.build(data.X.shape[1])
        self._check_trainable()
        if self._native is None:
            head = self.net._heads  # noqa: SLF001
            native = core.Trainer(self.net._native, self._config)  # noqa: SLF001
            if self._native is None:  # else another thread was faster
                self._native, self._head = native, head
        self.net._loss = self.loss  # noqa: SLF001
        return self._native

    @contextlib.contextmanager
    def _unchanged_by_errors(self) -> Iterator[None]:
        """Leave the network as it was if an argument fails before the first step."""
        net = self.net
        built, loss, own = net._native, net._loss, self._native  # noqa: SLF001
        done = None if built is None else built.progress
        try:
            yield
        except (TypeError, ValueError, OSError):
            native = net._native  # noqa: SLF001
            if native is not None and native.progress == (done or (0, 0)):
                net._native, net._loss, self._native = built, loss, own  # noqa: SLF001
            raise

    def _is_of_old_head(self) -> bool:
        return self._native is not None and self._head != self.net._heads  # noqa: SLF001

    def _check_trainable(self) -> None:
        """Raise ValueError if there is nothing to train, or not by this trainer."""
        if self._is_of_old_head():
            raise ValueError(
                "net: its head was replaced after this trainer began, whose optimizer "
                "remembers the old one: make a new one, fnn.Trainer(net, ...)"
            )
        native = self.net._native  # noqa: SLF001
        if self.net.frozen and native.n_parameters and not native.n_trained:
            raise ValueError(
                "net: all its layers with parameters are frozen, so there is nothing "
                "to train: call net.unfreeze(-1), or with the layers that are to learn"
            )

    def _set_learning_rate(self, lr: float) -> None:
        """Change the rate of the steps to come; a callback may do so."""
        self._native.set_learning_rate(lr)

    def _on_epoch(
        self, progress: Progress, callbacks: tuple[Callback, ...]
    ) -> Callable[[int, dict[str, float]], bool] | None:
        """Return the hook the engine calls after each epoch, None if none is needed."""
        if not (callbacks or progress.shown):
            return None

        def on_epoch(epoch: int, logs: dict[str, float]) -> bool:
            progress.update(logs)
            info = EpochInfo(epoch, dict(logs), self.net, self)
            wishes = [_wish(callback(info)) for callback in callbacks]  # each runs
            self._check_trainable()
            return any(wishes)

        return on_epoch


@contextlib.contextmanager
def _entered(callbacks: Sequence[Callback]) -> Iterator[None]:
    """Enter those that are context managers; none may swallow an exception."""
    with contextlib.ExitStack() as stack:
        for callback in callbacks:
            if isinstance(callback, contextlib.AbstractContextManager):
                callback.__enter__()
                stack.push(functools.partial(_leave, callback))
        yield


def _leave(callback: Any, *error: Any) -> None:
    callback.__exit__(*error)


def _wish(answer: object) -> bool:
    """Whether what a callback returned asks to stop."""
    try:
        return bool(answer)
    except ValueError as error:
        raise TypeError(
            "callbacks: a callback must return True to stop the fit, False or None to "
            f"go on, got {type(answer).__name__} {answer!r}"
        ) from error


def _arrays(data: Data | None) -> tuple[Any, Any, Any]:
    return (None, None, None) if data is None else (data.X, data.y, data.weight)


def _history(report: dict[str, Any]) -> History:
    """Return the report as a History, or raise it as a DivergedError."""
    history = History.from_report(report)
    if report["diverged"] is not None:
        raise DivergedError(**report["diverged"], history=history)
    return history
