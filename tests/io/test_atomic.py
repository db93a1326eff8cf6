"""A file is the old one or the new one, whatever happens while it is written."""

import contextlib
import errno
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
from fastnn.io.atomic import write_atomically
from nameless import WAYS, choose, has_files_without_names

SAVER = Path(__file__).with_name("saver.py")

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX alone has this")


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    choose(request.param, monkeypatch)
    return request.param


@pytest.fixture
def net(way):  # noqa: ARG001
    """A network to be saved in each way."""
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
def test_an_error_at_any_call_leaves_the_old_file(
    net, old, way, monkeypatch, call, error
):
    def fail(*_args, **_options):
        raise error

    before = old.read_bytes()
    where = {"fsync": os, "replace": Path, "chmod": Path, "fchmod": os}
    if call == "chmod" and way == "without a name":
        call = "fchmod"
    with monkeypatch.context() as patched:
        patched.setattr(where[call], call, fail)
        with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
            net.save(old)
    if caught.type is OSError:
        assert caught.value.filename == str(old)
    assert old.read_bytes() == before
    assert names(old.parent) == ["net.fnn"]


def test_ctrl_c_when_the_name_was_given_leaves_the_old_file(old, monkeypatch):
    """The one moment at which there are two names."""
    link, names_seen = os.link, []

    def link_and_raise(*args, **options):
        link(*args, **options)
        names_seen.extend(names(old.parent))
        raise KeyboardInterrupt

    choose("without a name", monkeypatch)
    monkeypatch.setattr(os, "link", link_and_raise)
    before = old.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_atomically(str(old), [b"new"])
    assert len(names_seen) == 2
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


# -- files without names --------------------------------------------------------------


def fail_with(number):
    def fail(*_args, **_options):
        raise OSError(number, os.strerror(number))

    return fail


def open_otherwise(change, opened=os.open):
    """Return an `os.open` that does something else for a file without a name."""

    def otherwise(path, flags, mode=0o777, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            return change(path, flags, mode)
        return opened(path, flags, mode, **options)

    return otherwise


def test_the_content_has_no_name_until_it_is_on_the_disk(net, old, way, monkeypatch):
    seen, fsync = [], os.fsync

    def look(descriptor):
        fsync(descriptor)
        seen.append(len(names(old.parent)))

    monkeypatch.setattr(os, "fsync", look)
    net.save(old)
    assert seen == [1 if way == "without a name" else 2, 1, 1]


# What says that there are no such files: the kernel, the file system, a sandbox; no
# /proc; a folder that has no room for one more name.
REFUSALS = [
    *(("open", number) for number in ("EOPNOTSUPP", "EISDIR", "EINVAL", "ENOSYS")),
    *(("link", number) for number in ("ENOENT", "EPERM", "EXDEV")),
    *(("read_text", number) for number in ("ENOENT", "EACCES")),
]


@posix
@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="Linux alone has this")
@pytest.mark.parametrize(("call", "number"), REFUSALS)
def test_where_there_are_none_the_file_is_as_good(old, monkeypatch, call, number):
    fail = fail_with(getattr(errno, number))
    where = {"open": os, "link": os, "read_text": Path}[call]
    mode = old.stat().st_mode
    with monkeypatch.context() as patched:
        patched.setattr(where, call, open_otherwise(fail) if call == "open" else fail)
        for path in (old, old.with_name("new.fnn")):
            write_atomically(str(path), [b"ne", memoryview(b"w")])
            assert path.read_bytes() == b"new"
            assert path.stat().st_mode == mode
    assert names(old.parent) == ["net.fnn", "new.fnn"]


@posix
def test_a_kernel_that_forgets_the_umask(tmp_path, monkeypatch):
    """As Linux did for files without a name, on file systems without access lists."""
    choose("without a name", monkeypatch)
    monkeypatch.undo()
    opened = os.open

    def forget(path, flags, mode):
        descriptor = opened(path, flags, mode)
        os.fchmod(descriptor, mode)
        return descriptor

    monkeypatch.setattr(os, "open", open_otherwise(forget))
    before = os.umask(0o077)
    try:
        write_atomically(str(tmp_path / "mine"), [b"private"])
    finally:
        os.umask(before)
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600


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
    if has_files_without_names(tmp_path):  # one has a name for some hundredths of a ms
        assert len(left) <= 2


DYING = """
import os, pathlib, signal, sys
import fastnn as fnn
where = {"fsync": os, "link": os, "replace": pathlib.Path}["CALL"]
setattr(where, "CALL", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
fnn.Sequential(fnn.Dense(3)).build(2).save(sys.argv[1])
"""


@posix
@pytest.mark.parametrize(("call", "left"), [("fsync", 0), ("link", 0), ("replace", 1)])
def test_a_process_killed_at_this_call_leaves(old, call, left):
    if not has_files_without_names(old.parent):
        pytest.skip("no files without names here")
    before = old.read_bytes()
    code = DYING.replace("CALL", call)
    done = subprocess.run([sys.executable, "-c", code, old], check=False)
    assert done.returncode == -signal.SIGKILL
    assert old.read_bytes() == before
    assert len(names(old.parent)) == 1 + left


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
