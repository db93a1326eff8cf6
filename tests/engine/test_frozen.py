"""Frozen layers: what stays, bit for bit, and what is as if they were constants."""

import copy
import pickle
import re
import threading

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import BLOCKS, EVERYTHING, MORE, bits, classes, curves, settled

FROZEN = (0, 1, 5)  # Dense, BatchNorm, LayerNorm of EVERYTHING


def _net(*frozen, layers=EVERYTHING, dtype="float32"):
    net = fnn.Sequential(*layers, seed=3, dtype=dtype)
    return settled(net, np.random.default_rng(1)).freeze(*frozen)


def _of(net, positions):
    wanted = tuple(f"{i}." for i in positions)
    return {k: v for k, v in bits(net).items() if k.startswith(wanted)}


RUNS = {
    "adam": {},
    "clipped, penalised": {"clip_norm": 0.5, "clip_value": 0.2, "l1": 1e-2, "l2": 0.1},
    "momentum, decay": {
        "optimizer": fnn.SGD(0.1, momentum=0.9, weight_decay=0.1),
        "max_norm": 0.5,
    },
    "decoupled": {"optimizer": fnn.AdamW(0.01, weight_decay=0.5)},
    "noise": {"gradient_noise": 0.3},
    "full batch": {"optimizer": fnn.LBFGS(max_iter=4), "l2": 0.1},
    "ema": {"callbacks": [fnn.EMA(0.7)]},
    "swa": {"callbacks": [fnn.SWA(1)]},
    "best weights": {"early_stopping": fnn.EarlyStopping("loss", patience=1)},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RUNS)
def test_frozen_layers_keep_every_bit(rng, name, dtype):
    net = _net(*FROZEN, dtype=dtype)
    others = [i for i in range(len(EVERYTHING)) if i not in FROZEN]
    kept, moved = _of(net, FROZEN), _of(net, others)
    net.fit(*classes(rng, 70), epochs=4, batch_size=16, **RUNS[name])
    assert _of(net, FROZEN) == kept
    after = _of(net, others)
    assert all(after[tensor] != moved[tensor] for tensor in moved)


def test_negative_zeros_survive_a_line_search(rng):
    net = _net(0, layers=(fnn.Dense(4, "tanh"), fnn.Dense(3)))
    net.parameters[:20] = -0.0
    kept = _of(net, (0,))
    net.fit(*classes(rng, 40), optimizer=fnn.LBFGS(), epochs=3)
    assert _of(net, (0,)) == kept


EACH = [
    (layers, i) for layers in (EVERYTHING, MORE, BLOCKS) for i in range(len(layers))
]


@pytest.mark.parametrize(("layers", "position"), EACH)
def test_any_layer_or_block_alone(rng, layers, position):
    """It stays; the others move by their gradients, in the same training mode."""
    net = _net(position, layers=layers, dtype="float64")
    data = classes(rng, 30)
    before = net.state_dict()
    _, gradients = net.loss_and_gradients(*data, loss="cross_entropy", training=True)
    fnn.Trainer(net, optimizer=fnn.SGD(0.1)).step(*data)
    for name, after in net.state_dict().items():
        if name.startswith(f"{position}."):
            assert after.tobytes() == before[name].tobytes()
        elif name in gradients:
            expected = before[name] - 0.1 * gradients[name]
            np.testing.assert_allclose(after, expected, rtol=1e-12, atol=1e-14)
            if np.abs(gradients[name]).max() > 1e-9:
                assert (after != before[name]).any()


@pytest.mark.parametrize("layers", [MORE, BLOCKS], ids=["more", "blocks"])
@pytest.mark.parametrize("name", ["adam", "clipped, penalised", "full batch", "swa"])
def test_all_but_the_last(rng, layers, name):
    net = _net(layers=layers).unfreeze(-1)
    kept = _of(net, range(len(layers) - 1))
    last = _of(net, (len(layers) - 1,))
    net.fit(*classes(rng, 70), epochs=3, batch_size=16, **RUNS[name])
    assert _of(net, range(len(layers) - 1)) == kept
    assert all(_of(net, (len(layers) - 1,))[n] != b for n, b in last.items())


# -- against torch --------------------------------------------------------------------

TORCH_LAYERS = (
    *(fnn.Dense(7), fnn.BatchNorm(), fnn.Tanh()),
    *(fnn.Dense(6), fnn.BatchNorm(), fnn.SiLU()),
    *(fnn.Dense(6, "tanh"), fnn.LayerNorm(), fnn.Dense(3)),
)


