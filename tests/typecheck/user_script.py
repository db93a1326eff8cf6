"""What users write, as strict as type checkers are, touching every public name.

It runs, and mypy finds nothing in it but what `misuse` does on purpose. Where a result
that is Any would hide a mistake of the user, its type is asserted.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import fastnn as fnn
from fastnn import augment, kernels, reference
from fastnn.callbacks import Callback
from fastnn.layers import Activation, Layer
from fastnn.losses import CustomLoss, Loss, SquaredError, check_gradient
from fastnn.optim import Optimizer
from fastnn.schedules import Schedule

Array = NDArray[Any]
Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


def layers() -> list[Layer]:
    activations: list[Activation] = [
        *(fnn.ReLU(), fnn.LeakyReLU(0.1), fnn.ELU(1.0), fnn.SELU(), fnn.CELU(1.0)),
        *(fnn.GELU("tanh"), fnn.SiLU(), fnn.Mish(), fnn.Sigmoid(), fnn.Tanh()),
        *(fnn.Softplus(), fnn.Softsign(), fnn.HardSigmoid(), fnn.HardSwish()),
        *(fnn.HardTanh(), fnn.Identity()),
    ]
    hidden = fnn.Dense(8, "relu", use_bias=True, init="he_normal", in_features=3)
    assert_type(hidden.units, int)
    return [
        *(hidden, fnn.BatchNorm(eps=1e-3), fnn.LayerNorm(), fnn.Dropout(0.1)),
        *(fnn.Maxout(4, pieces=2), fnn.RMSNorm(), fnn.PReLU(lr_scale=0.5)),
        *(fnn.GaussianNoise(0.1), fnn.AlphaDropout(0.1), fnn.RMSNorm(lr_scale=2)),
        fnn.Dense(4, weight_norm=True, dropconnect=0.1),
        *activations,
        fnn.Residual(fnn.Dense(8), fnn.ReLU(), survival=0.9, projection="auto"),
        fnn.Dense(2, fnn.Identity()),
    ]


def augmentations() -> list[augment.Augment]:
    pictures = X[:, :2].reshape(-1, 1, 2)
    rows, labels = augment.Mixup(0.4).apply(pictures, Y, seed=1)
    assert_type(labels, Array)
    moved = [augment.Flip(p=0.3), augment.Shift(0.5, fill=1.0), augment.Rotate(5)]
    assert_type(augment.preview(rows, moved, step=2), Array)
    shape = (1, 3)
    return [
        *(augment.Crop((0.5, 1.0), shape=shape), augment.Cutout(2, shape=shape)),
        *(augment.Noise(0.1), augment.Brightness(0.1), augment.Contrast(0.1)),
        augment.Mixup(),
    ]


def losses() -> list[Loss]:
    return [
        *(fnn.MSE(), fnn.MAE(), fnn.Huber(delta=2.0), fnn.LogCosh(), fnn.Quantile(0.9)),
        fnn.Quantile([0.1, 0.5, 0.9]),
        *(fnn.PoissonNLL(sum_outputs=True), fnn.GaussianNLL(eps=1e-4), SquaredError()),
        *(fnn.CrossEntropy(label_smoothing=0.1), fnn.Focal(gamma=1.0), fnn.Hinge()),
        fnn.BinaryCrossEntropy(pos_weight=[1.0, 2.0]),
        CustomLoss(squared, targets="values"),
    ]


def squared(outputs: Array, y: Array) -> tuple[Array, Array]:
    d = outputs - y.reshape(outputs.shape)
    return (d**2).mean(axis=1), 2 * d / d.shape[1]


def optimizers() -> list[Optimizer]:
    return [
        fnn.SGD(lr=0.1, momentum=0.9, nesterov=True),
        *(fnn.Adagrad(), fnn.RMSprop(centered=True), fnn.Adadelta()),
        *(fnn.Adam(amsgrad=True), fnn.AdamW(), fnn.Adamax(), fnn.NAdam(), fnn.RAdam()),
        *(fnn.Rprop(), fnn.ASGD(), fnn.Lion(), fnn.LBFGS(max_iter=10)),
    ]


def schedules() -> list[Schedule]:
    scheduled: list[Schedule] = [
        *(fnn.StepDecay(10), fnn.MultiStep([3, 6]), fnn.Exponential(0.9)),
        *(fnn.InverseTime(0.1), fnn.Linear(0.1, 1.0, 5), fnn.Polynomial(10)),
        *(fnn.Cosine(30), fnn.CosineRestarts(10), fnn.OneCycle(10, max_lr=0.1)),
        *(fnn.Cyclic(0.01, 0.1, up=3), fnn.Warmup(3, fnn.Cosine(30))),
        fnn.ReduceOnPlateau(patience=3),
    ]
    assert_type(fnn.Cosine(30).at(3, 0.1), float)
    return scheduled


def plain_optimizer() -> None:
    w, g = np.ones(3), np.ones(3)
    rule = fnn.Adam()
    state = rule.init(w)
    assert_type(state, fnn.OptimizerState)
    rule.update(w, g, state, lr=0.1)
    assert_type(state.copy(), fnn.OptimizerState)


def function_to_minimize() -> None:
    def square(x: Array) -> tuple[float, Array]:
        return float((x**2).sum()), 2 * x

    result = fnn.LBFGS().minimize(square, np.ones(3))
    assert_type(result.x, Array)
    assert_type(result.fun, float)
    assert_type(result.converged, bool)


def own_loss(outputs: Array, y: Array) -> tuple[Array, Array]:
    d = outputs - y.reshape(outputs.shape)
    return (d**2).sum(axis=1), 2 * d


def estimators(folder: Path) -> None:
    clf = fnn.MLPClassifier((8,), max_iter=20, tol=1e9, n_iter_no_change=1)
    assert_type(clf.fit(X, Y), fnn.MLPClassifier)
    assert_type(clf.predict(X), Array)
    assert_type(clf.predict_proba(X), Array)
    assert_type(clf.net_, fnn.Sequential)
    clf.to_onnx(folder / "clf.onnx")
    reg = fnn.MLPRegressor(hidden_layer_sizes=(8,), max_iter=20, tol=1e9)
    reg.set_params(n_iter_no_change=1)
    assert_type(reg.fit(X, X[:, 0]), fnn.MLPRegressor)
    assert_type(reg.predict(X), Array)


def network(folder: Path) -> fnn.Sequential:
    net = fnn.Sequential(*layers(), seed=1, dtype="float32")
    fnn.Sequential([fnn.Dense(1)])
    assert_type(net.build(3), fnn.Sequential)
    assert_type(net.layers, tuple[Layer, ...])
    assert_type(net.n_parameters, int)
    assert_type(net.in_features, int | None)
    assert_type(net.summary(), str)
    assert_type(net.parameters, Array)
    assert_type(net.state_dict(), dict[str, Array])
    net.load_state_dict(net.state_dict(), strict=True)
    assert_type(net.copy(), fnn.Sequential)

    history = net.fit(
        X,
        Y,
        loss="cross_entropy",
        optimizer=fnn.Adam(lr=1e-3),
        schedule=fnn.Cosine(2),
        epochs=2,
        validation_data=(X, Y),
        class_weight="balanced",
        metrics=["accuracy"],
        early_stopping=fnn.EarlyStopping(patience=3),
        augment=augmentations(),
        callbacks=callbacks(folder),
    )
    assert_type(history, fnn.History)
    assert_type(net.predict(X), Array)
    assert_type(net.predict_proba(X), Array)
    assert_type(net.hidden(X, 0), Array)
    assert_type(net.evaluate(X, Y, metrics=["auc"]), dict[str, float])
    net.copy().fit(X, X[:, :2], loss=squared, epochs=1)
    assert_type(check_gradient(squared, X[:4, :2], X[:4, 1:]), float)
    loss, gradients = net.loss_and_gradients(X, Y, loss=fnn.CrossEntropy())
    assert_type(loss, float)
    assert_type(gradients, dict[str, Array])
    return net


def callbacks(folder: Path) -> list[Callback]:
    def own(info: fnn.EpochInfo) -> bool:
        assert_type(info.epoch, int)
        assert_type(info.logs, dict[str, float])
        assert_type(info.net, fnn.Sequential)
        assert_type(info.trainer, fnn.Trainer)
        return info.logs["loss"] < 1e-9

    best = fnn.Checkpoint(folder / "net.fnn", monitor="val_loss", mode="min")
    assert_type(best.best, float | None)
    assert_type(best.saved, str | None)
    return [own, best, fnn.CSVLogger(folder / "fit.csv", append=True)]


def board(folder: Path) -> Callback:
    return fnn.TensorBoard(folder / "logs")


def averages() -> list[fnn.EMA | fnn.SWA]:
    return [fnn.EMA(decay=0.99), fnn.EMA(decay=None), fnn.SWA(start=0.5)]


def ensembles(net: fnn.Sequential) -> None:
    ensemble = fnn.Ensemble(net, n=2, bootstrap=True)
    assert_type(ensemble.fit(X, Y, epochs=1), list[fnn.History])
    assert_type(ensemble.members, tuple[fnn.Sequential, ...])
    assert_type(ensemble.predict(X), Array)
    assert_type(ensemble.predict_proba(X, return_std=True), tuple[Array, Array])
    snapshots = fnn.SnapshotEnsemble(net, cycles=2, last=1)
    assert_type(snapshots.fit(X, Y, epochs=4), fnn.History)
    assert_type(snapshots.evaluate(X, Y), dict[str, float])


def selection(net: fnn.Sequential) -> None:
    result = fnn.cross_validate(net, X, Y, k=3, epochs=1, metrics=("accuracy",))
    assert_type(result.scores, dict[str, Array])
    assert_type(result.out_of_fold, Array)
    assert_type(result.epochs, int)
    assert_type(result.histories, list[fnn.History])
    found = fnn.lr_find(net, X, Y, optimizer=fnn.SGD())
    assert_type(found.suggestion, float | None)
    sizes = fnn.batch_size_study(net, X, Y, (8, 32), epochs=1)
    assert_type(sizes.seconds, list[float])
    depths = fnn.depth_study(net, X, Y, depths=[1], epochs=1)
    assert_type(depths.scores, dict[str, list[float]])


def histories(history: fnn.History) -> None:
    assert_type(history.history, dict[str, list[float]])
    assert_type(history.best_epoch, int)
    assert_type(history.epoch, list[int])
    reason: str = history.stop_reason
    print(reason, history == history)  # noqa: PLR0124, T201
    history.to_frame()


def trainers(net: fnn.Sequential) -> None:
    trainer = fnn.Trainer(net, loss=fnn.CrossEntropy(), optimizer="sgd", l2=1e-4)
    assert_type(trainer.step(X, Y, augment=fnn.augment.Noise(0.1)), float)
    history = trainer.fit(X, Y, epochs=1, verbose=0, callbacks=averages()[:1])
    assert_type(history, fnn.History)
    histories(history)
    try:
        trainer.fit(X * 1e30, Y)
    except fnn.DivergedError as error:
        assert_type(error.history, fnn.History | None)


def transfer(net: fnn.Sequential) -> None:
    assert_type(net.freeze(0, -1).unfreeze(-1), fnn.Sequential)
    assert_type(net.frozen, tuple[int, ...])
    assert_type(net.replace_head(3, activation="tanh", seed=1), fnn.Sequential)
    schedule = {"lr": fnn.Cosine(2), "momentum": fnn.Linear(1.0, 0.9, 2)}
    noise = fnn.GradientNoise(eta=0.1, gamma=0.55)
    net.fit(X, Y, schedule=schedule, gradient_noise=noise, epochs=1)
    fnn.Trainer(net, gradient_noise=0.01, schedule={"dropout": fnn.Cosine(2)})


def resumed(net: fnn.Sequential, folder: Path) -> None:
    fnn.Trainer(net, loss=own_loss)
    trainer = fnn.Trainer(net)
    trainer.fit(X, Y, epochs=1, checkpoint=folder / "run.fnn", checkpoint_every=1)
    assert_type(fnn.Trainer.resume(folder / "run.fnn"), fnn.Trainer)


def files(net: fnn.Sequential, folder: Path) -> None:
    net.save(folder / "net.fnn")
    assert_type(fnn.load(folder / "net.fnn"), fnn.Sequential)
    net.to_onnx(folder / "net.onnx")
    fnn.onnx.write(net, str(folder / "net.onnx"), classes=["no", "yes"])
    fnn.onnx.to_model(net)
    for error in (fnn.NotBuiltError, fnn.ModelFileError):
        assert issubclass(error, Exception)


def plain_kernels() -> None:
    x, w, b = np.ones((4, 3)), np.ones((2, 3)), np.zeros(2)
    y = kernels.dense_forward(x, w, b, "relu")
    assert_type(y, Floats)
    gradients = kernels.dense_backward(y, x, w, y, "relu")
    assert_type(gradients, tuple[Floats, Floats, Floats])
    gamma, beta = np.ones(3), np.zeros(3)
    _, mean, inv_std = kernels.batchnorm_forward(x, gamma, beta)
    kernels.batchnorm_backward(x, x, gamma, mean, inv_std)
    kernels.batchnorm_inference(x, gamma, beta, mean, np.ones(3), eps=1e-5)
    _, mean, inv_std = kernels.layernorm_forward(x, gamma, beta)
    kernels.layernorm_backward(x, x, gamma, mean, inv_std)
    kernels.dropout_backward(*kernels.dropout_forward(x, 0.5, seed=0, step=0), 0.5)
    kernels.activation_backward(kernels.activation_forward(x, "tanh"), x, "tanh")
    loss, slope = kernels.softmax_cross_entropy(x, np.array([0, 1, 2, 0]))
    assert_type(loss, float)
    assert_type(slope, Floats)
    kernels.focal_loss(x, np.array([0, 1, 2, 0]), gamma=1.0)
    for function in (
        *(kernels.mse, kernels.squared_error, kernels.mae, kernels.huber),
        *(kernels.log_cosh, kernels.quantile_loss, kernels.poisson_nll, kernels.hinge),
    ):
        function(x, np.ones_like(x))
    assert_type(kernels.mse(x, x), tuple[float, Floats])
    kernels.gaussian_nll(x[:, :2], x[:, 2:], eps=1e-4)
    kernels.binary_cross_entropy(x, np.ones_like(x))
    for step in (
        *(kernels.adadelta_update, kernels.adagrad_update, kernels.adam_update),
        *(kernels.adamax_update, kernels.adamw_update, kernels.asgd_update),
        *(kernels.lion_update, kernels.nadam_update, kernels.radam_update),
        *(kernels.rmsprop_update, kernels.rprop_update, kernels.sgd_update),
    ):
        print(step, kernels.init_slots, reference.MLP)  # noqa: T201


def curvature() -> None:
    net = fnn.Sequential(fnn.Dense(1, use_bias=False, init="zeros"), fnn.Dense(1))
    net.build(3)
    v = np.ones(net.n_parameters)
    product = fnn.hessian_vector_product(net, X, Y, v, loss="mse", l2=0.1)
    assert_type(product, NDArray[np.float64])
    fnn.gauss_newton_vector_product(net, X, Y, v, loss="mse")
    spectrum = fnn.hessian_spectrum(net, X, Y, loss=fnn.MSE(), k=2, density=True)
    assert_type(spectrum, fnn.curvature.Spectrum)
    assert_type(spectrum.lambda_max, float)
    fnn.curvature.hessian_matrix(net, X, Y, loss="mse")
    trace, error, _ = fnn.curvature.hessian_trace(net, X, Y, loss="mse", n_probes=2)
    assert_type((trace, error), tuple[float, float])
    point = fnn.critical_point(net, X, Y - Y.mean(), loss="mse")
    assert_type(point, fnn.curvature.CriticalPoint)
    if point.kind == "saddle":
        assert_type(point.escape(), fnn.curvature.Escape)


def why_it_does_not_train() -> None:
    X = np.random.default_rng(0).standard_normal((60, 3))
    y = (X[:, 0] > 0).astype(np.int64)
    net = fnn.Sequential(fnn.Dense(4, "relu"), fnn.Dense(2))
    report = fnn.diagnose(net, X, y, optimizer="sgd", budget="1s", verbose=0)
    assert_type(report, fnn.Report)
    assert_type(report.findings, list[fnn.Finding])
    print(report.verdict, report.codes, str(report))  # noqa: T201


def installation() -> None:
    version: str = fnn.__version__
    assert_type(fnn.show_config(), dict[str, Any])
    fnn.set_num_threads(1)
    fnn.set_num_threads(None)
    print(version, fnn.datasets.load_digits)  # noqa: T201
    described = (fnn.layers.Dense(2), fnn.losses.MSE(), fnn.optim.Adam())
    print(described, fnn.callbacks.EMA(), fnn.schedules.Cosine(3))  # noqa: T201


def misuse(net: fnn.Sequential) -> None:
    """Hold mistakes that a type checker finds; nobody calls this."""
    fnn.Dens(3)  # type: ignore[attr-defined]
    fnn.Dense("3")  # type: ignore[arg-type]
    fnn.Dense(3, "rlu")  # type: ignore[arg-type]
    fnn.GELU("exact")  # type: ignore[arg-type]
    fnn.Checkpoint("x", mode="up")  # type: ignore[arg-type]
    fnn.Trainer(net, loss=len)  # type: ignore[arg-type]
    net.fit(X, Y, epoch=3)  # type: ignore[call-arg]
    net.fit(X, Y, callbacks=[3])  # type: ignore[list-item]
    net.predict(X).no_such_method()  # type: ignore[attr-defined]
    fnn.kernels.dense_froward(X)  # type: ignore[attr-defined]


def main() -> None:
    losses()
    optimizers()
    schedules()
    plain_optimizer()
    function_to_minimize()
    why_it_does_not_train()
    plain_kernels()
    curvature()
    installation()
    with tempfile.TemporaryDirectory() as name:
        net = network(Path(name))
        trainers(net)
        ensembles(net)
        selection(net)
        resumed(net, Path(name))
        estimators(Path(name))
        files(net, Path(name))
        transfer(net)


if __name__ == "__main__":
    main()
