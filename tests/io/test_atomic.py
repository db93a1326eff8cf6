"""A file is the old one or the new one, whatever happens while it is written."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn

SAVER = Path(__file__).with_name("saver.py")

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX alone has this")


@pytest.fixture
def net():
    return fnn.Sequential(fnn.Dense(3), seed=1).build(4)


@pytest.fixture
def old(tmp_path):
    """A file that must survive."""
    path = tmp_path / "net.fnn"
    fnn.Sequential(fnn.Dense(2), seed=7).build(2).save(path)
    return path


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def start(*args):
    process = subprocess.Popen(
        [sys.executable, SAVER, *map(str, args)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


# -- errors ---------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("limit", [0, 400_000, 796_000])
def test_a_full_disk_leaves_the_old_file(old, limit):
    before = old.read_bytes()
    with start(old, 1, limit) as process:
        told = process.stdout.read()
    assert told.startswith("OSError [Errno 27] File too large")
    assert str(old) in told
    assert old.read_bytes() == before
    assert names(old.parent) == ["net.fnn"]


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt])
def test_an_error_at_any_call_leaves_the_old_file(net, old, monkeypatch, call, error):
    def fail(*_args, **_options):
        raise error

    before = old.read_bytes()
    where = {"fsync": os, "replace": Path, "chmod": Path}[call]
    with monkeypatch.context() as patched:
        patched.setattr(where, call, fail)
        with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
            net.save(old)
    if caught.type is OSError:
        assert caught.value.filename == str(old)
    assert old.read_bytes() == before
    assert names(old.parent) == ["net.fnn"]


def test_a_folder_in_the_place_of_the_file(net, tmp_path):
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        net.save(tmp_path)
    assert names(tmp_path) == []


def test_a_missing_folder(net, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder; create it") as caught:
        net.save(tmp_path / "models" / "net.fnn")
    assert caught.value.filename == str(tmp_path / "models")


def test_a_file_in_the_place_of_the_folder(net, old):
    with pytest.raises(NotADirectoryError):
        net.save(old / "net.fnn")


@posix
def test_a_device_is_not_replaced(net, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        with pytest.raises(OSError, match="no regular file"):
            net.save(path)
    assert not Path("/dev/null").is_file()
    assert names(tmp_path) == ["pipe"]


@pytest.fixture
def folder_of_a_user():
    """A folder that belongs to whoever is no administrator, who we are meanwhile."""
    before = os.geteuid()
    # The temporary folder of an administrator may be closed to others; /tmp is not.
    folder = Path(tempfile.mkdtemp(dir="/tmp" if before == 0 else None))  # noqa: S108
    if before == 0:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    os.seteuid(before)
    folder.chmod(0o700)
    shutil.rmtree(folder)


@posix
def test_a_read_only_folder(net, folder_of_a_user):
    path = folder_of_a_user / "net.fnn"
    net.save(path)
    before = path.read_bytes()
    folder_of_a_user.chmod(0o500)
    with pytest.raises(PermissionError) as caught:
        net.save(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert fnn.load(path).seed == 1
    assert names(folder_of_a_user) == ["net.fnn"]


@posix
def test_a_write_protected_file_is_not_replaced(net, folder_of_a_user):
    path = folder_of_a_user / "net.fnn"
    net.save(path)
    before = path.read_bytes()
    path.chmod(0o400)
    with pytest.raises(PermissionError, match="write-protected"):
        fnn.Sequential(fnn.Dense(1)).build(1).save(path)
    assert path.read_bytes() == before


@posix
def test_a_file_that_may_not_be_read(net, folder_of_a_user):
    path = folder_of_a_user / "net.fnn"
    net.save(path)
    path.chmod(0o000)
    with pytest.raises(PermissionError, match=r"net\.fnn"):
        fnn.load(path)


# -- modes and links ------------------------------------------------------------------


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_a_new_file_has_the_mode_of_the_process(net, tmp_path, umask):
    before = os.umask(umask)
    try:
        net.save(tmp_path / "net.fnn")
    finally:
        os.umask(before)
    assert (tmp_path / "net.fnn").stat().st_mode & 0o777 == 0o666 & ~umask


@posix
@pytest.mark.parametrize("mode", [0o600, 0o666, 0o640, 0o755])
def test_an_old_file_keeps_its_mode(net, old, mode):
    old.chmod(mode)
    net.save(old)
    assert fnn.load(old).seed == 1
    assert old.stat().st_mode & 0o7777 == mode


@posix
def test_a_link_is_followed(net, old, tmp_path):
    (tmp_path / "runs").mkdir()
    link, dangling = tmp_path / "runs" / "best", tmp_path / "runs" / "new"
    link.symlink_to("../net.fnn")
    dangling.symlink_to("../new.fnn")
    for path in (link, dangling):
        net.save(path)
        assert path.is_symlink()
        assert fnn.load(path).seed == 1
    assert fnn.load(old).seed == 1
    assert names(tmp_path) == ["net.fnn", "new.fnn", "runs"]


@posix
def test_a_link_to_itself(net, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        net.save(tmp_path / "loop")


# -- other processes ------------------------------------------------------------------


def is_whole(path):
    """Whether the file holds one network of the saver's, and nothing of another."""
    net = fnn.load(path)
    return np.all(net.parameters == net.seed)


@posix
def test_a_killed_process_leaves_a_whole_file(tmp_path, rng):
    path = tmp_path / "net.fnn"
    net = fnn.Sequential(fnn.Dense(199, init="zeros"), seed=0).build(999)
    net.save(path)
    last = 0
    for _ in range(5):
        with start(path, last + 1) as process:
            time.sleep(rng.uniform(0.0, 0.1))
            process.send_signal(signal.SIGKILL)
        assert is_whole(path)
        assert fnn.load(path).seed >= last
        last = fnn.load(path).seed
    left = [name for name in names(tmp_path) if name != "net.fnn"]
    assert all(name.startswith(".fastnn-") and name.endswith(".tmp") for name in left)


@posix
def test_two_processes_save_to_one_path(tmp_path):
    path = tmp_path / "net.fnn"
    seen = set()
    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(start(path, k)) for k in (1, 10**6))
        stack.callback(first.kill)
        stack.callback(second.kill)
        end = time.monotonic() + 20
        while time.monotonic() < end and len(seen) < 2:
            if path.exists():
                assert is_whole(path)
                seen.add(fnn.load(path).seed >= 10**6)
    assert seen == {False, True}
    assert is_whole(path)
