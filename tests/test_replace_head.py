"""A network whose head is replaced: what stays, and who notices."""

import pickle

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes

LAYERS = (
    *(fnn.Dense(8), fnn.BatchNorm(), fnn.ReLU(), fnn.Dropout(0.1)),
    *(fnn.Dense(5), fnn.Identity()),
)


def _trained(rng, **options):
    net = fnn.Sequential(*LAYERS, seed=7, **options)
    net.fit(*classes(rng, 60, k=5), epochs=2)
    return net


def _body(net):
    return {name: b for name, b in bits(net).items() if not name.startswith("4.")}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_but_the_head_stays(rng, dtype):
    net = _trained(rng, dtype=dtype).freeze(0, 4)
    body, progress = _body(net), net._native.progress
    X = rng.normal(size=(9, 5))
    hidden = net.hidden(X, 3)
    assert net.replace_head(3, activation="tanh") is net
    assert net.layers == (*LAYERS[:4], fnn.Dense(3, "tanh"))
    assert _body(net) == body
    assert (net.hidden(X, 3) == hidden).all()
    assert (net.out_features, net.frozen, net.seed) == (3, (0,), 7)
    assert net._native.progress == progress
    assert not net.state_dict()["4.bias"].any()
    assert net.state_dict()["4.weight"].shape == (3, 8)
    net.fit(*classes(rng, 60), epochs=1)
    assert {n: b for n, b in bits(net).items() if n[0] == "0"} == {
        n: b for n, b in body.items() if n[0] == "0"
    }


def test_the_head_is_drawn_as_a_new_networks(rng):
    """By the same seed, for the same place: or by another, and by any scheme."""
    net = _trained(rng)
    fresh = fnn.Sequential(*LAYERS[:4], fnn.Dense(3), seed=7).build(5)
    other = fnn.Sequential(*LAYERS[:4], fnn.Dense(3), seed=8).build(5)
    head = net.replace_head(3).state_dict()["4.weight"]
    assert (head == fresh.state_dict()["4.weight"]).all()
    head = net.replace_head(3, seed=8).state_dict()["4.weight"]
    assert (head == other.state_dict()["4.weight"]).all()
    W, b = rng.normal(size=(2, 8)), [1.0, 2.0]
    net.replace_head(2, init=(W, b))
    assert (net.state_dict()["4.weight"] == W.astype("f4")).all()
    assert net.state_dict()["4.bias"].tolist() == b
    assert not net.replace_head(2, init="zeros").state_dict()["4.weight"].any()


def test_before_it_is_built():
    net = fnn.Sequential(*LAYERS).freeze(0).replace_head(2)
    assert net.layers == (*LAYERS[:4], fnn.Dense(2))
    same = fnn.Sequential(*LAYERS[:4], fnn.Dense(2)).build(5)
    assert bits(net.build(5)) == bits(same)
    single = fnn.Sequential(fnn.Dense(4, in_features=6)).replace_head(3)
    assert (single.in_features, single.out_features) == (6, 3)
    with pytest.raises(fnn.NotBuiltError, match="seed="):
        fnn.Sequential(*LAYERS).replace_head(2, seed=1)


def test_the_last_loss_is_forgotten(rng):
    net = _trained(rng)
    net.predict_proba(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="predict_proba"):
        net.replace_head(1).predict_proba(np.zeros((1, 5)))


def test_a_file_and_a_pickle_have_the_new_head(rng, tmp_path):
    net = _trained(rng).replace_head(3)
    net.save(tmp_path / "net.fnn")
    unpickled = pickle.loads(pickle.dumps(net))  # noqa: S301
    for twin in (fnn.load(tmp_path / "net.fnn"), unpickled):
        assert twin.layers == net.layers
        assert bits(twin) == bits(net)


def test_a_trainer_of_the_old_head_does_not_go_on(rng):
    old, new = classes(rng, 60, k=5), classes(rng, 60)
    net = fnn.Sequential(*LAYERS)
    trainer, unused = fnn.Trainer(net), fnn.Trainer(net)
    trainer.fit(*old, epochs=1)
    net.replace_head(3)
    before = bits(net)
    unpickled = pickle.loads(pickle.dumps(trainer))  # noqa: S301
    for one in (trainer, unpickled):
        for train in (one.fit, one.step):
            with pytest.raises(ValueError, match=r"head was replaced .* a new one"):
                train(*new)
    assert bits(net) == before
    unused.fit(*new, epochs=1)
    assert bits(net) != before


