"""Schedules of weight decay, momentum and dropout, beside that of the rate."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import EVERYTHING, bits, classes, curves, settled

LAYERS = (fnn.Dense(7, "tanh"), fnn.Dense(3))
SWING = fnn.Cyclic(0.1, 0.8, 3, per="step")  # from 0.1 up to 0.8 and back
FALL = fnn.Linear(1.0, 0.0, 6, per="step")
RISE = fnn.Linear(0.5, 2.0, 6, per="step")

# name -> (ours, torch's class, settings)
RULES = {
    "sgd": (fnn.SGD, "SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (
        fnn.SGD,
        "SGD",
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    "dampened": (
        fnn.SGD,
        "SGD",
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
    ),
    "rmsprop": (fnn.RMSprop, "RMSprop", {"momentum": 0.5, "weight_decay": 0.1}),
    "centred": (
        fnn.RMSprop,
        "RMSprop",
        {"momentum": 0.5, "centered": True, "weight_decay": 0.1},
    ),
    "adam": (fnn.Adam, "Adam", {"weight_decay": 0.1}),
    "amsgrad": (fnn.Adam, "Adam", {"weight_decay": 0.1, "amsgrad": True}),
    "adamw": (fnn.AdamW, "AdamW", {"weight_decay": 0.3}),
    "adamax": (fnn.Adamax, "Adamax", {"weight_decay": 0.1}),
    "nadam": (fnn.NAdam, "NAdam", {"weight_decay": 0.1}),
    "radam": (fnn.RAdam, "RAdam", {"weight_decay": 0.1}),
    "adagrad": (fnn.Adagrad, "Adagrad", {"weight_decay": 0.1}),
    "adadelta": (fnn.Adadelta, "Adadelta", {"weight_decay": 0.1}),
    "asgd": (fnn.ASGD, "ASGD", {"weight_decay": 0.1}),
}


def _net(layers=LAYERS, dtype="float64"):
    return settled(fnn.Sequential(*layers, dtype=dtype), np.random.default_rng(1))


def _set(group, name, value):
    if name == "momentum" and "momentum" not in group:
        name, value = "betas", (value, group["betas"][1])
    group[name] = value


@pytest.mark.parametrize("momentum", [SWING, FALL], ids=["swing", "fall"])
@pytest.mark.parametrize("name", RULES)
def test_as_torch_with_its_groups_changed_by_hand(rng, name, momentum):
    torch = pytest.importorskip("torch")
    make, theirs, settings = RULES[name]
    optimizer = make(lr=0.01, **settings)
    schedule = {"weight_decay": RISE, "momentum": momentum}
    schedule = {k: s for k, s in schedule.items() if k in optimizer.scheduled()}
    assert "weight_decay" in schedule
    net = _net()
    nn = torch.nn
    twin = nn.Sequential(
        nn.Sequential(nn.Linear(5, 7), nn.Tanh()), nn.Linear(7, 3)
    ).double()
    for theirs_p, ours in zip(
        twin.parameters(), net.state_dict().values(), strict=True
    ):
        theirs_p.data = torch.from_numpy(ours)
    rule = getattr(torch.optim, theirs)(
        twin.parameters(), lr=0.01, foreach=False, **settings
    )
    starts = {"weight_decay": settings["weight_decay"]}
    starts["momentum"] = settings.get("momentum", getattr(optimizer, "betas", (0,))[0])
    trainer = fnn.Trainer(net, optimizer=optimizer, schedule=schedule)
    for step in range(9):
        X, y = classes(rng, 16)
        for key, entry in schedule.items():
            _set(rule.param_groups[0], key, entry.at(step, starts[key]))
        rule.zero_grad()
        loss = nn.functional.cross_entropy(
            twin(torch.from_numpy(X)), torch.from_numpy(y)
        )
        loss.backward()
        rule.step()
        assert trainer.step(X, y) == pytest.approx(loss.item(), rel=1e-9)
    for ours, theirs_p in zip(
        net.state_dict().values(), twin.parameters(), strict=True
    ):
        found = theirs_p.detach().numpy()
        # torch keeps NAdam's product of momenta, and ASGD's rate, in float32
        rtol = 1e-6 if name in ("nadam", "asgd") else 1e-9
        np.testing.assert_allclose(ours, found, rtol=rtol, atol=1e-10)


def test_nadam_keeps_a_momentum_of_its_own():
    with pytest.raises(ValueError, match=r"schedule\['momentum'\]: NAdam\("):
        fnn.Trainer(_net(), optimizer="nadam", schedule={"momentum": FALL})


def test_lion_and_decay(rng):
    """Lion is not torch's: a step at a time by plain arrays."""
    X, y = classes(rng, 16)
    net = _net()
    schedule = {"momentum": FALL, "weight_decay": RISE}
    rule = fnn.Lion(0.01, weight_decay=0.3)
    trainer = fnn.Trainer(net, optimizer=rule, schedule=schedule)
    w = net.parameters.copy()
    state = rule.init(w)
    for step in range(5):
        _, gradients = net.loss_and_gradients(X, y, loss="cross_entropy")
        g = np.concatenate([v.ravel() for v in gradients.values()])
        now = fnn.Lion(
            0.01,
            betas=(FALL.at(step, 0.9), 0.99),
            weight_decay=RISE.at(step, 0.3),
        )
        now.update(w, g, state)
        trainer.step(X, y)
        np.testing.assert_allclose(net.parameters, w, rtol=1e-12)


