"""What is the user's in a generated project's folder stays, whatever is generated, edited or killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import durable
from codegen.emit.folder import (
    MANIFEST,
    UPCOMING,
    FolderError,
    check,
    read_manifest,
    regenerate,
)

Tree = Mapping[str, bytes]

GENERATED = ("CMakeLists.txt", "README.md", "src/a.cpp", "src/b.cpp", "src/deep/c.hpp", "lib/x/y.h")
MINE = ("notes", "src/mine.cpp", "user/port.cpp", "build/deep/cache", "lib/x/z.h", "src/deep/c")
contents = st.binary(max_size=6)
trees = st.dictionaries(st.sampled_from(GENERATED), contents, min_size=1)
users = st.dictionaries(st.sampled_from(MINE), contents)
many = settings(deadline=None, max_examples=40)  # the disk has its moods


@pytest.fixture(autouse=True, scope="module")
def _unsynced() -> Iterator[None]:
    """``tests/codegen/test_durable.py`` sees to the order of writing, flushing and renaming."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


def writer(tree: Tree) -> Callable[[Path], None]:
    return lambda root: put(root, tree)


def put(root: Path, tree: Tree) -> None:
    for name, content in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def found(root: Path) -> dict[str, bytes]:
    """Every file but the manifest, which is checked against the generated ones by ``holds``."""
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    files.pop(MANIFEST, None)
    return files


def holds(root: Path, generated: Tree, mine: Tree = MappingProxyType({})) -> None:
    """The folder holds these files and no others, and no folder that is empty."""
    assert found(root) == {**mine, **generated}
    assert read_manifest(root / MANIFEST).keys() == generated.keys()
    assert all(any(p.iterdir()) for p in root.rglob("*") if p.is_dir())
    assert [p.name for p in root.parent.iterdir()] == [root.name]


@contextmanager
def fresh() -> Iterator[Path]:
    """A folder's name, anew for each example."""
    memory = Path("/dev/shm")  # the name of the example's folder is a random one
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name, "project")


# --- what is kept, replaced, removed -------------------------------------------------------------


@many
@given(trees, users, trees, users, trees)
def test_generated_files_are_replaced_and_the_users_are_kept(first, mine, second, more, third):
    with fresh() as folder:
        regenerate(folder, writer(first))
        put(folder, mine)
        regenerate(folder, writer(second))
        holds(folder, second, mine)
        put(folder, more)
        regenerate(folder, writer(third))
        holds(folder, third, {**mine, **more})


@many
@given(trees, users, trees, st.data())
def test_edits_are_named_and_nothing_is_changed(first, mine, second, data):
    edited = data.draw(st.lists(st.sampled_from(sorted(first)), min_size=1, unique=True))
    with fresh() as folder:
        regenerate(folder, writer(first))
        put(folder, mine)
        put(folder, {name: first[name] + b" edited" for name in edited})
        before = found(folder)
        for refused in (
            lambda: check(folder),
            lambda: regenerate(folder, writer(second)),
        ):
            with pytest.raises(FolderError) as error:
                refused()
            assert all(f"{name} (edited)" in str(error.value) for name in edited)
            assert not any(f"{name} (" in str(error.value) for name in first.keys() - set(edited))
            assert found(folder) == before
        regenerate(folder, writer(second), overwrite=True)
        holds(folder, second, mine)


@many
@given(trees, trees, st.sets(st.sampled_from(GENERATED)))
def test_files_that_the_user_deleted_come_back(first, second, deleted):
    with fresh() as folder:
        regenerate(folder, writer(first))
        for name in deleted & first.keys():
            (folder / name).unlink()
        regenerate(folder, writer(second))
        assert found(folder) == second


@many
@given(trees, trees, contents)
def test_a_file_of_the_user_in_the_way_of_a_new_one_is_named(first, second, content):
    new = sorted(second.keys() - first.keys())
    with fresh() as folder:
        regenerate(folder, writer(first))
        put(folder, dict.fromkeys(new, content))
        before = found(folder)
        in_the_way = [name for name in new if second[name] != content]
        if not in_the_way:
            regenerate(folder, writer(second))
        else:
            with pytest.raises(FolderError) as error:
                regenerate(folder, writer(second))
            named = [n for n in GENERATED if f"{n} (not generated, and in the" in str(error.value)]
            assert sorted(named) == in_the_way
            assert found(folder) == before
            regenerate(folder, writer(second), overwrite=True)
        holds(folder, second)


