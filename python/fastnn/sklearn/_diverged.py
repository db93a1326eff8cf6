"""A fit that left the finite numbers, as scikit-learn's users catch it."""

from __future__ import annotations

from fastnn.errors import DivergedError

__all__ = ["FitDivergedError"]


class FitDivergedError(DivergedError, ValueError):
    """The `DivergedError` of an estimator.

    It is a ValueError too, which scikit-learn's networks raise when their weights are
    not finite.
    """

    @classmethod
    def of(cls, error: DivergedError, *, goes_on: bool) -> FitDivergedError:
        """Return the error of an estimator for that of its network."""
        result = cls(
            epoch=error.epoch,
            step=error.step,
            lr=error.lr,
            what=error.what,
            history=error.history,
        )
        state = (
            "The network keeps the weights of the last finite epoch"
            if goes_on
            else "The estimator is as it was before"
        )
        message = (
            "Solver produced non-finite parameter weights or outputs: training "
            f"diverged in epoch {error.epoch}, step {error.step}, at learning rate "
            f"{error.lr:g}: {error.what}. {state}. Scale X (for example by "
            "StandardScaler), set clip_norm=1.0, or lower the learning rate (say "
            f"{error.lr / 10:g})."
        )
        result.args = (message,)
        return result

    def __reduce__(self) -> tuple[object, ...]:
        state = (self.epoch, self.step, self.lr, self.what, self.history)
        return _rebuilt, (state, self.args)


def _rebuilt(state: tuple[object, ...], args: tuple[object, ...]) -> FitDivergedError:
    names = ("epoch", "step", "lr", "what", "history")
    error = FitDivergedError(**dict(zip(names, state, strict=True)))  # type: ignore[arg-type]
    error.args = args
    return error