def test_dropout_as_layers_with_another_rate_for_each_step(rng):
    X, y = classes(rng, 40)

    def made(first, second):
        block = fnn.Residual(fnn.Dense(8), fnn.AlphaDropout(second))
        return fnn.Sequential(fnn.Dense(9), fnn.Dropout(first), block, fnn.Dense(3))

    net = made(0.5, 0.3).build(5)
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(0.1), schedule={"dropout": FALL})
    state = net.state_dict()
    for step in range(8):
        twin = made(*(FALL.at(step, p) for p in (0.5, 0.3))).build(5)
        twin.load_state_dict(state)
        twin._native.progress = (0, step)
        fnn.Trainer(twin, optimizer=fnn.SGD(0.1)).step(X, y)
        trainer.step(X, y)
        state = twin.state_dict()
        assert bits(net) == bits(twin)
    assert net.layers[1].p == 0.5


MORE = {
    "lr": fnn.Cosine(60, per="step"),
    "weight_decay": fnn.Linear(1.0, 3.0, 4),
    "momentum": fnn.Cyclic(0.85, 0.95, 5, per="step"),
    "dropout": fnn.Polynomial(9),
}


def _fit(data, n_threads=2, **options):
    net = fnn.Sequential(*EVERYTHING, seed=2)
    optimizer = fnn.AdamW(0.01, weight_decay=0.1)
    history = net.fit(
        *data,
        optimizer=optimizer,
        epochs=5,
        batch_size=32,
        schedule=MORE,
        n_threads=n_threads,
        **options,
    )
    return net, history


def test_same_bits_for_any_number_of_threads(rng):
    data = classes(rng, 203)
    runs = [_fit(data, n) for n in (1, 2, 3, 8)]
    first = bits(runs[0][0]), curves(runs[0][1])
    assert all((bits(net), curves(history)) == first for net, history in runs)


def test_the_history_has_the_value_of_each_epochs_last_step(rng):
    _, history = _fit(classes(rng, 70), validation_split=0.2)
    names = [*history.history]
    assert names[-5:] == ["lr", "weight_decay", "momentum", "dropout", "seconds"]
    last = 2 * np.arange(5) + 1  # two steps an epoch
    starts = {"lr": 0.01, "weight_decay": 0.1, "momentum": 0.9, "dropout": 0.3}
    for name, start in starts.items():
        at = last if MORE[name].per == "step" else range(5)
        expected = [MORE[name].at(t, start) for t in at]
        assert history.history[name] == pytest.approx(expected, rel=1e-15)


def test_one_schedule_is_that_of_the_rate(rng):
    data = classes(rng, 50)
    nets = [_net(EVERYTHING) for _ in range(2)]
    schedule = fnn.Exponential(0.5)
    histories = [
        net.fit(*data, epochs=3, schedule=given)
        for net, given in zip(nets, (schedule, {"lr": schedule}), strict=True)
    ]
    assert bits(nets[0]) == bits(nets[1])
    assert curves(histories[0]) == curves(histories[1])


def test_a_rate_may_still_watch_a_score(rng):
    schedule = {
        "lr": fnn.ReduceOnPlateau("loss", patience=0, threshold=0.9),
        "dropout": fnn.Exponential(0.5),
    }
    history = _net(EVERYTHING).fit(*classes(rng, 50), epochs=3, schedule=schedule)
    assert history.history["lr"][-1] < history.history["lr"][0]
    assert history.history["dropout"] == [0.3, 0.15, 0.075]


class _CrashError(Exception):
    pass


def _crash(info):
    if info.epoch == 1:
        raise _CrashError


