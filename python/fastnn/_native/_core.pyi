"""
fastnn's core, compiled for one CPU level.
"""

from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing

__all__: list[str] = [
    "Activation",
    "CsrF32",
    "CsrF64",
    "LearningRate",
    "MinimizerF32",
    "MinimizerF64",
    "Network",
    "NetworkF32",
    "NetworkF64",
    "StopFlag",
    "Trainer",
    "TrainerF32",
    "TrainerF64",
    "UpdateRule",
    "activation_backward",
    "activation_forward",
    "activation_names",
    "allocation_count",
    "augmented_rows",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_inference",
    "check_augment",
    "check_gradient_noise",
    "check_layer",
    "check_loss",
    "check_optimizer",
    "check_schedule",
    "class_loss",
    "compiler",
    "csr",
    "curvature_product",
    "default_threads",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "eigen_version",
    "elementwise_loss",
    "fail_allocations",
    "heed",
    "layernorm_backward",
    "layernorm_forward",
    "level",
    "permutation",
    "schedule_at",
    "set_num_threads",
]

class CsrF32:
    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def rows(
        self, index: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]
    ) -> typing.Any:
        """
        Copies of some rows.
        """
    @property
    def columns(self) -> numpy.ndarray: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def starts(self) -> numpy.ndarray: ...
    @property
    def values(self) -> numpy.typing.NDArray[numpy.float32]: ...

class CsrF64:
    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def rows(
        self, index: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]
    ) -> typing.Any:
        """
        Copies of some rows.
        """
    @property
    def columns(self) -> numpy.ndarray: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def starts(self) -> numpy.ndarray: ...
    @property
    def values(self) -> numpy.typing.NDArray[numpy.float64]: ...

class Activation:
    """
    An activation function with its parameter.
    """
    def __init__(self, config: dict) -> None: ...
    @property
    def slope_needs_input(self) -> bool: ...

class UpdateRule:
    """
    An optimizer's rule, to update NumPy arrays in place.
    """
    def __init__(self, optimizer: dict) -> None: ...
    def slots(self) -> dict:
        """
        The names of the state and its initial values.
        """
    def update(
        self,
        params: typing.Any,
        grads: typing.Any,
        slots: typing.Any,
        step: typing.SupportsInt | typing.SupportsIndex,
        lr: typing.SupportsFloat | typing.SupportsIndex | None = None,
        mu_product: typing.SupportsFloat | typing.SupportsIndex | None = None,
    ) -> None:
        """
        One update, in place, of params and slots.
        """