def test_a_callback_that_replaces_the_head_ends_the_fit(rng):
    net = fnn.Sequential(*LAYERS)
    with pytest.raises(ValueError, match="head was replaced"):
        net.fit(
            *classes(rng, 60, k=5),
            epochs=3,
            callbacks=[lambda info: info.net.replace_head(3) and None],
        )
    assert net.out_features == 3


def test_a_copy_keeps_its_head(rng):
    net = _trained(rng)
    twin = net.copy()
    before = bits(twin)
    net.replace_head(3)
    assert twin.layers == LAYERS
    assert bits(twin) == before


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"units": 0}, ValueError, "units must be an integer >= 1, got 0"),
        ({"units": "3"}, TypeError, "units must be an integer"),
        ({"units": 3, "init": "he"}, ValueError, "init"),
        ({"units": 3, "init": ([[1.0]], [0.0])}, ValueError, "shape"),
        ({"units": 1, "init": ([[1.0]], [0.0])}, ValueError, "8"),
        ({"units": 3, "activation": "relo"}, ValueError, "did you mean 'relu'"),
        ({"units": 3, "seed": -1}, ValueError, "seed must be >= 0"),
        ({"units": 3, "seed": 1.0}, TypeError, "seed"),
        ({"units": 2**60}, MemoryError, "parameters"),
    ],
)
def test_mistakes_change_nothing(rng, arguments, error, told):
    net = _trained(rng).freeze(0)
    before = bits(net)
    with pytest.raises(error, match=told):
        net.replace_head(**arguments)
    assert bits(net) == before
    assert (net.layers, net.frozen) == (LAYERS, (0,))


def test_a_maxout_is_a_head_too(rng):
    """What is before it, a block and BatchNorm among them, keeps its numbers."""
    block = fnn.Residual(fnn.Dense(8), fnn.ReLU())
    net = fnn.Sequential(fnn.Dense(8), block, fnn.BatchNorm(), fnn.Maxout(3))
    net.fit(*classes(rng, 60), epochs=2)
    before = {name: b for name, b in bits(net).items() if name[0] != "3"}
    hidden = net.hidden(np.ones((2, 5)), 2)
    net.replace_head(4)
    assert net.layers == (fnn.Dense(8), block, fnn.BatchNorm(), fnn.Dense(4))
    assert {name: b for name, b in bits(net).items() if name[0] != "3"} == before
    assert (net.hidden(np.ones((2, 5)), 2) == hidden).all()
    assert net.state_dict()["3.weight"].shape == (4, 8)
    single = fnn.Sequential(fnn.Maxout(4, in_features=6)).replace_head(3)
    assert (single.in_features, single.out_features) == (6, 3)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ((fnn.Residual(fnn.Dense(8)),), "layer 2, Residual, follows .* layer 1,"),
        ((fnn.ReLU(), fnn.BatchNorm()), "layer 3, BatchNorm, follows .* layer 1,"),
        ((fnn.PReLU(),), "layer 2, PReLU, follows"),
        ((fnn.Residual(fnn.Residual(fnn.LayerNorm())),), "layer 2, Residual, follows"),
    ],
    ids=str,
)
@pytest.mark.parametrize("built", [False, True])
def test_what_was_learnt_after_the_last_dense_is_not_lost(rng, end, told, built):
    net = fnn.Sequential(fnn.ReLU(), fnn.Dense(8), *end, seed=3)
    if built:
        net.fit(*classes(rng, 60), epochs=1)
        before = bits(net)
    with pytest.raises(ValueError, match=told):
        net.replace_head(4)
    assert net.layers == (fnn.ReLU(), fnn.Dense(8), *end)
    if built:  # the advice helps
        assert bits(net) == before
        new = fnn.Sequential(*net.layers, fnn.Dense(4)).build(net.in_features)
        new.load_state_dict(net.state_dict(), strict=False)
        assert before.items() <= bits(new).items()


def test_what_holds_no_numbers_goes_with_the_head():
    end = (fnn.Dropout(0.1), fnn.Residual(fnn.Identity(), fnn.ReLU()), fnn.Tanh())
    net = fnn.Sequential(fnn.Dense(8), fnn.Dense(3), *end).replace_head(4)
    assert net.layers == (fnn.Dense(8), fnn.Dense(4))


def test_without_a_dense():
    with pytest.raises(
        ValueError, match="no Dense or Maxout layer to replace: ReLU, Drop"
    ):
        fnn.Sequential(fnn.ReLU(), fnn.Dropout()).replace_head(3)
