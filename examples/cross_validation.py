"""Model selection: a rate, a width, a number of epochs, all found on the training rows.

On scikit-learn's breast cancer set: `lr_find` suggests a learning rate, cross-
validation with early stopping in each fold compares widths of the hidden layer, and the
winner is trained once more on all these rows, for as many epochs as the folds took on
average. A quarter of the rows, which nobody has looked at until then, judges it.

    python examples/cross_validation.py            # widths 0 to 64, 10 folds
    python examples/cross_validation.py --quick    # seconds

Needs ``pip install 'fastnn[sklearn]'``.
"""

import argparse

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import fastnn as fnn


def data():
    """Return rows to choose by and rows to judge by, scaled by what the former tell."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    return ((X - mean) / deviation, y), ((X_test - mean) / deviation, y_test)


def network(width):
    hidden = [fnn.Dense(width, "relu"), fnn.Dropout(0.2)] if width else []
    return fnn.Sequential(*hidden, fnn.Dense(1), seed=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    folds, widths = (3, (0, 16)) if quick else (10, (0, 4, 16, 64))
    train, test = data()
    options = {"loss": "binary_cross_entropy", "batch_size": 32}
    results = {}
    for width in widths:
        net = network(width)
        found = fnn.lr_find(net, *train, **options)
        optimizer = fnn.Adam(lr=found.suggestion)
        results[width] = (
            optimizer,
            fnn.cross_validate(
                net,
                *train,
                folds,
                optimizer=optimizer,
                epochs=200,
                early_stopping=fnn.EarlyStopping(patience=10),
                metrics=("accuracy",),
                **options,
            ),
        )
        print(f"{width:3} units, rate {found.suggestion:.2g}: {results[width][1]!r}")
    width = min(results, key=lambda width: results[width][1].mean["loss"])
    optimizer, result = results[width]
    print(f"\n{width} units it is:\n{result}\n")
    net = network(width)
    net.fit(*train, optimizer=optimizer, epochs=result.epochs, **options)
    print("rows not looked at before:", net.evaluate(*test, metrics=("accuracy",)))


if __name__ == "__main__":
    main()
