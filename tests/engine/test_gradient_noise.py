"""Noise on gradients: which numbers, how they die out, and how clipping bounds them."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes, curves
from fastnn import reference


def _flat(units=1000, dtype="float64", seed=5):
    """A net of zeros whose gradient on zeros is zero: steps show the noise alone."""
    return fnn.Sequential(fnn.Dense(units, init="zeros"), seed=seed, dtype=dtype)


def _noise(net, trainer, columns=3):
    """Return what one step of SGD(1) took off the parameters."""
    net.build(columns)
    before = net.parameters.copy()
    trainer.step(np.zeros((2, columns)), np.zeros((2, net.out_features)))
    return before - net.parameters


def _trainer(net, noise, **options):
    options = {"optimizer": fnn.SGD(1.0), **options}
    return fnn.Trainer(net, loss="mse", gradient_noise=noise, **options)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("units", [1, 2, 67, 5000])
def test_the_numbers_are_those_of_the_reference(units, dtype, rtol):
    net = _flat(units, dtype, seed=2**40 + 7)
    trainer = _trainer(net, fnn.GradientNoise(eta=0.25, gamma=1.0))
    for step in range(3):
        old = net.build(3).parameters.astype(np.float64)
        # at steps after the first the gradient is what a zero input leaves: 2 b / n
        gradient = np.zeros_like(old)
        gradient[3 * units :] = 2 * old[3 * units :] / units
        found = _noise(net, trainer) - gradient
        z = reference.gradient_noise(len(found), net.seed, step, dtype)
        expected = 0.5 / np.sqrt(1 + step) * z
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=20 * rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_normal_and_independent(dtype):
    net = _flat(50_000, dtype)
    trainer = _trainer(net, fnn.GradientNoise(eta=4.0, gamma=0.0))
    first = _noise(net, trainer, columns=4).astype(np.float64) / 2
    net.parameters[:] = 0
    second = _noise(net, trainer, columns=4).astype(np.float64) / 2
    n = len(first)
    for z in (first, second):
        assert abs(z.mean()) < 4 / np.sqrt(n)
        assert abs(z.var() - 1) < 4 * np.sqrt(2 / n)
        assert abs((z**3).mean()) < 4 * np.sqrt(15 / n)
        assert abs((z**4).mean() - 3) < 4 * np.sqrt(96 / n)
        for lag in (1, 2, 3, 4, 64):
            assert abs((z[:-lag] * z[lag:]).mean()) < 4 / np.sqrt(n)
    assert abs((first * second).mean()) < 4 / np.sqrt(n)
    assert np.isfinite(first).all()
    assert 4 < np.abs(first).max() < 6.8


def test_it_dies_out():
    net = _flat(20_000)
    trainer = _trainer(net, 0.3)
    found = []
    for _ in range(6):
        found.append(_noise(net, trainer).var())
        net.parameters[:] = 0
    expected = 0.3 / (1 + np.arange(6)) ** 0.55
    np.testing.assert_allclose(found, expected, rtol=0.03)


def test_clipping_bounds_it():
    by_value = _flat()
    found = _noise(by_value, _trainer(by_value, 1.0, clip_value=0.1))
    assert np.abs(found).max() == 0.1
    by_norm = _flat()
    found = _noise(by_norm, _trainer(by_norm, 1.0, clip_norm=0.5))
    assert np.linalg.norm(found) == pytest.approx(0.5, rel=1e-5)


def _run(data, n_threads, **options):
    net = fnn.Sequential(*EVERYTHING, seed=2)
    history = net.fit(
        *data,
        epochs=3,
        batch_size=32,
        gradient_noise=0.1,
        n_threads=n_threads,
        **options,
    )
    return bits(net), curves(history)


@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.5}], ids=str)
def test_same_bits_for_any_number_of_threads(rng, options):
    data = classes(rng, 203)
    first, *others = [_run(data, n, **options) for n in (1, 2, 3, 8)]
    assert all(other == first for other in others)


def test_a_second_fit_has_other_noise():
    net = _flat()
    first = _noise(net, _trainer(net, 1.0))
    net.parameters[:] = 0
    second = _noise(net, _trainer(net, 1.0))
    assert first.std() == pytest.approx(second.std(), rel=0.1)  # as strong again
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


class _CrashError(Exception):
    pass


def _crash(info):
    if info.epoch == 1:
        raise _CrashError


def test_a_resumed_fit_ends_with_the_same_bits(rng, tmp_path):
    data, path = classes(rng, 60), tmp_path / "run.fnn"
    noise = fnn.GradientNoise(0.3, gamma=0.8)
    whole = fnn.Trainer(fnn.Sequential(*EVERYTHING), gradient_noise=noise)
    whole.fit(*data, epochs=5, batch_size=16)
    trainer = fnn.Trainer(fnn.Sequential(*EVERYTHING), gradient_noise=noise)
    with pytest.raises(_CrashError):
        trainer.fit(*data, epochs=5, batch_size=16, checkpoint=path, callbacks=[_crash])
    resumed = fnn.Trainer.resume(path)
    assert resumed.gradient_noise == noise
    resumed.fit(*data, epochs=5, batch_size=16)
    assert bits(resumed.net) == bits(whole.net)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (
            lambda: fnn.GradientNoise(0.0),
            ValueError,
            "GradientNoise: eta .* > 0, got 0",
        ),
        (lambda: fnn.GradientNoise(eta=-1.0), ValueError, "eta"),
        (lambda: fnn.GradientNoise(eta=np.nan), ValueError, "eta"),
        (lambda: fnn.GradientNoise(eta=np.inf), ValueError, "eta"),
        (lambda: fnn.GradientNoise(gamma=-0.1), ValueError, "gamma .* >= 0"),
        (lambda: fnn.GradientNoise(eta="1"), TypeError, "eta must be a number"),
        (lambda: _trainer(_flat(), 0), ValueError, "gradient_noise: .*eta .* > 0"),
        (lambda: _trainer(_flat(), True), TypeError, "gradient_noise .* bool True"),
        (
            lambda: _trainer(_flat(), "big"),
            TypeError,
            "gradient_noise must be a number",
        ),
        (
            lambda: _trainer(_flat(), 0.1, optimizer=fnn.LBFGS()),
            ValueError,
            "gradient_noise must be None with LBFGS",
        ),
    ],
)
def test_mistakes(make, error, told):
    with pytest.raises(error, match=told):
        make()
