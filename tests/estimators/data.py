"""Small data sets and quick estimators that the tests share."""

import pickle

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_multilabel_classification,
)
from sklearn.preprocessing import scale

import fastnn as fnn

QUICK = {
    "hidden_layer_sizes": (16,),
    "learning_rate_init": 0.02,
    "max_iter": 30,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}


def classifier(**parameters):
    return fnn.MLPClassifier(**QUICK | parameters)


def regressor(**parameters):
    return fnn.MLPRegressor(**QUICK | parameters)


def pickled(estimator):
    return pickle.loads(pickle.dumps(estimator))  # noqa: S301


def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


def labels():
    X, y = make_multilabel_classification(300, n_classes=4, random_state=0)
    return scale(X), y


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return scale(X), scale(y)
