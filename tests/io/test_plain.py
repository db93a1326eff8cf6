"""Descriptions as plain data and back: all that there are, and nothing else."""

import json
import math

import numpy as np
import pytest

import fastnn as fnn
from fastnn._config import Config
from fastnn._plain import from_plain, to_plain
from fastnn.augment import AUGMENTS, Augment
from fastnn.callbacks import AVERAGES
from fastnn.layers import LAYERS, Activation, Layer
from fastnn.losses import LOSSES, Loss
from fastnn.optim import OPTIMIZERS, Optimizer
from fastnn.schedules import SCHEDULES, Schedule

NO_FILE_HOLDS = {"custom"}  # a function of the user's own

OTHERS = {
    "early_stopping": fnn.EarlyStopping,
    "gradient_noise": fnn.GradientNoise,
    **AVERAGES,
}

# What has no default must be given here; a class that is missing fails the test.
NEEDED = {
    "dense": [3],
    "maxout": [3],
    "gaussian_noise": [0.1],
    "residual": [fnn.ReLU()],
    "step_decay": [5],
    "multi_step": [(2, 4)],
    "exponential": [0.9],
    "inverse_time": [0.1],
    "linear": [1.0, 0.1, 5],
    "polynomial": [5],
    "cosine": [5],
    "cosine_restarts": [5],
    "one_cycle": [10, 0.5],
    "cyclic": [0.1, 0.5, 3],
    "warmup": [2],
    "swa": [3],
    "noise": [0.1],
    "brightness": [0.2],
    "contrast": [0.2],
    "shift": [2],
    "rotate": [10],
    "cutout": [3],
}

FAMILIES = [
    (Layer, LAYERS),
    (Loss, LOSSES),
    (Optimizer, OPTIMIZERS),
    (Schedule, SCHEDULES),
    (Config, OTHERS),
    (Augment, AUGMENTS),
]

WITH_SCHEDULES = {**OTHERS, **SCHEDULES}  # what stands within is of the same registry

SPECIAL = [
    (Layer, LAYERS, fnn.Dense(4, fnn.LeakyReLU(0.3), use_bias=False, init="torch")),
    (Layer, LAYERS, fnn.Dense(2**62, in_features=7, lr_scale=0.1)),
    (Layer, LAYERS, fnn.Dense(4, weight_norm=True, dropconnect=1 / 3)),
    (Layer, LAYERS, fnn.Maxout(2**61, 3, in_features=7, init="zeros")),
    (Layer, LAYERS, fnn.RMSNorm(5e-324)),
    (Layer, LAYERS, fnn.GELU("tanh")),
    (
        Layer,
        LAYERS,
        fnn.Residual(
            fnn.Dense(3, "relu"),
            fnn.Residual(fnn.LayerNorm(), survival=0.9, projection=False),
            projection=True,
        ),
    ),
    (Layer, LAYERS, fnn.BatchNorm(momentum=1 / 3)),
    (Loss, LOSSES, fnn.Quantile((0.1, 1 / 3))),
    (Loss, LOSSES, fnn.BinaryCrossEntropy(pos_weight=[1.0, 0.1 + 0.2])),
    (Optimizer, OPTIMIZERS, fnn.AdamW(np.float32(0.1), betas=(0.5, 0.75))),
    (Schedule, SCHEDULES, fnn.Warmup(2, fnn.Warmup(3, fnn.Cosine(4, 5e-324)))),
    (Schedule, SCHEDULES, fnn.ReduceOnPlateau(monitor="val_ü")),
    (Config, OTHERS, fnn.EarlyStopping("loss", patience=np.int64(2))),
    (Augment, AUGMENTS, fnn.augment.Shift(0.25, fill=-1, shape=[4, np.int64(3), 1])),
    (
        Config,
        {**OTHERS, **SCHEDULES},
        fnn.SWA(0.75, fnn.Warmup(2, fnn.Linear(1, 1, 3))),
    ),
    (Config, OTHERS, fnn.EMA(None)),
]

CASES = [
    (family, registry, cls(*NEEDED.get(cls.kind, ())))
    for family, registry in FAMILIES
    for cls in registry.values()
] + SPECIAL


@pytest.mark.parametrize(
    ("family", "registry", "description"), CASES, ids=[str(c[2]) for c in CASES]
)
def test_round_trip(family, registry, description):
    text = json.dumps(to_plain(description), allow_nan=False)
    found = from_plain(family, registry, json.loads(text), "config")
    assert found == description
    assert repr(found) == repr(description)


def _subclasses(cls):
    return {cls}.union(*map(_subclasses, cls.__subclasses__()))


def test_the_registries_hold_every_description():
    """Every class of ours that has a name of its own, that is."""
    ours = {
        c
        for c in _subclasses(Config)
        if c.__module__.startswith("fastnn.") and "kind" in vars(c) and c.kind
        if c.kind not in NO_FILE_HOLDS
    }
    assert ours == {c for _, registry in FAMILIES for c in registry.values()}


def test_given_arrays_are_not_stored():
    layer = fnn.Dense(1, "tanh", init=([[1.0, 2.0]], [3.0]), lr_scale=0.5)
    plain = to_plain(layer)
    assert plain["init"] == "auto"
    assert from_plain(Layer, LAYERS, plain, "config") == fnn.Dense(
        1, "tanh", in_features=2, lr_scale=0.5
    )


DENSE = to_plain(fnn.Dense(3, "relu"))
BLOCK = to_plain(fnn.Residual(fnn.Dense(3, "relu")))
WARMUP = to_plain(fnn.Warmup(2, fnn.Cosine(3)))


