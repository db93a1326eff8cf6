"""What a run of training is, beside its numbers: the trainer, the fit, its data."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastnn._config import Config
from fastnn._fit_options import FitOptions, curve_names
from fastnn._plain import check_fields, from_plain, to_plain
from fastnn._validation import check_int, check_number, check_positive_or_none
from fastnn._validation.fingerprint import Fingerprint
from fastnn.augment import AUGMENTS, Augment
from fastnn.callbacks import AVERAGES, EarlyStopping
from fastnn.errors import ModelFileError
from fastnn.gradient_noise import GradientNoise
from fastnn.io.model_file import told_as
from fastnn.losses import LOSSES, Loss
from fastnn.optim import OPTIMIZERS, Optimizer
from fastnn.schedules import SCHEDULES
from fastnn.schedules.several import Schedules

__all__ = ["TRAINER_KEYWORDS", "RunRecord"]

_LIMITS = ("max_norm", "clip_norm", "clip_value")
TRAINER_KEYWORDS = (
    *("loss", "optimizer", "schedule", "l1", "l2", *_LIMITS),
    "gradient_noise",
)
"""What makes a trainer of a network, `n_threads` apart, which changes no bit."""

_DATA = (
    "X",
    "y",
    "sample_weight",
    "class_weight",
    "validation_data[0]",
    "validation_data[1]",
    "validation_data[2]",
)


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """A trainer's keywords, the options of its fit and the fingerprints of the data."""

    trainer: dict[str, Any]
    fit: FitOptions
    data: dict[str, Fingerprint | None]

    @property
    def validates(self) -> bool:
        """Whether the fit has rows to validate on."""
        return (
            self.fit.validation_split > 0 or self.data["validation_data[0]"] is not None
        )

    @property
    def curves(self) -> list[str]:
        """The names of the history's curves, in the engine's order."""
        scheduled = Schedules.checked(self.trainer["schedule"]).curves
        return curve_names(
            self.fit.metrics, validates=self.validates, scheduled=scheduled
        )

    def check_storable(self) -> None:
        """Raise ValueError if a part is a class that only the user's program knows."""
        families: dict[str, Any] = {"loss": LOSSES, "optimizer": OPTIMIZERS}
        own = [
            (name, self.trainer[name])
            for name, registry in families.items()
            if type(self.trainer[name]) is not registry.get(self.trainer[name].kind)
        ]
        schedules = Schedules.checked(self.trainer["schedule"])
        own += [("schedule", schedule) for schedule in schedules.own()]
        if own:
            name, part = own[0]
            raise ValueError(
                f"checkpoint: the {name} {part!r} is your own, which no file can "
                f"hold: use one of fastnn's, or checkpoint=None"
            )

    def check_same(self, given: RunRecord, path: str, epochs_done: int) -> None:
        """Raise ValueError unless the fit `given` would complete this one, of a file.

        Another number of epochs is allowed, as long as it is not below those done and
        moves no epoch from which weights are averaged.
        """
        before, now = self.fit.to_plain(), given.fit.to_plain()
        if now["epochs"] < epochs_done:
            raise _differs("epochs", path, f"{epochs_done} done", now["epochs"])
        start = (before["averaging"] or {}).get("start")
        if before["epochs"] == now["epochs"] or not isinstance(start, float):
            before["epochs"] = now["epochs"]
        for name in before:
            if before[name] != now[name]:
                shown = getattr(self.fit, name), getattr(given.fit, name)
                raise _differs(
                    "callbacks" if name == "averaging" else name, path, *shown
                )
        for name, there in self.data.items():
            if there != given.data[name]:
                raise _differs(name, path, *_shown(there, given.data[name]))

    def to_plain(self) -> dict[str, Any]:
        """Return the record as the config of a file holds it."""
        trainer = {
            name: to_plain(value) if isinstance(value, Config) else value
            for name, value in self.trainer.items()
        }
        trainer["schedule"] = Schedules.checked(self.trainer["schedule"]).to_plain()
        if trainer["gradient_noise"] is None:  # as in files of versions without it
            del trainer["gradient_noise"]
        return {
            "trainer": trainer,
            "fit": self.fit.to_plain(),
            "data": self.data,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any], where: str) -> RunRecord:
        """Return the record that `plain` is; nothing is believed of it.

        Raises
        ------
        ModelFileError
            Naming what is wrong, within `where`.
        """
        data = _data_from_plain(plain["data"], f"{where}.data")
        trainer = _trainer_from_plain(plain["trainer"], f"{where}.trainer")
        validated = data["validation_data[0]"] is not None
        fit = _fit_from_plain(
            plain["fit"], f"{where}.fit", trainer["loss"], validated=validated
        )
        return cls(trainer, fit, data)


