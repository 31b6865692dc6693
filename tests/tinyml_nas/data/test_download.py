"""Downloads are checked and put in place whole; archives give only what is expected."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
from pathlib import Path

import pytest

from tinyml_nas.data.base import DataError
from tinyml_nas.data.download import fetch, unpack
from tinyml_nas.data.known import Known, check

CONTENT = bytes(range(256)) * 9_000


def known(content: bytes, name: str = "batch.bin") -> Known:
    return Known(name, len(content), hashlib.md5(content).hexdigest())


def test_fetch_checks_and_renames(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    target = tmp_path / "new" / "target"
    (target.parent / ".target.abc.part").mkdir(parents=True)
    (target.parent / ".target.abc.part" / "target").write_bytes(
        b"left over from a download that was killed"
    )
    fetch(source.as_uri(), target, known(CONTENT))
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_fetch_never_leaves_a_wrong_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT[:-1])
    target = tmp_path / "target"
    message = r"found 2,303,999 bytes.*expected 2,304,000 bytes.*run again"
    with pytest.raises(DataError, match=message):
        fetch(source.as_uri(), target, known(CONTENT))
    assert not target.exists()


def test_check_sees_one_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    check(path, known(CONTENT))
    path.write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])
    with pytest.raises(DataError, match="truncated or corrupt"):
        check(path, known(CONTENT))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"no HTTP at all\r\n", b""])
def test_a_server_that_fails_is_an_os_error(tmp_path: Path, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4_096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(OSError, match=r"404|broke off|closed"):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/x", tmp_path / "x", known(CONTENT))
        thread.join()
    assert not (tmp_path / "x").exists()


def write_archive(path: Path, entries: dict[str, bytes | str]) -> Path:
    """Write a .tar.gz of files (bytes) and symbolic links (text)."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def test_unpack_takes_only_what_is_expected(tmp_path: Path) -> None:
    archive = write_archive(
        tmp_path / "a.tar.gz",
        {"x/readme.html": b"no", "../escape": b"no", "x/batch.bin": CONTENT},
    )
    unpack(archive, {"x/batch.bin": known(CONTENT)}, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["batch.bin"]
    assert (tmp_path / "out" / "batch.bin").read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "out"]


def test_unpack_refuses_links_and_names_what_is_missing(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", {"x/batch.bin": "/etc/passwd"})
    with pytest.raises(DataError, match=r"a\.tar\.gz: lacks x/batch\.bin"):
        unpack(archive, {"x/batch.bin": known(CONTENT)}, tmp_path / "out")


def test_unpack_checks_members(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", {"x/batch.bin": CONTENT[:-1]})
    with pytest.raises(DataError, match="truncated or corrupt"):
        unpack(archive, {"x/batch.bin": known(CONTENT)}, tmp_path / "out")
    assert not (tmp_path / "out" / "batch.bin").exists()


@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_unpack_names_a_damaged_archive(tmp_path: Path, damage: str) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", {"x/batch.bin": CONTENT})
    content = bytearray(archive.read_bytes())
    content[12:24] = b"\xff" * 12  # inside the deflate stream's code tables
    archive.write_bytes(content[:500] if damage == "truncate" else content)
    with pytest.raises(DataError, match=r"a\.tar\.gz: cannot be unpacked"):
        unpack(archive, {"x/batch.bin": known(CONTENT)}, tmp_path / "out")