@pytest.mark.parametrize("optimizer", ["adamw", "centred", "nesterov"])
def test_a_resumed_fit_ends_with_the_same_bits(rng, tmp_path, optimizer):
    data, path = classes(rng, 60), tmp_path / "run.fnn"
    make, _, settings = RULES[optimizer]
    options = {"epochs": 5, "batch_size": 16}

    def trainer():
        net = fnn.Sequential(*EVERYTHING)
        rule = make(lr=0.01, **settings)
        return fnn.Trainer(net, optimizer=rule, schedule=MORE)

    whole = trainer()
    history = whole.fit(*data, **options)
    with pytest.raises(_CrashError):
        trainer().fit(*data, **options, checkpoint=path, callbacks=[_crash])
    resumed = fnn.Trainer.resume(path)
    assert resumed.schedule == MORE
    assert curves(resumed.fit(*data, **options)) == curves(history)
    assert bits(resumed.net) == bits(whole.net)


def test_the_rules_own_settings_are_back_without_a_schedule(rng):
    """What a schedule did to one trainer is no business of the next."""
    data = classes(rng, 30)
    rule = fnn.SGD(0.1, momentum=0.9, weight_decay=0.1)
    nets = [_net() for _ in range(2)]
    fnn.Trainer(_net(), optimizer=rule, schedule={"momentum": FALL}).fit(*data)
    for net in nets:
        net.fit(*data, optimizer=rule, epochs=2)
    assert bits(nets[0]) == bits(nets[1])


SGD = fnn.SGD(0.1, momentum=0.9)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"schedule": {"p": FALL}}, ValueError, "schedule: 'p' has no schedule"),
        ({"schedule": {"Momentum": FALL}}, ValueError, "did you mean 'momentum'"),
        ({"schedule": {3: FALL}}, ValueError, "schedule: 3 has no schedule"),
        ({"schedule": {"dropout": 0.5}}, TypeError, r"schedule\['dropout'\] must be"),
        ({"schedule": {"lr": fnn.Cosine}}, TypeError, r"\['lr'\].*write Cosine\("),
        ({"schedule": [FALL]}, TypeError, "schedule must be .* mapping .* got list"),
        (
            {"schedule": {"momentum": fnn.ReduceOnPlateau()}},
            ValueError,
            "only lr can follow a score",
        ),
        (
            {"schedule": {"momentum": FALL}, "optimizer": fnn.SGD(0.1)},
            ValueError,
            r"\['momentum'\]: SGD\(.*momentum=0.*is lr, weight_decay, dropout",
        ),
        (
            {"schedule": {"weight_decay": FALL}, "optimizer": "rprop"},
            ValueError,
            r"\['weight_decay'\]: Rprop\(.*is lr, dropout",
        ),
        (
            {"schedule": {"momentum": FALL}, "optimizer": "adagrad"},
            ValueError,
            r"is lr, weight_decay, dropout",
        ),
        (
            {
                "schedule": {"dropout": FALL},
                "optimizer": fnn.LBFGS(line_search_fn=None),
            },
            ValueError,
            r"\['dropout'\]: LBFGS\(.*is lr$",
        ),
        (
            {"schedule": {"dropout": FALL}, "net": fnn.Sequential(fnn.Dense(3))},
            ValueError,
            "no layer that drops elements",
        ),
    ],
)
def test_mistakes(options, error, told):
    options = {"net": _net(EVERYTHING), "optimizer": SGD, **options}
    with pytest.raises(error, match=told):
        fnn.Trainer(options.pop("net"), **options)


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({"dropout": fnn.Linear(1.0, 4.0, 3)}, r"'dropout'\] at step 6 \(epoch 3\)"),
        (
            {"dropout": fnn.Linear(1.0, 4.0, 6, per="step")},
            r"'dropout'\] at step 5 \(epoch 2\) must be in \[0, 1\), got 1.05",
        ),
        ({"momentum": fnn.Cyclic(0.5, 1.0, 2)}, r"'momentum'\] at step 4 .* got 1$"),
        ({"momentum": fnn.OneCycle(4, 2.0)}, r"'momentum'\]"),
    ],
)
def test_impossible_values_are_found_before_the_training(rng, schedule, told):
    net = _net(EVERYTHING)
    before = bits(net)
    epochs = []
    with pytest.raises(ValueError, match=told):
        net.fit(
            *classes(rng, 60),
            optimizer=SGD,
            schedule=schedule,
            batch_size=30,
            epochs=6,
            callbacks=[epochs.append],
        )
    assert bits(net) == before
    assert not epochs


def test_impossible_values_of_a_single_step(rng):
    net = _net(EVERYTHING)
    data = classes(rng, 20)
    rising = fnn.Linear(1.0, 4.0, 1, per="step")  # of 0.3: 1.2 from the second on
    trainer = fnn.Trainer(net, schedule={"dropout": rising})
    trainer.step(*data)
    before = bits(net)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"at step 1 \(epoch 0\) .* got 1.2$"):
            trainer.step(*data)
    assert bits(net) == before
