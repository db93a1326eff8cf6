"""A network that comes out of its file is the one that went in."""

import threading

import numpy as np
import pytest
import safetensors.numpy

import fastnn as fnn
from fastnn.io.model_file import NetworkRecord
from fastnn.layers import ACTIVATIONS

NETS = {
    "linear": [fnn.Dense(3)],
    "no_bias": [fnn.Dense(4, "gelu", use_bias=False), fnn.Dense(3, init="orthogonal")],
    "batchnorm": [fnn.Dense(5), fnn.BatchNorm(), fnn.ReLU(), fnn.Dense(3)],
    "layernorm": [fnn.LayerNorm(), fnn.Dense(5, "tanh"), fnn.LayerNorm(), fnn.Dense(3)],
    "weight norm": [fnn.Dense(5, "tanh", weight_norm=True, dropconnect=0.3)],
    "maxout": [fnn.Maxout(5, 3), fnn.Maxout(4, init="torch"), fnn.Dense(3)],
    "slopes": [fnn.PReLU(), fnn.Dense(3), fnn.PReLU(-0.5, per_unit=True)],
    "noise": [fnn.GaussianNoise(0.2), fnn.RMSNorm(), fnn.AlphaDropout(), fnn.Dense(3)],
    "dropout": [fnn.Dense(6, "selu"), fnn.Dropout(0.3), fnn.Dense(3, lr_scale=0.5)],
    "blocks": [
        fnn.Residual(
            *(fnn.Dense(6), fnn.BatchNorm(), fnn.ReLU()),
            fnn.Residual(fnn.Dense(6), fnn.Dropout(0.2), survival=0.8),
        ),
        fnn.Dense(3),
    ],
    "everything": [
        *(fnn.BatchNorm(eps=1e-3), fnn.Dense(8, fnn.LeakyReLU(0.2)), fnn.Dropout(0.1)),
        *(cls() for cls in ACTIVATIONS.values()),
        *(fnn.Dense(4, "relu", use_bias=False, in_features=8), fnn.LayerNorm()),
        *(fnn.BatchNorm(momentum=0.3), fnn.Dense(3)),
    ],
}


@pytest.fixture
def data(rng):
    return rng.normal(size=(40, 4)), rng.integers(0, 3, 40)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.fnn"


def same_bits(a, b):
    """Whether two networks hold the same numbers and know the same of themselves."""
    ours, theirs = a.state_dict(), b.state_dict()
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype
        assert array.tobytes() == theirs[name].tobytes(), name
    assert NetworkRecord.of(a) == NetworkRecord.of(b)
    return True


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", NETS.values(), ids=list(NETS))
def test_round_trip(layers, dtype, data, path):
    X, y = data
    net = fnn.Sequential(*layers, seed=2**64 - 1, dtype=dtype)
    net.fit(X, y, epochs=3, batch_size=16, optimizer=fnn.Adam(0.01))
    net.save(path)
    found = fnn.load(path)
    assert type(found) is fnn.Sequential
    assert found.layers == net.layers
    assert same_bits(net, found)
    assert net.predict(X).tobytes() == found.predict(X).tobytes()
    assert net.predict_proba(X).tobytes() == found.predict_proba(X).tobytes()
    assert net.evaluate(X, y) == found.evaluate(X, y)

    again = {"epochs": 2, "batch_size": 16, "validation_split": 0.2}
    ours, theirs = net.fit(X, y, **again), found.fit(X, y, **again)
    assert ours.history["loss"] == theirs.history["loss"]
    assert ours.history["val_loss"] == theirs.history["val_loss"]
    assert same_bits(net, found)


@pytest.mark.parametrize("layers", NETS.values(), ids=list(NETS))
def test_the_record_knows_the_tensors_of_the_engine(layers):
    net = fnn.Sequential(*layers, dtype="float64").build(4)
    assert NetworkRecord.of(net).tensors() == {
        name: (view.dtype.name, view.shape) for name, view, _ in net._native.tensors()
    }


def test_the_same_network_gives_the_same_file(data, tmp_path):
    net = fnn.Sequential(fnn.Dense(3))
    net.fit(*data, epochs=1)
    net.save(tmp_path / "a.fnn")
    fnn.load(tmp_path / "a.fnn").save(tmp_path / "b.fnn")
    assert (tmp_path / "a.fnn").read_bytes() == (tmp_path / "b.fnn").read_bytes()


