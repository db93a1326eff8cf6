"""The one place where what a user passes becomes what the engine takes.

Data leave here as aligned, C-contiguous arrays of the network's dtype (labels: int32)
or checked sparse rows, that hold finite numbers only, copied at most once; anything
else is an error that names the argument, what was got, what was expected and what to
do.
"""

from fastnn._validation.arrays import (
    Array,
    as_numbers,
    finite_in_dtype,
)
from fastnn._validation.data import Data, as_data, as_validation_data
from fastnn._validation.features import (
    Rows,
    TableLike,
    as_features,
    as_rows,
    features_not_finite,
)
from fastnn._validation.options import (
    check_bool,
    check_dtype,
    check_int,
    check_metrics,
    check_number,
    check_positive_or_none,
    check_threads,
)
from fastnn._validation.pictures import picture_shape, same_pictures
from fastnn._validation.split import labels_to_stratify, split_data, split_rows
from fastnn._validation.targets import as_targets
from fastnn._validation.weights import as_class_weight, as_sample_weight

__all__ = [
    "Array",
    "Data",
    "Rows",
    "TableLike",
    "as_class_weight",
    "as_data",
    "as_features",
    "as_numbers",
    "as_rows",
    "as_sample_weight",
    "as_targets",
    "as_validation_data",
    "check_bool",
    "check_dtype",
    "check_int",
    "check_metrics",
    "check_number",
    "check_positive_or_none",
    "check_threads",
    "features_not_finite",
    "finite_in_dtype",
    "labels_to_stratify",
    "picture_shape",
    "same_pictures",
    "split_data",
    "split_rows",
]