@many
@given(users.filter(bool), trees)
def test_a_folder_that_is_not_a_project_is_refused_with_what_to_do(mine, tree):
    with fresh() as folder:
        put(folder, mine)
        for refused in (lambda: check(folder), lambda: regenerate(folder, writer(tree))):
            with pytest.raises(FolderError, match=r"no MANIFEST.*Choose another folder; or over"):
                refused()
        assert found(folder) == mine
        regenerate(folder, writer(tree), overwrite=True)
        holds(folder, tree, mine)


@many
@given(trees, users, trees, st.data())
def test_a_damaged_manifest_is_refused(first, mine, second, data):
    with fresh() as folder:
        regenerate(folder, writer(first))
        put(folder, mine)
        whole = (folder / MANIFEST).read_bytes()
        cut = data.draw(st.integers(0, len(whole) - 1))
        end = data.draw(st.sampled_from([b"", bytes(len(whole) - cut), b"\xff\n", b"# "]))
        (folder / MANIFEST).write_bytes(whole[:cut] + end)
        before = found(folder)
        with pytest.raises(FolderError, match=r"MANIFEST\.sha256: damaged .*Choose another"):
            regenerate(folder, writer(second))
        assert found(folder) == before
        regenerate(folder, writer(second), overwrite=True)
        # What only the old manifest named is now the user's.
        holds(folder, second, {**first, **mine})


def test_an_empty_folder_and_a_link_to_a_folder_are_filled(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    regenerate(tmp_path / "link", writer({"a": b"1"}))
    regenerate(tmp_path / "link", writer({"b": b"2"}))
    assert (tmp_path / "link").is_symlink()
    assert found(tmp_path / "real") == {"b": b"2"}


def test_the_manifest_is_what_sha256sum_checks(tmp_path):
    regenerate(tmp_path / "p", writer({"a": b"1", "src/b": b"2"}))
    command = ["sha256sum", "--check", "--strict", MANIFEST]
    done = subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True, check=True)
    assert done.stdout == "a: OK\nsrc/b: OK\n"


# --- what stands in the way ----------------------------------------------------------------------