@pytest.mark.parametrize("loss", [fnn.Huber(0.1), "mse", None])
def test_the_last_loss_is_kept(loss, path):
    net = fnn.Sequential(fnn.Dense(1)).build(1)
    if loss is not None:
        net.fit([[1.0]], [2.0], loss=loss, epochs=1)
    net.save(path)
    found = fnn.load(path)
    if loss is None:
        with pytest.raises(ValueError, match="was not fitted yet"):
            found.evaluate([[1.0]], [2.0])
    else:
        assert found.evaluate([[1.0]], [2.0]) == net.evaluate([[1.0]], [2.0])
        with pytest.raises(ValueError, match="outputs are numbers, not logits"):
            found.predict_proba([[1.0]])


def test_a_loss_of_the_users_own_is_left_out(path):
    """A file names none but fastnn's, so it cannot be brought back."""

    class Mine(fnn.MSE):
        pass

    net = fnn.Sequential(fnn.Dense(1))
    net.fit([[1.0]], [2.0], loss=Mine(), epochs=1)
    net.save(path)
    with pytest.raises(ValueError, match="was not fitted yet"):
        fnn.load(path).evaluate([[1.0]], [2.0])


def test_given_arrays_are_not_kept_but_their_numbers_are(path):
    net = fnn.Sequential(fnn.Dense(1, init=([[2.0, 1.0]], [0.5])))
    net.save(path)
    found = fnn.load(path)
    assert found.layers == (fnn.Dense(1, in_features=2),)
    assert found.predict([[1.0, 1.0]]).tolist() == [[3.5]]


def test_a_network_without_numbers(path):
    net = fnn.Sequential(fnn.ReLU(), fnn.Dropout(0.5)).build(2**40)
    net.save(path)
    assert fnn.load(path).in_features == 2**40


def test_an_unbuilt_network_is_not_saved(path):
    with pytest.raises(fnn.NotBuiltError, match="save: this network does not know"):
        fnn.Sequential(fnn.Dense(3)).save(path)
    assert not path.exists()
    fnn.Sequential(fnn.Dense(3, in_features=2)).save(path)
    assert fnn.load(path).n_parameters == 9


def test_a_network_that_is_not_finite_is_not_saved(path):
    net = fnn.Sequential(fnn.Dense(3)).build(2)
    net.save(path)
    before = path.read_bytes()
    net.parameters[4] = np.nan
    with pytest.raises(ValueError, match=r"0\.weight holds NaN or infinity"):
        net.save(path)
    assert path.read_bytes() == before


def test_arguments():
    net = fnn.Sequential(fnn.Dense(3)).build(2)
    with pytest.raises(TypeError, match="format"):
        net.save("x.fnn", format="pickle")
    with pytest.raises(TypeError, match="mmap"):
        fnn.load("x.fnn", mmap=True)
    for path in (3, None, b"x", [], net):
        with pytest.raises(TypeError, match="path must be a string or an os"):
            net.save(path)
        with pytest.raises(TypeError, match="path must be a string or an os"):
            fnn.load(path)


@pytest.mark.parametrize("name", ["netz.fnn", "ネット 網.fnn", "no suffix", "x" * 250])
def test_names_of_files(name, tmp_path):
    net = fnn.Sequential(fnn.Dense(3)).build(2)
    net.save(tmp_path / name)
    net.save(str(tmp_path / name))
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert same_bits(fnn.load(str(tmp_path / name)), net)


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = fnn.Sequential(fnn.Dense(3)).build(2)
    net.save("net.fnn")
    assert same_bits(fnn.load("net.fnn"), net)
    assert [p.name for p in tmp_path.iterdir()] == ["net.fnn"]


def test_a_class_of_the_users_own_becomes_a_sequential(path):
    class Mine(fnn.Sequential):
        pass

    Mine(fnn.Dense(3)).build(2).save(path)
    assert type(fnn.load(path)) is fnn.Sequential


def test_saving_in_a_callback(path, data):
    """The file is of the epoch that has just ended."""
    net = fnn.Sequential(fnn.Dense(3))

    def save(info):
        if info.epoch == 1:
            info.net.save(path)

    net.fit(*data, epochs=4, callbacks=[save])
    twin = fnn.Sequential(fnn.Dense(3))
    twin.fit(*data, epochs=2)
    assert same_bits(fnn.load(path), twin)


