"""Stage "generalisation": how new rows and validation rows fare.

Rows held out of the training rows tell overfitting; validation rows that do worse than
those tell a mismatch.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis import variants
from fastnn.diagnosis.alternatives import other_starts, scalings
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.trial import Rows, Run
from fastnn.errors import DivergedError
from fastnn.layers import Dense
from fastnn.losses import BinaryCrossEntropy
from fastnn.optim import Adam
from fastnn.sequential import Sequential

__all__ = ["check_domains", "look"]

_L2 = 1e-2
_SPOILERS = ("bad_initial_weights", "unscaled_inputs", "unscaled_targets")
_DOMAIN_ROWS = 1000  # of each of two sets
_DOMAIN_EPOCHS = 30


def look(case: Case) -> None:
    """Compare rows trained on, held out, and the user's validation rows."""
    lab, notes, main = case.lab, case.notes, case.trained
    if main.diverged or not np.isfinite(main.train):
        return
    gap = main.held - main.train
    error = lab.standard_error(main.net, lab.held)
    notes.measurements["generalisation"] = {
        "training": main.train,
        "held_out": main.held,
        "held_out_at_best": main.best_held,
        "standard_error": error,
    }
    new_rows = {"held_out": main.held}
    if lab.validation is not None:
        error = max(error, _error_by_validation(case, lab.validation))
        _mismatch(case, lab.validation, error)
        if gap <= at.NOISE * error and not _are_of_another_kind(case):
            # Few rows were held out; the user's are of their kind, and more.
            validation = lab.share(lab.loss_of(main.net, lab.validation))
            new_rows["validation"] = validation
            gap = validation - main.train
            error = lab.standard_error(main.net, lab.validation)
    if gap > at.OVERFITTING_GAP and gap > at.NOISE * error:
        _overfitting(case, {**new_rows, "gap": gap, "standard_error": error})


def _error_by_validation(case: Case, validation: Rows) -> float:
    """Return the error of the share of held-out rows if they vary as these do.

    A dozen held-out rows, of which none happens to be hard, look certain.
    """
    lab = case.lab
    error = lab.standard_error(case.trained.net, validation)
    return error * math.sqrt(len(validation) / len(lab.held))


def _are_of_another_kind(case: Case) -> bool:
    return any(finding.cause == "mismatch" for finding in case.notes.findings)


def _overfitting(case: Case, evidence: dict[str, float]) -> None:
    lab, notes, main = case.lab, case.notes, case.trained
    remedies = {"early stopping": main.best_held}
    runs = _remedies(case)
    for run in runs:
        remedies[run.name] = run.held
    if any(f.code in _SPOILERS and f.severity == "severe" for f in notes.findings):
        return  # not the rows, but how they or the weights are scaled
    more_rows = _learning_curve(lab)
    notes.measurements["generalisation"]["remedies"] = remedies
    notes.measurements["generalisation"]["learning_curve"] = more_rows
    if _nobody_learns(case, runs):
        notes.find(
            "no_signal",
            "severe",
            "nothing that was tried does better on new rows than constant outputs",
            cause="overfitting",
            held_out_at_best=min(r.best_held for r in _all_runs(case, runs)),
            training=main.train,
            advice="what is learnt is learnt by heart: check that rows of X and y "
            "belong together, and that X tells anything about y",
        )
    best = min(remedies, key=lambda name: remedies[name])
    helps = remedies[best] < main.held - at.GAIN_ON_NEW_ROWS
    advice = f"{best} helps most of what was tried" if helps else "more rows"
    half, whole = more_rows[0][1], more_rows[-1][1]
    if half - whole > at.GAIN_ON_NEW_ROWS:
        advice += "; more rows help: with half of them it is worse"
    notes.find(
        "overfitting",
        "warning" if lab.is_cut else "severe",  # fewer rows than the user has
        "new rows do far worse than those trained on",
        cause="overfitting",
        training=main.train,
        **evidence,
        rows=len(lab.train),
        **{f"held_out_with_{k.replace(' ', '_')}": v for k, v in remedies.items()},
        held_out_at_best_with_half_the_rows=half,
        advice=advice,
    )


def _remedies(case: Case) -> list[Run]:
    """Return trainings with dropout, a penalty, and what bad scales would ask for."""
    lab, main = case.lab, case.trained
    runs = []
    dropped = variants.with_dropout(lab.net.layers)
    if dropped is not None and lab.clock.left > 0:
        runs.append(lab.run("dropout", lab.drawn(dropped)))
    if lab.clock.left > 0:
        runs.append(lab.run("l2", lab.net.copy(), l2=_L2))
    for alternative in (*scalings(case), *other_starts(case)):
        if lab.clock.left <= 0:
            break
        run = alternative.run()
        runs.append(run)
        if main.best_held - run.best_held > at.GAIN:
            case.notes.drop(alternative.code)
            case.notes.find(
                alternative.code,
                "severe",
                alternative.title,
                cause=alternative.cause,
                held_out_at_best=main.best_held,
                **{f"held_out_at_best_{run.name.replace(' ', '_')}": run.best_held},
                advice=alternative.advice,
            )
    return runs