def _torch_net(torch, net):
    nn = torch.nn
    twin = nn.Sequential(
        *(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Tanh()),
        *(nn.Linear(7, 6), nn.BatchNorm1d(6), nn.SiLU()),
        nn.Sequential(nn.Linear(6, 6), nn.Tanh()),
        *(nn.LayerNorm(6), nn.Linear(6, 3)),
    ).double()
    names = {f"6.{k}": f"6.0.{k}" for k in ("weight", "bias")}
    state = net.state_dict().items()
    twin.load_state_dict({names.get(k, k): torch.from_numpy(v) for k, v in state})
    return twin


@pytest.mark.parametrize("frozen", [(0,), (0, 1), (3,), (4,), (1, 6), (4, 7), (8,)])
def test_the_others_train_as_torch_trains_them(rng, frozen):
    """A frozen BatchNorm is torch's in eval mode without gradients."""
    torch = pytest.importorskip("torch")
    net = _net(*frozen, layers=TORCH_LAYERS, dtype="float64")
    twin = _torch_net(torch, net)
    twin.train()
    for i in frozen:
        twin[i].requires_grad_(False)
        if isinstance(twin[i], torch.nn.BatchNorm1d):
            twin[i].eval()
    # Not Adam, which makes steps of the rounding that a bias before a BatchNorm gets.
    optimizer = torch.optim.SGD(
        [p for p in twin.parameters() if p.requires_grad], lr=0.2, momentum=0.9
    )
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(0.2, momentum=0.9), n_threads=2)
    for _ in range(8):
        X, y = classes(rng, 24)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            twin(torch.from_numpy(X)), torch.from_numpy(y)
        )
        loss.backward()
        optimizer.step()
        assert trainer.step(X, y) == pytest.approx(loss.item(), rel=1e-10)
    for (name, ours), theirs in zip(
        net.state_dict().items(), twin.state_dict().values(), strict=True
    ):
        np.testing.assert_allclose(
            ours, theirs.numpy(), rtol=1e-8, atol=1e-10, err_msg=name
        )


# -- what trains it -------------------------------------------------------------------


def test_freezing_the_front_is_training_on_its_outputs(rng):
    """Layers in front of the first that is trained are nothing but a map of X."""
    X, y = classes(rng, 90)
    net = _net(0, 1, layers=(*EVERYTHING[:3], fnn.Dense(6, "relu"), fnn.Dense(3)))
    rest = fnn.Sequential(*net.layers[3:], seed=3).build(12)
    rest.load_state_dict(
        {
            f"{int(k[0]) - 3}{k[1:]}": v
            for k, v in net.state_dict().items()
            if int(k[0]) >= 3
        }
    )
    inner = rest.fit(net.hidden(X, 2), y, epochs=5, batch_size=32)
    outer = net.fit(X, y, epochs=5, batch_size=32)
    np.testing.assert_allclose(outer.history["loss"], inner.history["loss"], rtol=1e-5)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
def test_same_bits_for_any_number_of_threads(rng, form):
    X, y = classes(rng, 203)
    ends = []
    for n_threads in (1, 2, 3, 8):
        net = _net(*FROZEN)
        history = net.fit(
            form(X), y, epochs=3, batch_size=101, clip_norm=0.5, n_threads=n_threads
        )
        ends.append((bits(net), curves(history)))
    assert all(end == ends[0] for end in ends)


def test_a_trainer_heeds_it_from_the_next_call_on(rng):
    X, y = classes(rng, 32)
    net = _net(layers=EVERYTHING).unfreeze()
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(0.1))
    trainer.step(X, y)
    kept = _of(net.freeze(*FROZEN), FROZEN)
    trainer.step(X, y)
    assert _of(net, FROZEN) == kept
    net.unfreeze(0)
    trainer.fit(X, y, epochs=1)
    assert _of(net, (0,)) != _of(_net(), (0,))
    assert _of(net, (1, 5)) == {k: v for k, v in kept.items() if k[0] in "15"}


def test_a_callback_freezes_for_the_next_fit(rng):
    data = classes(rng, 32)
    nets = [_net().unfreeze() for _ in range(2)]
    nets[0].fit(*data, epochs=3)
    nets[1].fit(*data, epochs=3, callbacks=[lambda info: info.net.freeze(0) and None])
    assert bits(nets[0]) == bits(nets[1])
    assert nets[1].frozen == (0,)
    kept = _of(nets[1], (0,))
    nets[1].fit(*data, epochs=1)
    assert _of(nets[1], (0,)) == kept


