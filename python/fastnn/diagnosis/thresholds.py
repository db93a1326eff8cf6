"""Every number a finding is decided by, each with where it comes from.

Losses are compared on the scale of this task: 0 is no loss, 1 the loss of the best
constant outputs ("share" below). "measured": chosen from the cases of
docs/diagnosis.md so that healthy ones stay silent.
"""

from __future__ import annotations

# -- what a difference is -------------------------------------------------------------

GAIN = 0.1
"""Share of the trivial loss by which another training must be lower to be blamed on
this one. Measured: reruns of healthy cases with other seeds differ by up to 0.03."""

GAIN_ON_NEW_ROWS = 0.04
"""By how much it must be better on rows held out as well, else it learns noise."""

HIGH_LOSS = 0.1
"""A training loss below this share is low: nothing is wrong with the training."""

NOTHING_LEARNT = 0.97
"""A share above this is no better than constant outputs."""

NEAR_BEST = 0.5
"""Part of the best change's gain from which on another change is as grave. Measured."""

DIVERGED = 2.0
"""Share that a training which diverged is taken to have: worse than any that did not.
"""

STILL = 0.02
"""Share by which a training at rest falls in its last quarter. Measured: by as much a
rerun with another seed differs."""

NOISE = 2.0
"""Standard errors that a gap between two sets of rows must exceed."""

# -- generalisation -------------------------------------------------------------------

OVERFITTING_GAP = 0.25
"""Share by which rows held out may be worse than those trained on. Measured."""

MISMATCH_GAP = 0.15
"""Share by which validation rows may be worse than rows held out of training's.
(Ng, "Machine Learning Yearning", 2018, ch. 40: the gap from a "training dev set".)"""

MISMATCH_AUC = 0.7
"""Area under the curve of a classifier that tells training and validation rows apart
from which on they differ (Lopez-Paz and Oquab 2017: two-sample tests; 0.5 is chance).
"""

APART = 0.5
"""Standard deviations between the means of a column in two sets of rows: a medium
effect (Cohen 1988, "Statistical power analysis")."""

CHANCE = 3.0
"""Times what equal distributions are expected to show: what they hardly ever show."""

LABEL_SHIFT = 0.15
"""Total variation between the classes' shares in two sets of rows. Measured."""

# -- data -----------------------------------------------------------------------------

SPREAD = 10.0
"""Standard deviation of a column, or its inverse: learning rates in use suit 1, and the
condition of a linear layer's Hessian grows with the square of the columns' scale (LeCun
et al. 1998, "Efficient BackProp")."""

SPREAD_RATIO = 30.0
"""The largest over the median one, likewise. (Not over the smallest: pixels at the
border of pictures hardly change, and do no harm.)"""

OFFSET = 5.0
"""|mean| / standard deviation of a column, likewise."""

TARGET_OFFSET = 2.5
"""|mean| / standard deviation of targets: biases start at 0, and at a usual rate they
move by about 1 in a training. Measured."""

OUT_OF_REACH = 0.05
"""Share of the targets beyond what the output activation can give. Measured: fewer may
be outliers."""

CONTRADICTIONS = 0.05
"""Share of rows that equal another with other targets. Measured: fewer cost no more
than noise does."""

IMBALANCE = 10.0
"""Rows of the most over those of the least frequent class (He and Garcia 2009 speak of
imbalance from 10:1 on as between classes)."""

SHARED_ROWS = 0.01
"""Share of validation rows that are training rows, from which on scores flatter."""

SHARED_ROWS_SEVERE = 0.1

# -- the start ------------------------------------------------------------------------

BAD_START = 2.5
"""Share of the trivial loss that a start may have: CS231n, "look for correct loss at
chance performance"; He and Glorot starts stay below 2 (measured)."""

BY_HEART = 0.3
"""Share of the trivial loss that is left when a batch of 32 rows was learnt by heart
(CS231n: "overfit a tiny subset of data")."""

# -- layers ---------------------------------------------------------------------------

VANISHING = 1e-3
"""Root mean square gradient of the first layer over the last one's. (Glorot and Bengio
2010 show it fall with depth; healthy cases stay above 0.02, measured.)"""

EXPLODING = 1e3

DEAD = 0.5
"""Share of a layer's units that give the same output for all rows."""

SAME = 1e-6
"""Spread, beside the largest output, of what counts as one output: rounding of float32
over some additions."""

SATURATED = 0.5
"""Share of a layer's outputs where the slope is below 5 % of its largest."""

FLAT_SLOPE = 0.05

UPDATE_LOW, UPDATE_HIGH = 1e-5, 1e-1
"""Length of an update over length of the weights: about 1e-3 is good (CS231n)."""

# -- learning rate, landscape ---------------------------------------------------------

RATE_OFF = 3.0
"""Factor between the rate in use and the range test's within which it is left alone."""

OSCILLATION = 1.0
"""Sharpness beside the bound of the rule at hand (stability.py) from which on steps
grow (Cohen et al. 2021, 2022, "edge of stability")."""

# -- batch size -----------------------------------------------------------------------

BATCH_OFF = 4.0
"""Factor between batch size and noise scale from which on another size is tried: at 4
McCandlish et al. 2018 expect 5 times the epochs of the smallest batches, or 5 times the
steps of the largest."""

SMALL_BATCH = 32
"""Rows up to which a batch counts as small (Masters and Luschi 2018) where the noise is
too large to be measured."""

EPOCHS_SAVED = 4.0
"""Times fewer epochs that make a smaller batch worth telling. Measured: on small data
sets batches of 128 often cost 2 to 3 times the epochs of smaller ones."""

TIME_SAVED = 1.5
"""Times sooner that it must be there as well. Measured: two timings differ by less."""

SECONDS_SAVED = 1.0
"""Seconds of the user's training from which on they matter: what is over within a
second does not interrupt anybody (Nielsen 1993, "Usability Engineering", ch. 5)."""

SLOW_EPOCHS = 3.0
"""Times that an epoch of small batches may take what one of larger ones takes.
Measured: twice is common and harmless."""
