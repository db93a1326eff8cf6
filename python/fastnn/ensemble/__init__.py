"""Networks that predict together: members of different seeds, snapshots of one run."""

from fastnn.ensemble.committee import Committee
from fastnn.ensemble.members import Ensemble
from fastnn.ensemble.snapshots import SnapshotEnsemble

__all__ = ["Committee", "Ensemble", "SnapshotEnsemble"]
