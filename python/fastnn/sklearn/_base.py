"""What classifier and regressor share: the way from fit to the engine and back."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import validate_data

from fastnn._validation import as_sample_weight
from fastnn._validation.weights import combine
from fastnn.errors import DivergedError
from fastnn.history import History
from fastnn.layers import Dense
from fastnn.losses import Loss
from fastnn.optim import LBFGS
from fastnn.sequential import Sequential
from fastnn.sklearn._diverged import FitDivergedError
from fastnn.sklearn._fitted import FittedMLP
from fastnn.sklearn._layers import glorot_weights, hidden_layers
from fastnn.sklearn._learning_rate import LearningRate
from fastnn.sklearn._lossy import refuse_lossy
from fastnn.sklearn._parameters import Parameters
from fastnn.sklearn._rows import Rows, hold_out
from fastnn.sklearn._scoring import score_by
from fastnn.sklearn._threads import threads_here
from fastnn.sklearn._usage import Usage
from fastnn.sklearn._watch import Score, Watch
from fastnn.trainer import Trainer

if TYPE_CHECKING:
    from typing_extensions import Self

    from fastnn.diagnosis import Report

__all__ = ["BaseMLP"]

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class _Task:
    """What a fit is to train: layers, their first weights, loss, rows."""

    layers: tuple[Any, ...]
    weights: dict[str, Array]  # none: the network draws its own
    seed: int
    loss: Loss
    n_outputs: int
    train: Rows
    validation: Rows | None


@dataclasses.dataclass(frozen=True)
class _Session:
    """A trainer whose optimizer goes on through calls of `partial_fit`."""

    key: tuple[Any, ...]  # what it was made from
    trainer: Trainer
    rate: LearningRate | None


class BaseMLP(FittedMLP):
    """Base of `MLPClassifier` and `MLPRegressor`; not for users."""

    _session: _Session | None
    _y_is_numeric: bool

    # What the two kinds of estimator decide:
    def _learn_targets(self, y: Array, classes: Any, *, incremental: bool) -> None:
        """Take note of what y can hold."""
        raise NotImplementedError

    def _encoded(self, y: Array, argument: str) -> Array:
        """Return y as the network learns it."""
        raise NotImplementedError

    def _checked_loss(self) -> tuple[Loss, int]:
        """Return the loss and the number of outputs it needs."""
        raise NotImplementedError

    def _decoded(self, codes: Array) -> Array:
        """Return the targets as the user gave them."""
        raise NotImplementedError

    def _class_weights(self, codes: Array) -> Array | None:
        """Return what each row counts by its class."""
        raise NotImplementedError

    def _out_activation(self, loss: Loss) -> str:
        raise NotImplementedError

    def _reported_loss(self, train: Rows, loss: Loss) -> tuple[float, float]:
        """Return a and b of what the curve shows: a * loss + b + penalty."""
        raise NotImplementedError

    def _score_name(self) -> str | None:
        """Return the metric of the engine that is this estimator's score, if any."""
        raise NotImplementedError

    def _score_of(self, validation: Rows, name: str | None) -> Score:
        """Return what tells an epoch's validation score."""
        del validation
        return lambda info: info.logs[f"val_{name}"]

    def _strata(self, y: Array) -> Array | None:
        """Return classes each of which gives its share to the validation rows."""
        raise NotImplementedError

    # -- fitting ----------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        *,
        incremental: bool,
        classes: Any = None,
    ) -> Self:
        """Fit, or leave the estimator exactly as it was."""
        method = "partial_fit" if incremental else "fit"
        usage = self.__dict__.setdefault("_usage", Usage())
        with usage.writing(f"{type(self).__name__}.{method}"):
            before = self.__dict__.copy()
            try:
                self._fit_or_fail(
                    X, y, sample_weight, X_val, y_val, incremental, classes
                )
            except BaseException:
                self.__dict__.update(before)
                for name in self.__dict__.keys() - before.keys():
                    del self.__dict__[name]
                raise
        return self

    def _fit_or_fail(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        incremental: bool,
        classes: Any,
    ) -> None:
        parameters = Parameters.of(self)
        if incremental and parameters.stopping is not None:
            raise ValueError(
                "early_stopping must be True or False for partial_fit, got "
                f"{parameters.stopping!r}, which counts the epochs of one fit"
            )
        goes_on = self._goes_on(incremental=incremental)
        task = self._task(
            X, y, sample_weight, X_val, y_val, parameters, classes, incremental
        )
        if goes_on:
            self._check_same_net(task.layers)
        else:
            self._start(task)
        self.n_outputs_ = task.n_outputs
        self.out_activation_ = self._out_activation(task.loss)
        self._train(parameters, task.loss, task.train, task.validation, incremental)

    def _task(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        parameters: Parameters,
        classes: Any,
        incremental: bool,
    ) -> _Task:
        """Return what is to be trained, on what; nothing is trained yet."""
        hidden = hidden_layers(self)
        goes_on = self._goes_on(incremental=incremental)
        X, y = self._checked_rows(X, y, parameters, reset=not goes_on)
        self._learn_targets(y, classes, incremental=incremental)
        train = self._rows(X, y, sample_weight, "y")
        loss, n_outputs = self._checked_loss()
        random_state = check_random_state(self.random_state)
        layers = (*hidden, Dense(n_outputs, init=self._init_name()))
        weights = {}
        if not goes_on and self.layers is None:
            weights = glorot_weights(layers, train.X.shape[1], random_state)
        train, validation = self._with_validation(
            train, X_val, y_val, parameters, random_state
        )
        seed = 0 if goes_on else int(random_state.randint(np.iinfo(np.int32).max))
        return _Task(layers, weights, seed, loss, n_outputs, train, validation)

    def diagnose(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
        *,
        validation_data: tuple[Any, Any] | None = None,
        budget: str | float = "30s",
        verbose: int = 1,
    ) -> Report:
        """Find out why `fit` on these data does not do as it should.

        Trains copies of the network that `fit` would make, as `fit` would train it; the
        estimator itself is not changed, fitted or not. See `fastnn.diagnose`.

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val : array-like
            As for `fit`. The report's validation rows are `X_val` and `y_val`.
        validation_data : (X_val, y_val), optional
            The same two, as `fastnn.diagnose` takes them.
        budget : str or float, default "30s"
            Seconds, as a number or in the form "30s", "2min".
        verbose : {0, 1}, default 1
            1 shows the stages on stderr as they run.

        Returns
        -------
        Report
            ``print(report)`` tells what was found and what to do.
        """
        from fastnn.diagnosis import diagnose  # noqa: PLC0415  (few need it)

        X_val, y_val = _validation_rows(X_val, y_val, validation_data)
        twin = clone(self)
        parameters = Parameters.of(twin)
        early = dataclasses.replace(parameters, early_stopping=False, stopping=None)
        task = twin._task(X, y, sample_weight, X_val, y_val, early, None, False)  # noqa: SLF001
        twin._start(task)  # noqa: SLF001
        rows = len(task.train)
        batch = rows if parameters.takes_all_rows else _batch_size(parameters, rows)
        options: dict[str, Any] = {
            "l1": parameters.l1 / batch,  # alpha and l1 count by rows
            "l2": parameters.alpha / batch,
            "max_norm": parameters.max_norm,
            "clip_norm": parameters.clip_norm,
            "n_threads": threads_here(parameters.n_threads),
        }
        return diagnose(
            twin.net_,
            task.train.X,
            task.train.y,
            validation_data=_as_tuple(task.validation),
            loss=task.loss,
            optimizer=parameters.optimizer,
            schedule=parameters.schedule,
            epochs=parameters.max_iter,
            batch_size=batch,
            sample_weight=task.train.weight,
            budget=budget,
            verbose=verbose,
            **options,
        )

    def _is_stochastic(self) -> bool:
        """Whether there is a partial_fit: L-BFGS needs all rows at once."""
        if self.optimizer is None:
            return self.solver in {"sgd", "adam"}
        return not isinstance(self.optimizer, LBFGS) and self.optimizer != "lbfgs"

    def _goes_on(self, *, incremental: bool) -> bool:
        """Whether this call trains the network that there is."""
        return hasattr(self, "net_") and (self.warm_start or incremental)

    def _init_name(self) -> Any:
        return "glorot_uniform" if self.layers is None else "auto"

    def _checked_rows(
        self, X: Any, y: Any, parameters: Parameters, *, reset: bool
    ) -> tuple[Any, Array]:
        dtype: Any = (np.float64, np.float32)
        if not reset:
            dtype = np.dtype(self.net_.dtype)
        elif parameters.dtype is not None:
            dtype = np.dtype(parameters.dtype)
        return self._validated({"X": X, "y": y}, dtype, reset=reset, warn=True)

    def _validated(
        self, data: dict[str, Any], dtype: Any, *, reset: bool, warn: bool
    ) -> tuple[Any, Array]:
        """Return features and targets, given by their names, as scikit-learn does."""
        for argument, value in data.items():
            refuse_lossy(argument, value)
        X, y = validate_data(
            self,
            *data.values(),
            accept_sparse="csr",
            multi_output=True,
            y_numeric=self._y_is_numeric,
            dtype=dtype,
            reset=reset,
        )
        return X, self._one_column(y, warn=warn)

    def _one_column(self, y: Any, *, warn: bool) -> Array:
        """Return y as an array, of shape (n,) where it has one column."""
        array = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        if array.ndim == 2 and array.shape[1] == 1:
            array = column_or_1d(array, warn=warn)
        return array

    def _rows(self, X: Any, y: Array, sample_weight: Any, argument: str) -> Rows:
        codes = self._encoded(y, argument)
        dtype = X.dtype.name
        weight = as_sample_weight("sample_weight", sample_weight, dtype, X.shape[0])
        by_class = self._class_weights(codes)
        if by_class is not None:
            by_class = by_class.astype(dtype)
            if not by_class.any():
                raise ValueError(
                    "class_weight is zero for every class that y holds: nothing would "
                    "be learnt; give at least one of them a weight > 0"
                )
        return Rows(X, codes, combine(weight, by_class))

    def _with_validation(
        self,
        train: Rows,
        X_val: Any,
        y_val: Any,
        parameters: Parameters,
        random_state: np.random.RandomState,
    ) -> tuple[Rows, Rows | None]:
        """Return the rows that train and those that validate, given or held out."""
        if (X_val is None) != (y_val is None):
            given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(f"{given} is given without {missing}: pass both or none")
        if X_val is not None:
            given_rows = {"X_val": X_val, "y_val": y_val}
            X, y = self._validated(given_rows, train.X.dtype, reset=False, warn=False)
            return train, Rows(X, self._encoded(y, "y_val"), None)
        if not (parameters.early_stopping or _watches_validation(parameters)):
            return train, None
        fraction = parameters.validation_fraction
        return hold_out(train, fraction, self._strata(train.y), random_state)

    def _start(self, task: _Task) -> None:
        """Make a new network with its first weights."""
        X = task.train.X
        net = Sequential(*task.layers, seed=task.seed, dtype=X.dtype.name)
        net.build(X.shape[1])
        if task.weights:
            state = {name: w.astype(X.dtype) for name, w in task.weights.items()}
            net.load_state_dict({**net.state_dict(), **state})
        self.net_ = net
        self.n_layers_ = 1 + len(self._dense())
        self._watch = Watch()
        self._session = None

    def _check_same_net(self, layers: tuple[Any, ...]) -> None:
        if self.net_.layers != layers:
            raise ValueError(
                "the layers that the parameters describe are not those of the fitted "
                f"network {self.net_!r}: with warm_start or partial_fit the network "
                "stays; sklearn.base.clone(estimator) makes a new one"
            )

    def _train(
        self,
        parameters: Parameters,
        loss: Loss,
        train: Rows,
        validation: Rows | None,
        incremental: bool,
    ) -> None:
        session = self._session_for(parameters, loss, incremental)
        metrics, score = self._scoring(parameters, validation)
        scale, offset = self._reported_loss(train, loss)
        watch = self._watch = self._watch.copy()
        watch.begin(
            parameters,
            session.rate,
            rows=len(train),
            loss_of=lambda logs: scale * logs["loss"] + offset + logs["penalty"],
            score=score,
            net=self.net_,
            anew=not incremental,
        )
        stop_reason = "interrupted"
        try:
            history = session.trainer.fit(
                train.X,
                train.y,
                epochs=1 if incremental else parameters.max_iter,
                batch_size=len(train)
                if parameters.takes_all_rows
                else _batch_size(parameters, len(train)),
                shuffle=parameters.shuffle,
                validation_data=_as_tuple(validation),
                sample_weight=train.weight,
                early_stopping=parameters.stopping,
                callbacks=(watch, *parameters.callbacks),
                metrics=metrics,
                augment=parameters.augment,
            )
            stop_reason = watch.stopped or history.stop_reason
            if watch.exhausted and not watch.stopped:
                stop_reason = "epochs"
            if parameters.stopping is not None:
                watch.best_epoch = (
                    len(watch.loss_curve) - len(history.epoch) + history.best_epoch
                )
        except KeyboardInterrupt:
            warnings.warn(
                "the fit was interrupted: the estimator has the weights of its last "
                "finished step",
                stacklevel=5,
            )
        except DivergedError as error:
            raise FitDivergedError.of(error, goes_on=incremental) from error
        watch.end(self.net_, over=bool(watch.stopped) or not incremental)
        self._publish(watch, parameters, stop_reason, incremental)

    def _session_for(
        self, parameters: Parameters, loss: Loss, incremental: bool
    ) -> _Session:
        """Return the trainer that `partial_fit` goes on with, or a new one."""
        key = (
            loss,
            parameters.optimizer,
            parameters.learning_rate,
            parameters.schedule,
            parameters.alpha,
            parameters.l1,
            parameters.max_norm,
            parameters.clip_norm,
            parameters.n_threads,
        )
        if incremental and self._session is not None and self._session.key == key:
            return self._session
        trainer = Trainer(
            self.net_,
            loss=loss,
            optimizer=parameters.optimizer,
            schedule=parameters.schedule,
            l1=parameters.l1,
            l2=parameters.alpha,
            max_norm=parameters.max_norm,
            clip_norm=parameters.clip_norm,
            n_threads=threads_here(parameters.n_threads),
        )
        trainer._config["penalty_per_row"] = True  # noqa: SLF001  (alpha / rows)
        rate = parameters.learning_rate
        self._session = _Session(
            key, trainer, None if rate is None else dataclasses.replace(rate)
        )
        return self._session

    def _scoring(
        self, parameters: Parameters, validation: Rows | None
    ) -> tuple[tuple[str, ...], Score | None]:
        """Return the engine's metrics, and what tells the validation score."""
        metrics: list[str] = []
        if parameters.stopping is not None:
            watched = parameters.stopping.monitor.removeprefix("val_")
            metrics += [watched] if watched != "loss" else []
        if validation is None:
            return tuple(metrics), None
        if parameters.scoring is not None:
            y = self._decoded(validation.y)
            return tuple(metrics), score_by(parameters.scoring, self, validation, y)
        name = self._score_name()
        metrics += [name] if name is not None and name not in metrics else []
        return tuple(metrics), self._score_of(validation, name)

    def _publish(
        self,
        watch: Watch,
        parameters: Parameters,
        stop_reason: Any,
        incremental: bool,
    ) -> None:
        """Set what users read after a fit."""
        self.n_iter_ = watch.n_iter
        self.t_ = watch.rows_seen
        self.loss_curve_ = watch.loss_curve
        self.loss_ = watch.loss_curve[-1] if watch.loss_curve else np.inf
        self.validation_scores_ = watch.scores
        by_score = parameters.early_stopping
        self.best_loss_ = None if by_score else watch.best_loss
        self.best_validation_score_ = None
        if watch.scores:
            self.best_validation_score_ = (
                watch.best_score if by_score else max(watch.scores)
            )
        self.converged_ = bool(watch.stopped) or stop_reason == "converged"
        self.history_ = History(
            {name: list(values) for name, values in watch.columns.items()},
            watch.best_epoch if watch.best_epoch >= 0 else len(watch.loss_curve) - 1,
            stop_reason,
        )
        if stop_reason == "epochs" and not incremental:
            warnings.warn(
                f"the fit ended after {watch.n_iter} epochs (max_iter="
                f"{parameters.max_iter}, max_fun={parameters.max_fun}) and had not "
                "converged yet: raise these, or tol if the loss is low enough",
                ConvergenceWarning,
                stacklevel=6,
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _watches_validation(parameters: Parameters) -> bool:
    stopping = parameters.stopping
    return stopping is not None and stopping.monitor.startswith("val_")


def _batch_size(parameters: Parameters, n_rows: int) -> int:
    if parameters.batch_size is None:
        return min(200, n_rows)
    if parameters.batch_size > n_rows:
        warnings.warn(
            f"batch_size={parameters.batch_size} is more than the {n_rows} rows that "
            "train: all of them are one batch",
            stacklevel=7,
        )
    return min(parameters.batch_size, n_rows)


def _as_tuple(rows: Rows | None) -> tuple[Any, ...] | None:
    return None if rows is None else (rows.X, rows.y, rows.weight)


def _validation_rows(X_val: Any, y_val: Any, pair: Any) -> tuple[Any, Any]:
    """Return the validation rows, given as two arguments or as a pair."""
    if pair is None:
        return X_val, y_val
    if X_val is not None or y_val is not None:
        raise ValueError("validation_data and X_val, y_val are both given: keep one")
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        got = type(pair).__name__
        if isinstance(pair, (tuple, list)):
            got += f" of {len(pair)}"
        raise TypeError(f"validation_data must be a tuple (X_val, y_val), got {got}")
    return pair[0], pair[1]
