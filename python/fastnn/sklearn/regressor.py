"""Numbers by a multi-layer perceptron, with scikit-learn's interface."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy
from sklearn.base import RegressorMixin

from fastnn.augment import Augment
from fastnn.callbacks import Callback, EarlyStopping
from fastnn.layers import Layer
from fastnn.losses import (
    CustomLoss,
    GaussianNLL,
    Loss,
    LossFunction,
    PoissonNLL,
    Quantile,
    SquaredError,
    resolve_loss,
)
from fastnn.optim import Optimizer
from fastnn.schedules.several import GivenSchedule
from fastnn.sklearn._available import available_if
from fastnn.sklearn._base import BaseMLP
from fastnn.sklearn._rows import Rows

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MLPRegressor"]

Array = npt.NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multi-layer perceptron for numbers, as a scikit-learn estimator.

    For one number a row or many. Whoever uses ``sklearn.neural_network.MLPRegressor``
    changes the import: parameters, defaults and attributes have the same names and
    meanings. What fastnn adds begins with `layers`.

    Parameters
    ----------
    loss : str, Loss or callable, default "squared_error"
        "squared_error": half the squared error. "poisson": for counts and rates y >= 0;
        `predict` gives rates. Or a loss of fastnn for numbers, such as ``fnn.Huber()``,
        or a function of yours (see `fastnn.losses.CustomLoss`) of outputs and y, both
        (n, outputs).
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer; ``()``: none, a linear model.
    activation : str, Activation or a list of them, default "relu"
        After each hidden layer, one for all or one for each: scikit-learn's "identity",
        "logistic", "tanh", "relu", or any of fastnn's such as "gelu".
    solver : {"lbfgs", "sgd", "adam"}, default "adam"
        The optimizer. "lbfgs" uses all rows at once and is often best for few of them.
    alpha : float, default 0.0001
        Penalty ``alpha / 2 * sum(w**2)`` on weights, divided by the rows (the sample
        weights) of the batch; >= 0.
    batch_size : int or "auto", default "auto"
        Rows of a step; "auto": ``min(200, n)``.
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        For solver="sgd". "invscaling": ``learning_rate_init / (t + 1)**power_t`` after
        t rows; "adaptive": divided by 5 whenever training no longer improves.
    learning_rate_init : float, default 0.001
        The learning rate to begin with, > 0.
    power_t : float, default 0.5
        Exponent of "invscaling", >= 0.
    max_iter : int, default 200
        Epochs at most (iterations of "lbfgs").
    shuffle : bool, default True
        Whether each epoch takes the rows in a new random order.
    random_state : int, RandomState or None, default None
        Decides first weights, held-out rows, shuffles and dropout. The same number
        gives the same first weights as in scikit-learn.
    tol : float, default 0.0001
        An epoch counts as no progress if the loss is not better than the best one by
        `tol`; after more than `n_iter_no_change` such epochs in a row training stops.
    verbose : bool, default False
        Whether to print loss and validation score of each epoch.
    warm_start : bool, default False
        Whether `fit` goes on from the last fit's weights.
    momentum : float, default 0.9
        Of solver="sgd", in [0, 1].
    nesterovs_momentum : bool, default True
        Whether that is Nesterov's momentum.
    early_stopping : bool or EarlyStopping, default False
        True: stop by `scoring` on rows held out or given as `X_val`, and keep the best
        weights. ``fnn.EarlyStopping(monitor="val_mae")``: by any value of the history.
    validation_fraction : float, default 0.1
        The part of the rows held out for that, in [0, 1).
    beta_1, beta_2 : float, default 0.9, 0.999
        Memories of solver="adam", in [0, 1).
    epsilon : float, default 1e-8
        Keeps its divisor from 0, > 0.
    n_iter_no_change : int or inf, default 10
        Epochs without progress that are borne.
    max_fun : int, default 15000
        Evaluations of the loss at most, for solver="lbfgs".
    layers : list of Layer, optional
        Hidden layers of fastnn instead of `hidden_layer_sizes` and `activation`; the
        output layer is added.
    optimizer : str or Optimizer, optional
        Any of fastnn's instead of `solver`. An object has a learning rate of its own;
        a name takes `learning_rate_init`, unless that is left at its default.
    schedule : Schedule or mapping of str to Schedule, optional
        How the learning rate changes, such as ``fnn.Cosine(200)``, or by name also
        "weight_decay", "momentum" and "dropout"; see `Trainer`.
    dropout : float or a list of float, default 0.0
        Probability to drop a unit after each hidden layer, one for all or one for each.
    batch_norm : bool, default False
        Whether to normalise batches before each activation.
    l1 : float, default 0.0
        Penalty ``l1 * sum(|w|)``, divided as `alpha`'s is.
    max_norm : float, optional
        Incoming weights of a unit longer than this are scaled back to it after every
        step; "lbfgs" takes none.
    clip_norm : float, optional
        Longer gradients are scaled down to this norm.
    scoring : str or callable, optional
        What scores the validation rows: a scorer's name such as
        "neg_mean_absolute_error", or a function ``(estimator, X, y) -> float``, greater
        is better. None: R^2. If these rows have weights it is passed them as
        `sample_weight`.
    callbacks : sequence of callable, default ()
        Called after each epoch with an `EpochInfo`; a true answer stops training.
    augment : augmentation or sequence of augmentations, default ()
        Changes training rows at random, step by step: see `fastnn.augment`. Pictures
        are flat rows here, so `shape` must be said; "lbfgs" takes none.
    n_threads : int, optional
        None: the setting of `set_num_threads`, else all the process may use; one in a
        worker thread of joblib. The number does not change a bit of the result.
    dtype : {"auto", "float32", "float64"}, default "auto"
        The type of all numbers; "auto": that of X, float64 unless X is float32.

    Attributes
    ----------
    net_ : Sequential
        The fitted network, yours to save, copy or look into.
    coefs_, intercepts_ : list of ndarray
        Weights (in, out) and biases (out,) of each layer. To write into them changes
        the network.
    loss_ : float
        The last entry of `loss_curve_`.
    loss_curve_ : list of float
        Each epoch's mean loss, penalty included; `partial_fit` and `warm_start` go on
        with it.
    best_loss_ : float or None
        The lowest of them; None with ``early_stopping=True``.
    validation_scores_ : list of float or None
        R^2 on the validation rows after each epoch; None without such rows.
    best_validation_score_ : float or None
        The greatest of them.
    history_ : History
        All curves by name: "loss" and "val_loss" (without penalties), "penalty", ...
    converged_ : bool
        Whether training stopped by itself, before `max_iter`. In a loop over
        `partial_fit` the sign to leave it.
    n_iter_ : int
        Epochs of the last call.
    t_ : int
        Rows seen in training, over all calls.
    n_layers_, n_outputs_ : int
        Layers with input and output counted; outputs.
    out_activation_ : str
        "identity"; "exp" for rates.
    n_features_in_, feature_names_in_
        Columns of X, and their names if X is a data frame with names.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.
    TypeError, ValueError
        By `fit`, if a parameter or the data are unusable; the estimator is then as
        before.
    DivergedError
        By `fit`, if training leaves the finite numbers; it is a ValueError too.

    See Also
    --------
    MLPClassifier : For classes.
    Sequential : The network itself, without scikit-learn.

    Notes
    -----
    As scikit-learn's, `loss_curve_` shows the mean over outputs of half the squared
    error, while steps follow the gradient of the sum. Where the two classes differ:
    shuffles are drawn by another generator, `early_stopping` serves "lbfgs" as well,
    and Adam's epsilon is added after the bias is corrected. Scale y as well as X where
    numbers are far from 1: ``sklearn.compose.TransformedTargetRegressor``.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-2, 2, 200)[:, None]
    >>> net = fnn.MLPRegressor(
    ...     hidden_layer_sizes=(32, 32), learning_rate_init=0.01, random_state=0
    ... )
    >>> net.fit(X, np.sin(3 * X[:, 0])).score(X, np.sin(3 * X[:, 0])) > 0.95
    True
    """

    _y_is_numeric = True

    def __init__(
        self,
        loss: str | Loss | LossFunction = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool | EarlyStopping = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        layers: Sequence[Layer] | None = None,
        optimizer: str | Optimizer | None = None,
        schedule: GivenSchedule | None = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        scoring: Any = None,
        callbacks: Sequence[Callback | EarlyStopping] = (),
        augment: Augment | Sequence[Augment] = (),
        n_threads: int | None = None,
        dtype: str = "auto",
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.layers = layers
        self.optimizer = optimizer
        self.schedule = schedule
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.scoring = scoring
        self.callbacks = callbacks
        self.augment = augment
        self.n_threads = n_threads
        self.dtype = dtype

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train on (X, y).

        Parameters
        ----------
        X : array, CSR matrix or data frame of shape (n, n_features)
            Finite numbers, best of mean 0 and variance 1.
        y : array-like of shape (n,) or (n, n_outputs)
            Finite numbers.
        sample_weight : array-like of shape (n,), optional
            What each row counts, >= 0.
        X_val, y_val : as X and y, optional
            Validation rows; none are held out then.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, incremental=False)

    @available_if(lambda self: self._is_stochastic())
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train for one epoch on (X, y); optimizer and curves go on.

        The optimizer begins anew when one of its parameters has changed since the last
        call.

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val : array-like
            As for `fit`. With ``early_stopping=True`` and no `X_val` a part of these
            rows is held out.

        Returns
        -------
        MLPRegressor
            The estimator itself; `converged_` tells that its score no longer improves
            and that it has its best weights.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, incremental=True)

    def predict(self, X: Any) -> Array:
        """Return the expected numbers.

        Parameters
        ----------
        X : array, CSR matrix or data frame of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            With ``loss="poisson"`` rates.
        """
        with self._reading("predict"):
            outputs = self._outputs(X)
            if self.out_activation_ == "exp":
                outputs = np.exp(outputs)
            return outputs.ravel() if self.n_outputs_ == 1 else outputs

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the regressor to an ONNX file; it needs the extra ``fastnn[onnx]``.

        The model's input is "X" (n, n_features) in the dtype of the network. Its output
        is "outputs" (n, n_outputs), what `predict` returns; with ``loss="poisson"``
        that is "rates", beside "outputs", their logarithms.

        Parameters
        ----------
        path : str or path-like
            The file, by custom ending in ".onnx". One that exists is replaced whole.

        Raises
        ------
        ImportError
            If onnx is not installed: the extra ``fastnn[onnx]``.
        NotFittedError
            Before the first fit.
        """
        from fastnn import onnx  # noqa: PLC0415  (10 ms that few need)

        with self._reading("to_onnx"):
            onnx.write(self.net_, path)

    # -- what BaseMLP asks ------------------------------------------------------------

    def _learn_targets(self, y: Array, classes: Any, *, incremental: bool) -> None:
        del classes
        if not self._goes_on(incremental=incremental):
            self._n_targets = 1 if y.ndim == 1 else y.shape[1]

    def _encoded(self, y: Array, argument: str) -> Array:
        columns = 1 if y.ndim == 1 else y.shape[1]
        if columns != self._n_targets:
            raise ValueError(
                f"{argument} has {columns} columns, but this regressor was made for "
                f"{self._n_targets}"
            )
        return y

    def _decoded(self, codes: Array) -> Array:
        return codes

    def _class_weights(self, codes: Array) -> Array | None:
        del codes
        return None

    def _checked_loss(self) -> tuple[Loss, int]:
        if isinstance(self.loss, (tuple, list, int)):
            raise TypeError(
                f"loss must be a name, a Loss or a function, got {self.loss!r}: it is "
                "the first argument, as in scikit-learn since 1.7; if layers were "
                f"meant, write hidden_layer_sizes={self.loss!r}"
            )
        if isinstance(self.loss, str) and self.loss == "poisson":
            loss: Loss = PoissonNLL(sum_outputs=True)
        else:
            loss = resolve_loss(self.loss)
        if isinstance(loss, CustomLoss) and loss.targets == "any":
            loss = dataclasses.replace(loss, targets="values")
        if loss.targets != "values":
            raise ValueError(
                f"loss {loss.kind!r} is for classes, not numbers: use 'squared_error', "
                "or MLPClassifier"
            )
        if isinstance(loss, GaussianNLL):
            raise ValueError(  # noqa: TRY004
                "loss 'gaussian' learns a mean and a variance for each value, which "
                "predict could not tell: use a fastnn.Sequential with two outputs for "
                "each, or another loss"
            )
        if isinstance(loss, Quantile) and isinstance(loss.q, tuple):
            raise ValueError(  # noqa: TRY004
                "loss 'quantile' with several q has several outputs for each value, "
                "which predict could not tell: use a fastnn.Sequential, or an "
                "MLPRegressor for each q"
            )
        return loss, self._n_targets

    def _out_activation(self, loss: Loss) -> str:
        return "exp" if isinstance(loss, PoissonNLL) else "identity"

    def _reported_loss(self, train: Rows, loss: Loss) -> tuple[float, float]:
        if isinstance(loss, SquaredError):
            return 1.0 / self._n_targets, 0.0
        if isinstance(self.loss, str) and isinstance(loss, PoissonNLL):
            y = train.y.reshape(len(train), -1)
            constant = (xlogy(y, y) - y).sum(axis=1)  # half the deviance's
            return 1.0, float(np.average(constant, weights=train.weight))
        return 1.0, 0.0

    def _score_name(self) -> str | None:
        return "r2"

    def _strata(self, y: Array) -> Array | None:
        del y
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