class LearningRate:
    """
    The learning rate of a training run.
    """
    def __init__(
        self, schedule: typing.Any, lr: typing.SupportsFloat | typing.SupportsIndex
    ) -> None: ...
    def at(
        self,
        epoch: typing.SupportsInt | typing.SupportsIndex,
        step: typing.SupportsInt | typing.SupportsIndex,
    ) -> float: ...
    def end_epoch(self, score: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def monitor(self) -> str | None: ...

class MinimizerF32:
    """
    A run of L-BFGS.
    """
    def __init__(
        self,
        optimizer: dict,
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
    ) -> None: ...
    def tell(
        self,
        value: typing.SupportsFloat | typing.SupportsIndex,
        gradient: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
    ) -> None:
        """
        Take the function at the point.
        """
    @property
    def converged(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def gradient_norm(self) -> float: ...
    @property
    def message(self) -> str: ...
    @property
    def n_eval(self) -> int: ...
    @property
    def n_iter(self) -> int: ...
    @property
    def point(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        Where the function is to be evaluated, a copy.
        """
    @property
    def value(self) -> float: ...
    @property
    def x(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        Where the last iteration ended, a copy.
        """

class MinimizerF64:
    """
    A run of L-BFGS.
    """
    def __init__(
        self,
        optimizer: dict,
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> None: ...
    def tell(
        self,
        value: typing.SupportsFloat | typing.SupportsIndex,
        gradient: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> None:
        """
        Take the function at the point.
        """
    @property
    def converged(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def gradient_norm(self) -> float: ...
    @property
    def message(self) -> str: ...
    @property
    def n_eval(self) -> int: ...
    @property
    def n_iter(self) -> int: ...
    @property
    def point(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Where the function is to be evaluated, a copy.
        """
    @property
    def value(self) -> float: ...
    @property
    def x(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Where the last iteration ended, a copy.
        """

class NetworkF32:
    def __init__(self) -> None: ...
    def assign(self, given: dict) -> None: ...
    def copy(self) -> typing.Any: ...
    def evaluate(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        loss: dict,
        metrics: collections.abc.Sequence[str],
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> dict: ...
    def freeze(
        self,
        positions: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ) -> None:
        """
        Freezes the layers written there, and no others.
        """
    def hidden(
        self,
        X: typing.Any,
        layer: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> typing.Any: ...
    def loss_and_gradients(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        loss: dict,
        training: bool,
        l1: typing.SupportsFloat | typing.SupportsIndex,
        l2: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> tuple: ...
    def predict(
        self, X: typing.Any, n_threads: typing.SupportsInt | typing.SupportsIndex = 0
    ) -> typing.Any: ...
    def probabilities(
        self,
        X: typing.Any,
        link: str,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> typing.Any: ...
    def state(self) -> dict: ...
    def tensors(self) -> list: ...
    @property
    def in_features(self) -> int: ...
    @property
    def layer_widths(self) -> list[int]: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def n_trained(self) -> int:
        """
        Parameters of layers that are not frozen.
        """
    @property
    def out_features(self) -> int: ...
    @property
    def parameters(self) -> numpy.ndarray: ...
    @property
    def progress(self) -> tuple[int, int]:
        """
        (epochs, steps) trained so far: they key shuffles and dropout masks.
        """
    @progress.setter
    def progress(
        self,
        arg1: tuple[
            typing.SupportsInt | typing.SupportsIndex,
            typing.SupportsInt | typing.SupportsIndex,
        ],
    ) -> None: ...

class NetworkF64:
    def __init__(self) -> None: ...
    def assign(self, given: dict) -> None: ...
    def copy(self) -> typing.Any: ...
    def evaluate(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        loss: dict,
        metrics: collections.abc.Sequence[str],
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> dict: ...
    def freeze(
        self,
        positions: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ) -> None:
        """
        Freezes the layers written there, and no others.
        """
    def hidden(
        self,
        X: typing.Any,
        layer: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> typing.Any: ...
    def loss_and_gradients(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        loss: dict,
        training: bool,
        l1: typing.SupportsFloat | typing.SupportsIndex,
        l2: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> tuple: ...
    def predict(
        self, X: typing.Any, n_threads: typing.SupportsInt | typing.SupportsIndex = 0
    ) -> typing.Any: ...
    def probabilities(
        self,
        X: typing.Any,
        link: str,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> typing.Any: ...
    def state(self) -> dict: ...
    def tensors(self) -> list: ...
    @property
    def in_features(self) -> int: ...
    @property
    def layer_widths(self) -> list[int]: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def n_trained(self) -> int:
        """
        Parameters of layers that are not frozen.
        """
    @property
    def out_features(self) -> int: ...
    @property
    def parameters(self) -> numpy.ndarray: ...
    @property
    def progress(self) -> tuple[int, int]:
        """
        (epochs, steps) trained so far: they key shuffles and dropout masks.
        """
    @progress.setter
    def progress(
        self,
        arg1: tuple[
            typing.SupportsInt | typing.SupportsIndex,
            typing.SupportsInt | typing.SupportsIndex,
        ],
    ) -> None: ...

class TrainerF32:
    def __init__(self) -> None: ...
    def evaluations(self) -> int: ...
    def fit(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        X_val: typing.Any,
        targets_val: typing.Any,
        weights_val: typing.Any,
        config: dict,
        on_epoch: typing.Any,
        save: typing.Any = None,
        every: typing.SupportsInt | typing.SupportsIndex = 1,
        state: typing.Any = None,
    ) -> dict:
        """
        save: called after every so many epochs, and the last, with the state of the fit, a dict; state: such a dict to go on from.
        """
    def restore(self, state: dict) -> None: ...
    def set_learning_rate(
        self, lr: typing.SupportsFloat | typing.SupportsIndex
    ) -> None: ...
    def state(self) -> dict:
        """
        What the trainer needs to go on, a dict.
        """
    def step(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        augment: collections.abc.Sequence[dict],
    ) -> tuple: ...

class TrainerF64:
    def __init__(self) -> None: ...
    def evaluations(self) -> int: ...
    def fit(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        X_val: typing.Any,
        targets_val: typing.Any,
        weights_val: typing.Any,
        config: dict,
        on_epoch: typing.Any,
        save: typing.Any = None,
        every: typing.SupportsInt | typing.SupportsIndex = 1,
        state: typing.Any = None,
    ) -> dict:
        """
        save: called after every so many epochs, and the last, with the state of the fit, a dict; state: such a dict to go on from.
        """
    def restore(self, state: dict) -> None: ...
    def set_learning_rate(
        self, lr: typing.SupportsFloat | typing.SupportsIndex
    ) -> None: ...
    def state(self) -> dict:
        """
        What the trainer needs to go on, a dict.
        """
    def step(
        self,
        X: typing.Any,
        targets: typing.Any,
        weights: typing.Any,
        augment: collections.abc.Sequence[dict],
    ) -> tuple: ...

class StopFlag:
    def __init__(self) -> None: ...
    def set(self) -> None:
        """
        From any thread, once and for all.
        """

def Network(
    dtype: str,
    layers: list,
    in_features: typing.SupportsInt | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any:
    """
    A network of this dtype with freshly initialised parameters.
    """

def Trainer(network: typing.Any, config: dict) -> typing.Any:
    """
    A trainer of this network.
    """

def activation_backward(
    dy: typing.Any,
    z: typing.Any,
    activation: Activation,
    out: typing.Any,
    n_threads: typing.Any,
) -> numpy.ndarray: ...
def activation_forward(
    z: typing.Any, activation: Activation, out: typing.Any, n_threads: typing.Any
) -> numpy.ndarray: ...
def activation_names() -> list: ...
def allocation_count() -> int:
    """
    Heap allocations this module has made so far.
    """

def augmented_rows(
    X: numpy.ndarray,
    targets: typing.Any,
    width: typing.SupportsInt | typing.SupportsIndex,
    augment: collections.abc.Sequence[dict],
    seed: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
) -> tuple:
    """
    (X, targets) as a step of this seed and number would see them as one batch; targets of mixtures are `width` wide.
    """

def batchnorm_backward(
    dy: typing.Any,
    x: typing.Any,
    gamma: typing.Any,
    mean: typing.Any,
    inv_std: typing.Any,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def batchnorm_forward(
    x: typing.Any,
    gamma: typing.Any,
    beta: typing.Any,
    eps: typing.SupportsFloat | typing.SupportsIndex,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def batchnorm_inference(
    x: typing.Any,
    gamma: typing.Any,
    beta: typing.Any,
    running_mean: typing.Any,
    running_var: typing.Any,
    eps: typing.SupportsFloat | typing.SupportsIndex,
    out: typing.Any,
    n_threads: typing.Any,
) -> numpy.ndarray: ...
def check_augment(augment: dict) -> None: ...
def check_gradient_noise(gradient_noise: dict) -> None: ...
def check_layer(layer: dict) -> None: ...
def check_loss(loss: dict) -> None: ...
def check_optimizer(optimizer: dict) -> None:
    """
    Raise ValueError for a setting out of range.
    """

def check_schedule(schedule: dict) -> None:
    """
    Raise ValueError for a setting out of range.
    """

def class_loss(
    logits: typing.Any,
    y: typing.Any,
    config: dict,
    sample_weight: typing.Any,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def csr(
    name: str,
    indptr: typing.Any,
    indices: typing.Any,
    values: typing.Any,
    n_rows: typing.SupportsInt | typing.SupportsIndex,
    n_columns: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any:
    """
    The rows of a sparse matrix, or None if the columns of some row do not ascend. Errors speak of `name`.
    """

def curvature_product(
    network: NetworkF64,
    X: typing.Any,
    targets: typing.Any,
    weights: typing.Any,
    loss: dict,
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    curvature: str,
    l1: typing.SupportsFloat | typing.SupportsIndex,
    l2: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 0,
) -> numpy.ndarray:
    """
    The Hessian of the mean loss, or its Gauss-Newton part, times v.
    """

def default_threads(n_threads: typing.SupportsInt | typing.SupportsIndex = 0) -> int:
    """
    n_threads if positive, else the number used when none is given.
    """

def dense_backward(
    dy: typing.Any,
    x: typing.Any,
    w: typing.Any,
    y: typing.Any,
    activation: Activation,
    z: typing.Any,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def dense_forward(
    x: typing.Any,
    w: typing.Any,
    b: typing.Any,
    activation: Activation,
    out: typing.Any,
    n_threads: typing.Any,
) -> numpy.ndarray: ...
def dropout_backward(
    dy: typing.Any,
    mask: typing.Any,
    p: typing.SupportsFloat | typing.SupportsIndex,
    out: typing.Any,
    n_threads: typing.Any,
) -> numpy.ndarray: ...
def dropout_forward(
    x: typing.Any,
    p: typing.SupportsFloat | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
    layer: typing.SupportsInt | typing.SupportsIndex,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def elementwise_loss(
    outputs: typing.Any,
    y: typing.Any,
    config: dict,
    sample_weight: typing.Any,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def fail_allocations(
    n: typing.SupportsInt | typing.SupportsIndex,
    count: typing.SupportsInt | typing.SupportsIndex = 1,
) -> None:
    """
    Let the n-th allocation from now fail, and count - 1 after it; 0: none.
    """

def heed(flag: StopFlag) -> None:
    """
    Let this flag end the fits of this thread from now on, by a KeyboardInterrupt.
    """

def layernorm_backward(
    dy: typing.Any,
    x: typing.Any,
    gamma: typing.Any,
    mean: typing.Any,
    inv_std: typing.Any,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def layernorm_forward(
    x: typing.Any,
    gamma: typing.Any,
    beta: typing.Any,
    eps: typing.SupportsFloat | typing.SupportsIndex,
    out: typing.Any,
    n_threads: typing.Any,
) -> tuple: ...
def permutation(
    n: typing.SupportsInt | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
    epoch: typing.SupportsInt | typing.SupportsIndex,
    purpose: typing.SupportsInt | typing.SupportsIndex = 2,
) -> numpy.ndarray:
    """
    0 .. n - 1 in the random order of (seed, purpose, epoch).
    """

def schedule_at(
    schedule: dict,
    t: typing.SupportsFloat | typing.SupportsIndex,
    lr: typing.SupportsFloat | typing.SupportsIndex,
) -> float:
    """
    The learning rate at step t, from lr.
    """

def set_num_threads(n: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    The number of threads used when none is given; 0: by the environment.
    """

__version__: str
compiler: str
eigen_version: str
level: str