def _differs(argument: str, path: str, before: object, now: object) -> ValueError:
    return ValueError(
        f"{argument}: the fit to complete, in {path!r}, has {before}, got {now}: pass "
        "the same, or begin another fit with fnn.Trainer(fnn.load(path), ...)"
    )


def _shown(
    before: Fingerprint | None, now: Fingerprint | None
) -> tuple[object, object]:
    """Return what to say of two fingerprints that differ."""
    if before and now and before["shape"] == now["shape"]:
        return f"shape {tuple(before['shape'])}", "that shape with other numbers"
    first, second = (
        "none" if one is None else f"shape {tuple(one['shape'])}"
        for one in (before, now)
    )
    return first, second


def _trainer_from_plain(plain: object, where: str) -> dict[str, Any]:
    names = list(TRAINER_KEYWORDS)
    if not (isinstance(plain, dict) and "gradient_noise" in plain):
        names.remove("gradient_noise")
    given = check_fields(plain, names, where)
    noise = given.get("gradient_noise")
    if "gradient_noise" in given:
        noise = from_plain(
            GradientNoise,
            {GradientNoise.kind: GradientNoise},
            noise,
            f"{where}.gradient_noise",
        )
    schedules = Schedules.from_plain(given["schedule"], f"{where}.schedule")
    keywords = {
        "loss": from_plain(Loss, LOSSES, given["loss"], f"{where}.loss"),
        "optimizer": from_plain(
            Optimizer, OPTIMIZERS, given["optimizer"], f"{where}.optimizer"
        ),
        "schedule": schedules.given,
        "gradient_noise": noise,
    }
    with told_as(f"{where}.schedule"):
        schedules.check_optimizer(keywords["optimizer"])
    for name in ("l1", "l2", *_LIMITS):
        value = given[name]
        with told_as(f"{where}.{name}"):
            keywords[name] = (
                check_positive_or_none(name, value)
                if name in _LIMITS
                else check_number(name, value, at_least=0.0)
            )
    return keywords


def _fit_from_plain(
    plain: object, where: str, loss: Loss, *, validated: bool
) -> FitOptions:
    given = dict(check_fields(plain, FitOptions.stored, where))
    registries: dict[str, dict[str, type[Config]]] = {
        "early_stopping": {EarlyStopping.kind: EarlyStopping},
        "averaging": {**AVERAGES, **SCHEDULES},
    }
    for name, registry in registries.items():
        if given[name] is not None:
            given[name] = from_plain(Config, registry, given[name], f"{where}.{name}")
    given["augment"] = _augment_from_plain(given["augment"], f"{where}.augment")
    averaging = given.pop("averaging")
    with told_as(where):
        options = FitOptions.checked(
            loss,
            has_validation_data=validated,
            callbacks=() if averaging is None else (averaging,),
            verbose=0,
            **given,
        )
    if options.to_plain() != plain:
        raise ModelFileError(where, f"fastnn would write {options.to_plain()} here")
    return options


def _augment_from_plain(plain: object, where: str) -> list[Augment]:
    if not isinstance(plain, list):
        raise ModelFileError(where, f"must be a list, got {type(plain).__name__}")
    return [
        from_plain(Augment, AUGMENTS, item, f"{where}[{i}]")
        for i, item in enumerate(plain)
    ]


def _data_from_plain(plain: object, where: str) -> dict[str, Fingerprint | None]:
    data = check_fields(plain, _DATA, where)
    for name, value in data.items():
        if value is None and name not in ("X", "y"):
            continue
        fields = check_fields(value, ("shape", "crc32"), f"{where}.{name}")
        shape, crc = fields["shape"], fields["crc32"]
        if not isinstance(shape, list) or len(shape) not in (1, 2):
            raise ModelFileError(f"{where}.{name}.shape", f"is no shape: {shape!r}")
        with told_as(f"{where}.{name}"):
            for extent in shape:
                check_int("shape", extent, 1)
            check_int("crc32", crc, 0, below=2**32)
    return data