def _learning_curve(lab: Lab) -> list[tuple[int, float]]:
    """Return the held-out share at its best epoch with half and all of the rows."""
    n = len(lab.train)
    points = []
    for part in (n // 2, n):
        rows = lab.train.take(np.sort(lab.random.permutation(n)[:part]))
        run = lab.run(f"{part} rows", lab.net.copy(), rows=rows)
        points.append((part, run.best_held))
    return points


def _all_runs(case: Case, more: list[Run]) -> list[Run]:
    linear = [] if case.linear is None else [case.linear]
    return [case.trained, *linear, *case.tried, *more]


def _nobody_learns(case: Case, more: list[Run]) -> bool:
    lab = case.lab
    level = at.NOTHING_LEARNT * lab.share(lab.held_trivial)
    return all(run.best_held > level for run in _all_runs(case, more))


def _mismatch(case: Case, validation: Rows, error: float) -> None:
    lab, notes, main = case.lab, case.notes, case.trained
    share = lab.share(lab.loss_of(main.net, validation))
    gap = share - main.held
    noise = float(np.hypot(error, lab.standard_error(main.net, validation)))
    area, columns = check_domains(lab, validation)
    shift = _label_shift(lab.train, validation, lab)
    notes.measurements["generalisation"].update(
        validation=share, domain_auc=area, label_shift=shift
    )
    evidence = {
        "held_out": main.held,
        "validation": share,
        "gap": gap,
        "domain_auc": area,
        "label_shift": shift,
        "columns": columns,
    }
    matters = gap > at.MISMATCH_GAP and gap > at.NOISE * noise
    n = min(len(lab.train), len(validation), _DOMAIN_ROWS)
    apart = area > max(
        at.MISMATCH_AUC, 0.5 + at.CHANCE * math.sqrt((2 * n + 1) / (12 * n * n))
    )
    if apart:
        notes.find(
            "input_shift",
            "severe" if matters else "info",
            "a classifier tells validation rows from training rows by their columns",
            cause="mismatch",
            **evidence,
            advice="find out how the two were collected; train on rows like those to "
            "come, or bring the columns named to one distribution",
        )
    if shift is not None and shift > max(
        at.LABEL_SHIFT, _shift_by_chance(lab, validation)
    ):
        notes.find(
            "label_shift",
            "severe" if matters and not apart else "info",
            "the classes' shares differ between training and validation rows",
            cause="mismatch",
            **evidence,
            advice="split in proportion to the classes, or weigh rows by the shares to "
            "be expected (class_weight)",
        )
    if matters and not apart and not notes.has("label_shift"):
        notes.find(
            "other_relation",
            "severe",
            "validation rows look like training rows but do far worse than rows held "
            "out of those",
            cause="mismatch",
            **evidence,
            advice="the same inputs go with other targets there: check how "
            "validation targets were made, and that their rows belong together",
        )


def check_domains(lab: Lab, validation: Rows) -> tuple[float, list[int]]:
    """Return the AUC of a small network that tells two sets of rows apart, out of fold.

    And the columns whose means differ most, in standard deviations.
    """
    lab.say("training against validation rows")
    ours, theirs = np.unique(lab.train.X, axis=0), np.unique(validation.X, axis=0)
    n = min(_DOMAIN_ROWS, len(ours), len(theirs))
    a = ours[lab.random.permutation(len(ours))[:n]].astype(np.float64)
    b = theirs[lab.random.permutation(len(theirs))[:n]].astype(np.float64)
    spread = np.vstack([a, b]).std(axis=0)
    scale = np.where(spread > 0, spread, 1)
    X = np.vstack([a, b]) / scale
    X -= X.mean(axis=0)
    y = np.repeat([0.0, 1.0], n)
    scores = np.zeros(2 * n)
    fold = lab.random.permutation(2 * n) % 2
    for k in (0, 1):
        net = Sequential(Dense(16, "relu"), Dense(1), seed=k)
        try:
            net.fit(
                X[fold != k],
                y[fold != k],
                loss=BinaryCrossEntropy(),
                optimizer=Adam(3e-3),
                epochs=_DOMAIN_EPOCHS,
                batch_size=64,
                l2=1e-3,
            )
        except DivergedError:
            return 0.5, []
        scores[fold == k] = net.predict(X[fold == k])[:, 0]
    apart = np.abs(a.mean(axis=0) - b.mean(axis=0)) / scale
    top = np.argsort(-apart)[:3]
    return _auc(scores, y), [int(j) for j in top if apart[j] > at.APART]


def _auc(scores: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    positive = y > 0
    n = int(positive.sum())
    area = (ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(y) - n))
    return float(area)


def _shift_by_chance(lab: Lab, validation: Rows) -> float:
    """Return the most total variation that equal distributions are apt to show."""
    shares = np.unique(lab.train.y, return_counts=True)[1] / lab.train.y.size
    spread = np.sqrt(shares * (1 - shares) * (1 / len(lab.train) + 1 / len(validation)))
    return at.CHANCE * float(spread.sum() * math.sqrt(2 / math.pi) / 2)


def _label_shift(train: Rows, validation: Rows, lab: Lab) -> float | None:
    """Return the total variation between the classes' shares, for classes."""
    if lab.setup.loss.targets == "values" or train.y.shape[1:] not in ((), (1,)):
        return None
    a, b = train.y.ravel(), validation.y.ravel()
    classes = np.union1d(a, b)
    share_a = np.array([(a == c).mean() for c in classes])
    share_b = np.array([(b == c).mean() for c in classes])
    return float(np.abs(share_a - share_b).sum() / 2)
