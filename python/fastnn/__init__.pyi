"""The public names as type checkers see them; at run time they are loaded lazily."""

from fastnn import augment as augment
from fastnn import callbacks as callbacks
from fastnn import curvature as curvature
from fastnn import datasets as datasets
from fastnn import kernels as kernels
from fastnn import layers as layers
from fastnn import losses as losses
from fastnn import onnx as onnx
from fastnn import optim as optim
from fastnn import reference as reference
from fastnn import schedules as schedules
from fastnn._show_config import (
    show_config as show_config,
)
from fastnn._threads import (
    set_num_threads as set_num_threads,
)
from fastnn.callbacks import (
    EMA as EMA,
    SWA as SWA,
    Checkpoint as Checkpoint,
    CSVLogger as CSVLogger,
    EarlyStopping as EarlyStopping,
    EpochInfo as EpochInfo,
    TensorBoard as TensorBoard,
)
from fastnn.diagnosis import (
    Finding as Finding,
    Report as Report,
    diagnose as diagnose,
)
from fastnn.curvature import (
    critical_point as critical_point,
    gauss_newton_vector_product as gauss_newton_vector_product,
    hessian_spectrum as hessian_spectrum,
    hessian_vector_product as hessian_vector_product,
)
from fastnn.ensemble import (
    Ensemble as Ensemble,
    SnapshotEnsemble as SnapshotEnsemble,
)
from fastnn.errors import (
    DivergedError as DivergedError,
    ModelFileError as ModelFileError,
    NotBuiltError as NotBuiltError,
)
from fastnn.gradient_noise import (
    GradientNoise as GradientNoise,
)
from fastnn.history import (
    History as History,
)
from fastnn.layers import (
    CELU as CELU,
    ELU as ELU,
    GELU as GELU,
    SELU as SELU,
    AlphaDropout as AlphaDropout,
    BatchNorm as BatchNorm,
    Dense as Dense,
    Dropout as Dropout,
    GaussianNoise as GaussianNoise,
    HardSigmoid as HardSigmoid,
    HardSwish as HardSwish,
    HardTanh as HardTanh,
    Identity as Identity,
    LayerNorm as LayerNorm,
    LeakyReLU as LeakyReLU,
    Maxout as Maxout,
    Mish as Mish,
    PReLU as PReLU,
    ReLU as ReLU,
    RMSNorm as RMSNorm,
    Residual as Residual,
    Sigmoid as Sigmoid,
    SiLU as SiLU,
    Softplus as Softplus,
    Softsign as Softsign,
    Tanh as Tanh,
)
from fastnn.losses import (
    MAE as MAE,
    MSE as MSE,
    BinaryCrossEntropy as BinaryCrossEntropy,
    CrossEntropy as CrossEntropy,
    Focal as Focal,
    GaussianNLL as GaussianNLL,
    Hinge as Hinge,
    Huber as Huber,
    LogCosh as LogCosh,
    PoissonNLL as PoissonNLL,
    Quantile as Quantile,
)
from fastnn.model_selection import (
    batch_size_study as batch_size_study,
    cross_validate as cross_validate,
    depth_study as depth_study,
    lr_find as lr_find,
)
from fastnn.optim import (
    ASGD as ASGD,
    LBFGS as LBFGS,
    SGD as SGD,
    Adadelta as Adadelta,
    Adagrad as Adagrad,
    Adam as Adam,
    Adamax as Adamax,
    AdamW as AdamW,
    Lion as Lion,
    NAdam as NAdam,
    OptimizerState as OptimizerState,
    RAdam as RAdam,
    RMSprop as RMSprop,
    Rprop as Rprop,
)
from fastnn.schedules import (
    Cosine as Cosine,
    CosineRestarts as CosineRestarts,
    Cyclic as Cyclic,
    Exponential as Exponential,
    InverseTime as InverseTime,
    Linear as Linear,
    MultiStep as MultiStep,
    OneCycle as OneCycle,
    Polynomial as Polynomial,
    ReduceOnPlateau as ReduceOnPlateau,
    StepDecay as StepDecay,
    Warmup as Warmup,
)
from fastnn.sequential import (
    Sequential as Sequential,
    load as load,
)
from fastnn.sklearn import (
    MLPClassifier as MLPClassifier,
    MLPRegressor as MLPRegressor,
)
from fastnn.trainer import (
    Trainer as Trainer,
)

__version__: str
