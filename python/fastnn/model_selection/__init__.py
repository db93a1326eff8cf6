"""Which network, which learning rate, for how long: measured on held-back rows."""

from fastnn.model_selection.cross_validation import cross_validate
from fastnn.model_selection.fold_results import CrossValidation
from fastnn.model_selection.range_test import LearningRates, lr_find
from fastnn.model_selection.studies import batch_size_study, depth_study
from fastnn.model_selection.study import Study

__all__ = [
    "CrossValidation",
    "LearningRates",
    "Study",
    "batch_size_study",
    "cross_validate",
    "depth_study",
    "lr_find",
]
