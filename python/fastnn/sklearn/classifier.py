"""Classes by a multi-layer perceptron, with scikit-learn's interface."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin

from fastnn.augment import Augment
from fastnn.callbacks import Callback, EarlyStopping, EpochInfo
from fastnn.layers import Layer
from fastnn.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    CustomLoss,
    Loss,
    LossFunction,
    resolve_loss,
)
from fastnn.optim import Optimizer
from fastnn.schedules.several import GivenSchedule
from fastnn.sklearn._available import available_if
from fastnn.sklearn._base import BaseMLP
from fastnn.sklearn._labels import Labels
from fastnn.sklearn._rows import Rows
from fastnn.sklearn._watch import Score

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MLPClassifier"]

Array = npt.NDArray[Any]


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multi-layer perceptron for classes, as a scikit-learn estimator.

    For two or more classes, or for many labels a row (y a matrix of 0 and 1). Whoever
    uses ``sklearn.neural_network.MLPClassifier`` changes the import: parameters,
    defaults and attributes have the same names and meanings. What fastnn adds begins
    with `layers`.

    Parameters
    ----------
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
        True: stop by `scoring` on rows held out or given as `X_val`, and keep the
        best weights. ``fnn.EarlyStopping(monitor="val_auc")``: by any value of the
        history.
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
    loss : str, Loss or callable, default "log_loss"
        "log_loss": one logistic output for two classes and for each of many labels,
        softmax for more classes. Or a loss of fastnn for classes, such as
        ``fnn.CrossEntropy(label_smoothing=0.1)``, or a function of yours (see
        `fastnn.losses.CustomLoss`) of logits and codes: int32 (n,) for softmax, 0 and 1
        of shape (n, outputs) else.
    class_weight : dict, "balanced" or None, default None
        What a row counts by its class; a class that the dict leaves out counts 1.
        "balanced": ``n / (n_classes * count)``.
    clip_norm : float, optional
        Longer gradients are scaled down to this norm.
    scoring : str or callable, optional
        What scores the validation rows: a scorer's name such as "f1_macro", or
        a function ``(estimator, X, y) -> float``, greater is better. None: accuracy. If
        these rows have weights it is passed them as `sample_weight`.
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
    classes_ : ndarray
        The classes, sorted; of many labels a row the numbers of the columns.
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
        Accuracy on the validation rows after each epoch; None without such rows.
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
        "logistic" or "softmax"; "identity" with ``loss="hinge"``, of which there is no
        `predict_proba`.
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
    MLPRegressor : For numbers.
    Sequential : The network itself, without scikit-learn.

    Notes
    -----
    Where this class goes beyond scikit-learn's: `partial_fit` takes many labels a row
    and stops early, rows may be held out for a validation of your own, and a Ctrl-C or
    a diverging fit leaves an estimator that can be used. Where they differ: shuffles
    are drawn by another generator, `early_stopping` serves "lbfgs" as well and holds
    rows out in proportion from every class, and Adam's epsilon is added after the bias
    is corrected.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import fastnn as fnn
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = fnn.MLPClassifier((50,), random_state=0, max_iter=500, tol=1e-3)
    >>> clf.fit(X, y).score(X, y) > 0.95
    True
    >>> clf.feature_names_in_[0], clf.classes_.tolist(), clf.coefs_[0].shape
    ('sepal length (cm)', [0, 1, 2], (4, 50))
    """

    _y_is_numeric = False
    classes_: Array

    def __init__(
        self,
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
        loss: str | Loss | LossFunction = "log_loss",
        dropout: Any = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        max_norm: float | None = None,
        class_weight: Any = None,
        clip_norm: float | None = None,
        scoring: Any = None,
        callbacks: Sequence[Callback | EarlyStopping] = (),
        augment: Augment | Sequence[Augment] = (),
        n_threads: int | None = None,
        dtype: str = "auto",
    ) -> None:
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
        self.loss = loss
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.max_norm = max_norm
        self.class_weight = class_weight
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
        y : array-like of shape (n,) or (n, n_labels)
            Classes, numbers or text; or a matrix of 0 and 1.
        sample_weight : array-like of shape (n,), optional
            What each row counts, >= 0.
        X_val, y_val : as X and y, optional
            Validation rows; none are held out then.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, incremental=False)

    @available_if(lambda self: self._is_stochastic())
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
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
        classes : array-like of shape (n_classes,), optional
            All classes there will be; needed in the first call, unless y is a matrix.

        Returns
        -------
        MLPClassifier
            The estimator itself; `converged_` tells that its score no longer improves
            and that it has its best weights.
        """
        return self._fit(
            X, y, sample_weight, X_val, y_val, incremental=True, classes=classes
        )

    def predict(self, X: Any) -> Array:
        """Return the most probable classes.

        Parameters
        ----------
        X : array, CSR matrix or data frame of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n,) or (n, n_labels)
            Entries of `classes_`; or a matrix of 0 and 1.
        """
        with self._reading("predict"):
            return self._labels.decode(self._outputs(X))

    @available_if(lambda self: self._gives_probabilities())
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array, CSR matrix or data frame of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Columns in the order of `classes_`; rows sum to 1, except with many labels.
        """
        with self._reading("predict_proba"):
            if self.out_activation_ == "softmax" and len(self._labels) > 1:
                return self._outputs(X, softmax=True)
            return self._labels.probabilities(self._outputs(X))

    @available_if(lambda self: self._gives_probabilities())
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : array, CSR matrix or data frame of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n, n_classes)
            -infinity where a probability underflows to 0.
        """
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def _gives_probabilities(self) -> bool:
        """Return True, or raise an AttributeError that tells why there are none."""
        if "net_" in self.__dict__:
            gives = self.out_activation_ != "identity"
        elif isinstance(self.loss, str) and self.loss == "log_loss":
            gives = True
        else:
            gives = resolve_loss(self.loss).are_logits
        if not gives:
            raise AttributeError(
                "there are no probabilities: a loss such as 'hinge' makes margins of "
                "the outputs, not logits; use predict, or fit with loss='log_loss'"
            )
        return True

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the classifier to an ONNX file; it needs the extra ``fastnn[onnx]``.

        The model's input is "X" (n, n_features) in the dtype of the network. Its
        outputs are "label", what `predict` returns, and "probabilities", what
        `predict_proba` returns (none with ``loss="hinge"``).

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
            onnx.write(self.net_, path, classes=self.classes_)

    # -- what BaseMLP asks ------------------------------------------------------------

    def _learn_targets(self, y: Array, classes: Any, *, incremental: bool) -> None:
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all rows at once, but "
                "partial_fit sees some: pass a dict {class: weight}, which "
                "sklearn.utils.class_weight.compute_class_weight computes"
            )
        if (
            hasattr(self, "classes_")
            and hasattr(self, "net_")
            and self._goes_on(incremental=incremental)
        ):
            if classes is not None and not np.array_equal(
                np.unique(classes), self.classes_
            ):
                raise ValueError(
                    f"classes {np.unique(classes).tolist()} are not those of the calls "
                    f"before, {self.classes_.tolist()}"
                )
            return
        if incremental and y.ndim == 1:
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit: all "
                    "classes that y will ever hold"
                )
            self._labels = Labels.of(np.asarray(classes))
        else:
            self._labels = Labels.of(y)
        self.classes_ = self._labels.classes

    def _encoded(self, y: Array, argument: str) -> Array:
        return self._labels.encode(y, argument)

    def _decoded(self, codes: Array) -> Array:
        return self._labels.of_codes(codes)

    def _class_weights(self, codes: Array) -> Array | None:
        return self._labels.row_weights(self.class_weight, codes)

    def _checked_loss(self) -> tuple[Loss, int]:
        labels = self._labels
        one_or_many = labels.thin or labels.multilabel
        if isinstance(self.loss, str) and self.loss == "log_loss":
            loss: Loss = (
                BinaryCrossEntropy(sum_outputs=True) if one_or_many else CrossEntropy()
            )
        else:
            loss = resolve_loss(self.loss)
        if isinstance(loss, CustomLoss) and loss.targets == "any":
            kind: Any = "labels" if one_or_many else "classes"
            loss = dataclasses.replace(loss, targets=kind)
        if loss.targets == "values":
            raise ValueError(
                f"loss {loss.kind!r} is for numbers, not classes: use 'log_loss', or "
                "MLPRegressor"
            )
        if loss.targets == "labels" and not one_or_many:
            raise ValueError(
                f"loss {loss.kind!r} is for two classes or many labels a row, but y "
                f"has {len(labels)} classes: use 'log_loss' or 'cross_entropy'"
            )
        if loss.targets == "classes" and labels.multilabel:
            raise ValueError(
                f"loss {loss.kind!r} is for one class a row, but y is a matrix of "
                "labels: use 'log_loss' or fnn.BinaryCrossEntropy(sum_outputs=True)"
            )
        if loss.targets == "labels" and not labels.multilabel:
            return loss, 1
        return loss, len(labels) if labels.multilabel else max(2, len(labels))

    def _out_activation(self, loss: Loss) -> str:
        if not loss.are_logits:
            return "identity"
        return "softmax" if loss.targets == "classes" else "logistic"

    def _reported_loss(self, train: Rows, loss: Loss) -> tuple[float, float]:
        del train, loss
        return 1.0, 0.0

    def _score_name(self) -> str | None:
        return None if self._labels.multilabel else "accuracy"

    def _score_of(self, validation: Rows, name: str | None) -> Score:
        if name is not None:
            return super()._score_of(validation, name)
        wanted = np.asarray(validation.y) > 0

        def share_of_rows_all_right(info: EpochInfo) -> float:
            found = info.net.predict(validation.X) > 0
            right = (found == wanted).all(axis=1)
            return float(np.average(right, weights=validation.weight))

        return share_of_rows_all_right

    def _strata(self, y: Array) -> Array | None:
        return y if y.ndim == 1 else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
