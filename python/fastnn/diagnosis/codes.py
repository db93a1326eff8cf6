"""The codes of findings, in the order of the stages that give them."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

__all__ = ["CODES", "Code"]

Code: TypeAlias = Literal[
    # the data
    "not_finite",
    "constant_columns",
    "duplicate_columns",
    "unscaled_inputs",
    "unscaled_targets",
    "one_class",
    "constant_targets",
    "class_imbalance",
    "contradictory_rows",
    "shared_rows",
    "output_activation",
    "targets_out_of_reach",
    # the start
    "bad_start",
    "bad_initial_weights",
    "cannot_learn_a_batch",
    # the training
    "diverged",
    "learning_rate_low",
    "learning_rate_high",
    "weak_optimizer",
    "too_few_epochs",
    "too_much_regularisation",
    "frozen_layers",
    "needs_normalisation",
    "needs_skips",
    "too_deep",
    "worse_than_linear",
    # the size
    "too_narrow",
    "too_shallow",
    "no_hidden_layer",
    # the layers
    "vanishing_gradients",
    "exploding_gradients",
    "equal_units",
    "dead_units",
    "saturated_units",
    "small_updates",
    "large_updates",
    # where it is stuck
    "stuck_at_saddle",
    "stuck_on_plateau",
    "oscillation",
    # new rows
    "overfitting",
    "no_signal",
    "input_shift",
    "label_shift",
    "other_relation",
    # the batch size
    "batch_too_small",
    "batch_too_large",
    "slow_batches",
]

CODES: tuple[Code, ...] = get_args(Code)
"""All of them: a finding bears no other."""