def test_full_batches_after_another_layer_froze(rng):
    """What L-BFGS learned of the curvature with the layer in must not move it."""
    X, y = classes(rng, 40)
    net = _net(layers=(fnn.Dense(6, "tanh"), fnn.Dense(5, "tanh"), fnn.Dense(3)))
    net.unfreeze()
    trainer = fnn.Trainer(net, optimizer=fnn.LBFGS(max_iter=5))
    trainer.fit(X, y, epochs=2)
    kept = _of(net.freeze(0), (0,))
    twin = pickle.loads(pickle.dumps(trainer))  # noqa: S301
    losses = [t.fit(X, y, epochs=4).history["loss"] for t in (trainer, twin)]
    assert _of(net, (0,)) == kept
    assert losses[0] == losses[1]
    assert losses[0] == sorted(losses[0], reverse=True)
    assert bits(net) == bits(twin.net)


def test_an_unfrozen_layer_has_the_momentum_it_had(rng):
    X, y = classes(rng, 32)
    net = _net().unfreeze()
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(0.1, momentum=0.9))
    trainer.step(X, y)
    slot = trainer._native.state()["slots"]["momentum_buffer"][:72].copy()
    net.freeze(0)
    trainer.step(X, y)
    assert (trainer._native.state()["slots"]["momentum_buffer"][:72] == slot).all()


def test_gradients_tell_of_frozen_layers_too(rng):
    data = classes(rng, 20)
    net, twin = _net(*FROZEN, dtype="float64"), _net(dtype="float64").unfreeze()
    options = {"loss": "cross_entropy", "l2": 0.1}
    loss, gradients = net.loss_and_gradients(*data, **options)
    expected, others = twin.loss_and_gradients(*data, **options)
    assert loss == expected
    assert gradients.keys() == others.keys()
    for name, gradient in gradients.items():
        assert (gradient == others[name]).all()
        assert gradient.any()


def test_gradients_in_training_mode_by_differences(rng):
    """Running statistics where a BatchNorm is frozen, those of the batch elsewhere."""
    layers = (fnn.Dense(4), fnn.BatchNorm(), fnn.Tanh(), fnn.BatchNorm(), fnn.Dense(3))
    net = _net(1, layers=layers, dtype="float64")
    X, y = classes(rng, 12)

    def loss_at(i, change):
        net.parameters[i] += change
        loss, _ = net.loss_and_gradients(X, y, loss="cross_entropy", training=True)
        net.parameters[i] -= change
        return loss

    _, gradients = net.loss_and_gradients(X, y, loss="cross_entropy", training=True)
    flat = np.concatenate([g.ravel() for g in gradients.values()])
    for i in range(net.n_parameters):
        slope = (loss_at(i, 1e-5) - loss_at(i, -1e-5)) / 2e-5
        assert flat[i] == pytest.approx(slope, rel=1e-5, abs=1e-9)


# -- copies and files -----------------------------------------------------------------


def _saved(net, tmp_path):
    net.save(tmp_path / "net.fnn")
    return fnn.load(tmp_path / "net.fnn")


@pytest.mark.parametrize(
    "copied",
    [
        lambda net, _: net.copy(),
        lambda net, _: copy.deepcopy(net),
        lambda net, _: pickle.loads(pickle.dumps(net)),  # noqa: S301
        _saved,
    ],
    ids=["copy", "deepcopy", "pickle", "file"],
)
def test_copies_are_frozen_alike_and_alone(rng, copied, tmp_path):
    net = _net(*FROZEN)
    twin = copied(net, tmp_path)
    assert twin.frozen == FROZEN
    data = classes(rng, 30)
    net.fit(*data, epochs=2)
    kept = _of(twin, FROZEN)
    twin.fit(*data, epochs=2)
    assert bits(twin) == bits(net)
    assert _of(twin, FROZEN) == kept
    twin.unfreeze()
    assert net.frozen == FROZEN


def test_a_file_without_frozen_layers_is_as_it_ever_was(tmp_path):
    net = _net().unfreeze()
    assert _saved(net, tmp_path).frozen == ()
    assert b'"frozen"' not in (tmp_path / "net.fnn").read_bytes()
    net.freeze(-1).save(tmp_path / "net.fnn")
    assert b'"frozen"' in (tmp_path / "net.fnn").read_bytes().replace(b"\\", b"")


class _CrashError(Exception):
    pass


def _crash(info):
    if info.epoch == 2:
        raise _CrashError