def test_saving_while_another_thread_trains_tears_nothing(path):
    """Each step adds 2**-10 to every weight, so a file tells whether it is of one step.

    The error of the outputs never changes its sign, and the gradient of "mae" is +-1.
    """
    net = fnn.Sequential(fnn.Dense(1, init="zeros", use_bias=False))
    X, y = np.ones((1, 4096)), [1e6]
    net.build(4096)
    stop, saved, refused = threading.Event(), 0, 0

    def train():
        net.fit(
            *(X, y),
            loss="mae",
            optimizer=fnn.SGD(2.0**-10),
            epochs=10**9,
            callbacks=[lambda _: stop.is_set()],
        )

    thread = threading.Thread(target=train)
    thread.start()
    try:
        while saved < 50 and saved + refused < 10**6:
            try:
                net.save(path)
            except RuntimeError as error:
                if "being trained by another thread" not in str(error):
                    raise
                refused += 1
                continue
            saved += 1
            found = fnn.load(path)
            _, steps = found._native.progress
            assert (found.parameters == steps * 2.0**-10).all()
    finally:
        stop.set()
        thread.join()
    assert saved


class TestTorch:
    """torch.nn.Sequential reads the files, and its numbers come back unchanged."""

    torch = pytest.importorskip("torch")

    def twins(self):
        """A network of every layer that has tensors, and torch's of the same."""
        nn = self.torch.nn
        net = fnn.Sequential(
            *(fnn.Dense(8), fnn.BatchNorm(), fnn.ReLU(), fnn.Dropout(0.2)),
            *(fnn.Dense(6, use_bias=False), fnn.LayerNorm(), fnn.Tanh(), fnn.Dense(3)),
        )
        theirs = nn.Sequential(
            *(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2)),
            *(nn.Linear(8, 6, bias=False), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 3)),
        )
        return net, theirs.eval()

    def predicted(self, theirs, X):
        with self.torch.no_grad():
            return theirs(self.torch.tensor(X, dtype=self.torch.float32)).numpy()

    def test_there_and_back(self, data):
        X, y = data
        net, theirs = self.twins()
        net.fit(X, y, epochs=3, batch_size=16)
        ours = net.state_dict()
        tensors = {name: self.torch.from_numpy(a) for name, a in ours.items()}
        theirs.load_state_dict(tensors, strict=True)
        np.testing.assert_allclose(
            self.predicted(theirs, X), net.predict(X), rtol=0, atol=1e-6
        )
        back, _ = self.twins()
        back.build(4).load_state_dict(
            {name: t.numpy() for name, t in theirs.state_dict().items()}
        )
        for name, array in back.state_dict().items():
            assert array.tobytes() == ours[name].tobytes(), name
        assert back.predict(X).tobytes() == net.predict(X).tobytes()

    def test_torch_reads_the_file(self, data, path):
        from safetensors.torch import load_file

        X, y = data
        net, theirs = self.twins()
        net.fit(X, y, epochs=2)
        net.save(path)
        theirs.load_state_dict(load_file(path), strict=True)
        np.testing.assert_allclose(
            self.predicted(theirs, X), net.predict(X), rtol=0, atol=1e-6
        )

    def test_numbers_drawn_by_torch(self, data):
        X, _ = data
        net, theirs = self.twins()
        for t in theirs.state_dict().values():  # statistics that are not 0 and 1
            if t.dtype.is_floating_point:
                t.add_(self.torch.rand(t.shape))
        net.build(4).load_state_dict(
            {name: t.numpy() for name, t in theirs.state_dict().items()}
        )
        np.testing.assert_allclose(
            self.predicted(theirs, X), net.predict(X), rtol=0, atol=1e-5
        )


def test_the_file_holds_the_state_dict(path, data):
    net = fnn.Sequential(fnn.Dense(5), fnn.BatchNorm(), fnn.Dense(3))
    net.fit(*data, epochs=1)
    net.save(path)
    found = safetensors.numpy.load_file(path)
    assert set(found) == set(net.state_dict())
    for name, array in net.state_dict().items():
        assert array.tobytes() == found[name].tobytes()