TREE = {"CMakeLists.txt": b"build", "src/a.cpp": b"a", "src/deep/b.cpp": b"b"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    regenerate(tmp_path / "p", writer(TREE))
    return tmp_path / "p"


def test_a_file_where_the_folder_must_be_is_named(tmp_path):
    (tmp_path / "p").write_text("mine")
    with pytest.raises(FolderError, match=r"/p: is a file; a project needs a folder"):
        regenerate(tmp_path / "p", writer(TREE))
    with pytest.raises(OSError, match=r"/p'"):
        regenerate(tmp_path / "p" / "q", writer(TREE))
    assert (tmp_path / "p").read_text() == "mine"


def test_a_link_in_place_of_a_file_is_an_edit_and_is_never_followed(project):
    elsewhere = project.parent / "elsewhere.cpp"
    elsewhere.write_bytes(b"a")
    (project / "src/a.cpp").unlink()
    (project / "src/a.cpp").symlink_to(elsewhere)
    with pytest.raises(FolderError, match=r"src/a\.cpp \(a symbolic link\)"):
        regenerate(project, writer({"src/a.cpp": b"new"}))
    regenerate(project, writer({"src/a.cpp": b"new"}), overwrite=True)
    assert elsewhere.read_bytes() == b"a"
    assert (project / "src/a.cpp").read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("next_tree", [TREE, {"README.md": b"another"}], ids=["same", "another"])
def test_what_lies_behind_a_linked_folder_is_left_alone(project, overwrite, next_tree):
    elsewhere = project.parent / "elsewhere"
    (project / "src").rename(elsewhere)
    (project / "src").symlink_to(elsewhere)
    before = found(elsewhere)
    if overwrite and next_tree is not TREE:
        regenerate(project, writer(next_tree), overwrite=True)
    else:
        with pytest.raises(FolderError, match=r"src/a\.cpp \(src is a symbolic link\)"):
            regenerate(project, writer(next_tree), overwrite=overwrite)
    assert found(elsewhere) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_files_and_folders_in_each_others_place_are_named(project, overwrite):
    shutil.rmtree(project / "src/deep")
    (project / "src/deep").write_text("mine")
    (project / "README.md").mkdir()
    before = found(project)
    with pytest.raises(FolderError, match=r"src/deep/b\.cpp \(src/deep is a file, and has to be"):
        regenerate(project, writer(TREE), overwrite=overwrite)
    with pytest.raises(FolderError, match=r"README\.md \(a folder, and has to be a file\)"):
        regenerate(project, writer({"README.md": b"x"}), overwrite=True)
    assert found(project) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_read_only_folder_is_named(tmp_path):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "p")
        regenerate(folder, writer(TREE))
        for path in (Path(name), folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
        (folder / "src/deep").chmod(0o555)
        os.seteuid(65534)
        try:
            with pytest.raises(FolderError, match=r"src/deep/b\.cpp \(src/deep is read-only\)"):
                regenerate(folder, writer({**TREE, "src/a.cpp": b"new"}))
        finally:
            os.seteuid(0)
        assert found(folder) == TREE


def test_two_processes_do_not_write_to_one_folder(project):
    lock = durable.try_lock(project)
    assert lock is not None
    try:
        with pytest.raises(FolderError, match="another process is writing to it"):
            regenerate(project, writer({"src/a.cpp": b"new"}))
        assert found(project) == TREE
    finally:
        os.close(lock)
    regenerate(project, writer({"src/a.cpp": b"new"}))


# --- killed, and a full disk ---------------------------------------------------------------------

CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "open")


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Run ``work`` in a process that ends, without any clean-up, at a step on the file system."""
    child = os.fork()
    if child == 0:
        left = step

        def hook(event: str, _: object) -> None:
            nonlocal left
            if event in CHANGES:
                left -= 1
                if left < 0:
                    os._exit(9)

        sys.addaudithook(hook)
        try:
            work()
        except BaseException:  # noqa: BLE001  # the child must end here, whatever happens
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 9


@pytest.mark.parametrize("exists", [False, True], ids=["new", "again"])
def test_killed_at_every_step_the_project_is_generated_again(tmp_path, exists):
    """Of whatever model, once or killed again on the way, with all that is the user's in place."""
    after = {"CMakeLists.txt": b"new", "src/a.cpp": b"new", "lib/d": b"d"}
    third = {"CMakeLists.txt": b"third", "src/a.cpp": b"third", "src/deep/e": b"e"}
    mine = {"src/mine": b"mine", "notes": b"n"} if exists else {}
    step, killed = 0, True
    while killed:
        folder = tmp_path / f"{step}" / "p"
        if exists:
            regenerate(folder, writer(TREE))
            put(folder, mine)
        killed = killed_at(step, lambda folder=folder: regenerate(folder, writer(after)))
        left = found(folder)
        assert left.items() >= mine.items()
        if "CMakeLists.txt" in left:  # then it is a whole project, the old one or the new one
            known = [found_in for found_in in (TREE, after) if found_in.items() <= left.items()]
            assert known
        killed_at(3 * step % 40, lambda folder=folder: regenerate(folder, writer(third)))
        regenerate(folder, writer(third))
        holds(folder, third, mine)
        step += 1
    assert step > 20


def test_an_edit_between_a_kill_and_the_next_try_is_named(project):
    new = {**TREE, "src/a.cpp": b"new", "src/deep/b.cpp": b"new"}
    step = 0
    while not (project / UPCOMING).exists():
        assert killed_at(step, lambda: regenerate(project, writer(new)))
        step += 1
    put(project, {"src/a.cpp": b"by hand"})
    with pytest.raises(FolderError, match=r"src/a\.cpp \(edited\)"):
        regenerate(project, writer(new))
    assert (project / "src/a.cpp").read_bytes() == b"by hand"
    regenerate(project, writer(new), overwrite=True)
    holds(project, new)


def test_a_failure_leaves_the_old_project_and_nothing_else(project):
    def fail(root: Path) -> None:
        put(root, {"src/a.cpp": b"half"})
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=rf"No space left on device: '{project}"):
        regenerate(project, fail)
    holds(project, TREE)
    with pytest.raises(OSError, match=r"No space left on device: '.*/q'"):
        regenerate(project.with_name("q"), fail)
    assert not project.with_name("q").exists()