@pytest.mark.parametrize(
    ("family", "registry", "plain", "message"),
    [
        (Layer, LAYERS, [], "config: must be an object with a kind, got list"),
        (Layer, LAYERS, "relu", "config: must be an object with a kind, got str"),
        (Layer, LAYERS, {}, "config.kind: must be the name of one of .*, got None"),
        (Layer, LAYERS, {"kind": 3}, "config.kind: .* got 3"),
        (Layer, LAYERS, {"kind": ["relu"]}, r"config.kind: .* got \['relu'\]"),
        (Layer, LAYERS, {"kind": "__import__"}, "config.kind: .* got '__import__'"),
        (Layer, LAYERS, {"kind": "os.system"}, "config.kind: .* got 'os.system'"),
        (Layer, LAYERS, {"kind": "Dense", "units": 3}, "config.kind: .* got 'Dense'"),
        (Loss, LOSSES, {"kind": "relu"}, "config.kind: .* got 'relu'"),
        (Activation, LAYERS, DENSE, "config.kind: .* got 'dense'"),
        (Layer, LAYERS, {"kind": "dense"}, "config.units: Dense needs it"),
        (Layer, LAYERS, {**DENSE, "__class__": 1}, "config.__class__: .* no such"),
        (Layer, LAYERS, {**DENSE, "_": 1}, "config._: Dense has no such"),
        (Layer, LAYERS, {**DENSE, "units": True}, "config: Dense: units .* bool True"),
        (Layer, LAYERS, {**DENSE, "units": 3.0}, "config: Dense: units .* float 3.0"),
        (Layer, LAYERS, {**DENSE, "units": "3"}, "config: Dense: units .* str '3'"),
        (Layer, LAYERS, {**DENSE, "units": None}, "config: Dense: units .* NoneType"),
        (Layer, LAYERS, {**DENSE, "units": 0}, "config: Dense: units"),
        (Layer, LAYERS, {**DENSE, "units": -(2**63)}, "config: Dense: units"),
        (Layer, LAYERS, {**DENSE, "units": 2**63}, "config: Dense: units .* 19 digits"),
        (Layer, LAYERS, {**DENSE, "use_bias": 1}, "config: Dense: use_bias"),
        (Layer, LAYERS, {**DENSE, "init": [[[1]], [1]]}, "config: Dense: init"),
        (Layer, LAYERS, {**DENSE, "init": "exec"}, "config: Dense: init"),
        (Layer, LAYERS, {**DENSE, "activation": "relu"}, "config.activation: fastnn w"),
        (Layer, LAYERS, {**DENSE, "activation": "eval"}, "config: activation: unknown"),
        (Layer, LAYERS, {**DENSE, "activation": DENSE}, "config: activation must be"),
        (Layer, LAYERS, {**DENSE, "activation": {}}, "config.activation.kind"),
        (Layer, LAYERS, {**DENSE, "activation": [1]}, "config: activation must be"),
        (Layer, LAYERS, {**BLOCK, "layers": []}, "config: Residual: layers: .* none"),
        (Layer, LAYERS, {**BLOCK, "layers": "relu"}, "config: layers must be a list"),
        (Layer, LAYERS, {**BLOCK, "layers": None}, "config: layers must be a list"),
        (Layer, LAYERS, {**BLOCK, "layers": DENSE}, "config: layers must be a list"),
        (Layer, LAYERS, {**BLOCK, "layers": [[DENSE]]}, "config: Residual: .* tuple"),
        (Layer, LAYERS, {**BLOCK, "layers": [1]}, "config: Residual: layers.0. must"),
        (Layer, LAYERS, {**BLOCK, "layers": [WARMUP]}, "config.layers.0..kind"),
        (Layer, LAYERS, {**BLOCK, "survival": 0}, "config: Residual: survival"),
        (Layer, LAYERS, {**BLOCK, "projection": 1}, "config: Residual: projection"),
        (Layer, LAYERS, {"kind": "residual"}, "config.layers: Residual needs it"),
        (Schedule, SCHEDULES, {**WARMUP, "then": DENSE}, "config.then.kind"),
        (Schedule, SCHEDULES, {**WARMUP, "then": "x"}, "config: Warmup: then"),
        (Schedule, SCHEDULES, {**WARMUP, "per": "day"}, "config: Warmup: per"),
        (Schedule, SCHEDULES, {"kind": "multi_step", "milestones": [[1]]}, "config: "),
    ],
)
def test_refused(family, registry, plain, message):
    with pytest.raises(fnn.ModelFileError, match=message):
        from_plain(family, registry, plain, "config")


def test_arrays_in_the_place_of_an_init_are_refused():
    """They could be a Dense, but not one that a file of ours describes."""
    plain = {**DENSE, "init": [[[1.0]] * 3, [0.0] * 3], "in_features": 1}
    with pytest.raises(fnn.ModelFileError, match=r"config\.init: fastnn would write"):
        from_plain(Layer, LAYERS, plain, "config")


def test_a_message_does_not_fill_the_screen():
    with pytest.raises(fnn.ModelFileError) as caught:
        from_plain(Layer, LAYERS, {**DENSE, "x" * 10**6: 1}, "config")
    assert len(str(caught.value)) < 1000


def test_no_description_has_a_field_that_json_cannot_hold():
    """A field that took infinity would need another word in files."""
    for family, registry, description in CASES:
        for name, value in to_plain(description).items():
            if type(value) is float:
                plain = {**to_plain(description), name: math.inf}
                with pytest.raises(fnn.ModelFileError):
                    from_plain(family, registry, plain, "config")