@pytest.mark.parametrize("optimizer", [fnn.Adam(0.01), fnn.LBFGS(max_iter=3)], ids=str)
def test_a_resumed_fit_ends_with_the_same_bits(rng, tmp_path, optimizer):
    data, path = classes(rng, 60), tmp_path / "run.fnn"
    options = {"epochs": 6, "batch_size": 16}

    def trainer():
        return fnn.Trainer(_net(*FROZEN), optimizer=optimizer)

    whole = trainer()
    whole.fit(*data, **options)
    with pytest.raises(_CrashError):
        trainer().fit(*data, **options, callbacks=[_crash], checkpoint=path)
    resumed = fnn.Trainer.resume(path)
    assert resumed.net.frozen == FROZEN
    resumed.net.freeze(-1)
    with pytest.raises(ValueError, match=r"freeze: .*\(0, 1, 5\) frozen, the network"):
        resumed.fit(*data, **options)
    resumed.net.unfreeze(-1)
    resumed.fit(*data, **options)
    assert bits(resumed.net) == bits(whole.net)


# -- words and mistakes ---------------------------------------------------------------


def test_before_it_is_built(rng):
    net = fnn.Sequential(fnn.Dense(4), fnn.Dense(3)).freeze(0)
    start = fnn.Sequential(fnn.Dense(4), fnn.Dense(3)).build(5)
    net.fit(*classes(rng, 20), epochs=1)
    assert _of(net, (0,)) == _of(start, (0,))
    assert _of(net, (1,)) != _of(start, (1,))


def test_indices():
    net = fnn.Sequential(fnn.Dense(2), fnn.ReLU(), fnn.Dense(2), fnn.Dense(1))
    assert net.freeze(-1, 0, 0).frozen == (0, 3)
    assert net.freeze(np.int64(1)).frozen == (0, 1, 3)
    assert net.unfreeze(-1).frozen == (0, 1)
    assert net.freeze().frozen == (0, 1, 2, 3)
    assert net.unfreeze().frozen == ()


@pytest.mark.parametrize("method", ["freeze", "unfreeze"])
@pytest.mark.parametrize(
    ("index", "error", "told"),
    [
        (4, ValueError, "indices must be from -4 to 3 .* got 4"),
        (-5, ValueError, "got -5"),
        (2**70, ValueError, "got"),
        ("0", TypeError, "integers .* got str '0'"),
        (True, TypeError, "got bool True"),
        (1.0, TypeError, "got float 1.0"),
        ([0, 1], TypeError, "got list"),
    ],
)
def test_bad_indices(method, index, error, told):
    net = fnn.Sequential(fnn.Dense(2), fnn.ReLU(), fnn.Dense(2), fnn.Dense(1)).freeze(1)
    with pytest.raises(error, match=told):
        getattr(net, method)(0, index)
    assert net.frozen == (1,)


def test_all_frozen(rng):
    data = classes(rng, 20)
    net = _net().freeze()
    trainer = fnn.Trainer(net)
    before = bits(net)
    for train in (net.fit, trainer.fit, trainer.step):
        with pytest.raises(ValueError, match=r"all its layers .* frozen.*unfreeze"):
            train(*data)
    assert bits(net) == before
    net.unfreeze(-1)
    trainer.step(*data)
    fnn.Sequential(fnn.Identity()).freeze().fit(*classes(rng, 20, 3), epochs=1)


def test_a_network_in_training_is_not_frozen(rng):
    X, y = classes(rng, 400)
    net = _net(layers=(fnn.Dense(200), fnn.Dense(3))).unfreeze()
    seen = []

    def other():
        try:
            net.freeze(0)
        except RuntimeError as error:
            seen.append(str(error))

    def judge(outputs, _):
        if not seen:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        return (outputs**2).mean(axis=1), 2 * outputs / outputs.shape[1]

    net.fit(X, y, loss=judge, epochs=1)
    assert len(seen) == 1
    assert net.frozen == ()


def test_summary_and_repr_of_blocks():
    net = fnn.Sequential(fnn.Residual(fnn.Dense(4), fnn.Dense(3)), fnn.Dense(2))
    net.build(5).freeze(0)
    assert "(1): Dense(3)\n  ), frozen\n" in repr(net)
    assert "8 of them are trained, 54 are frozen" in net.summary()
    assert re.search(r"0\.projection .*, frozen", net.summary())


def test_summary_and_repr():
    net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.BatchNorm(), fnn.Dense(3)).build(4)
    assert "frozen" not in net.summary() + repr(net) + net._repr_html_()
    net.freeze(0, 1)
    assert "27 of them are trained, 56 are frozen" in net.summary()
    assert re.search(r"0  Dense\(8, .*\), frozen +\(n, 8\) +40\n", net.summary())
    assert "(1): BatchNorm(), frozen\n  (2): Dense(3)\n" in repr(net)
    assert "27 of them are trained, 56 are frozen" in net._repr_html_()
    assert len(net.parameters) == net.n_parameters == 83
