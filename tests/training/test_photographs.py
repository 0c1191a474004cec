"""Photographs that are taken out of packages."""

import hashlib
import io
import tarfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.labels import REAL
from training.photographs import LIST, Photograph, collect, read_list
from training.records import read_records

FILES = {"package/a.JPG": b"first", "package/b.jpeg": b"second", "package/read.me": b"text"}
Fetch = Callable[[str, str, Path], Path]


def _photograph(member: str, source: str = "web_pages") -> Photograph:
    digest = hashlib.sha256(FILES[member]).hexdigest()
    return Photograph(source, "test", "a-design", "1.0.0", member, digest)


@pytest.fixture
def fetched() -> list[str]:
    """The packages that were fetched, in order."""
    return []


@pytest.fixture
def fetch(fetched: list[str]) -> Fetch:
    """A registry with one package."""

    def pack(package: str, version: str, folder: Path) -> Path:
        fetched.append(f"{package}@{version}")
        with tarfile.open(folder / "it.tgz", "w:gz") as archive:
            for name, data in FILES.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return folder / "it.tgz"

    return pack


def test_they_are_read_as_a_data_folder(tmp_path: Path, fetch: Fetch) -> None:
    """As photographs, one group a package; nothing else of it is kept."""
    collect([_photograph("package/a.JPG"), _photograph("package/b.jpeg")], tmp_path, fetch)
    records = read_records(tmp_path)

    assert [b"first", b"second"] == [r.path.read_bytes() for r in records]
    assert [(REAL, "test", "web_pages", "a-design")] * 2 == [
        (r.label, r.split, r.source, r.group) for r in records
    ]
    assert [".csv", ".jpeg", ".jpg"] == sorted(p.suffix for p in tmp_path.rglob("*.*"))


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, fetch: Fetch, fetched: list[str]
) -> None:
    """A package is fetched once for all its files, and once more for one that is missing."""
    both = [_photograph("package/a.JPG"), _photograph("package/b.jpeg")]
    collect(both, tmp_path, fetch)
    collect(both, tmp_path, fetch)
    assert ["a-design@1.0.0"] == fetched

    (tmp_path / both[0].path).unlink()
    collect(both, tmp_path, fetch)
    assert ["a-design@1.0.0"] * 2 == fetched
    assert b"first" == (tmp_path / both[0].path).read_bytes()


@pytest.mark.parametrize(
    "changes", [{"member": "package/none.jpg"}, {"member": "package/b.jpeg"}], ids=str
)
def test_another_file_is_refused(tmp_path: Path, fetch: Fetch, changes: dict[str, str]) -> None:
    """One that is gone, or that is not the one that was looked at, by its name."""
    wanted = Photograph(
        **{**vars(_photograph("package/a.JPG")), **changes}  # its hash stays that of a.JPG
    )
    with pytest.raises(ValueError, match=f"a-design 1.0.0 does not hold {changes['member']}"):
        collect([wanted], tmp_path, fetch)
    assert not list(tmp_path.rglob("*.jp*g"))


def test_the_list_names_each_photograph_once() -> None:
    """More than a thousand. Those of one package are of one split; no foods are learned."""
    photographs = read_list(LIST)

    assert (
        len(photographs)
        == len({p.sha256 for p in photographs})
        == len({p.path for p in photographs})
    )
    splits = defaultdict(set)
    for each in photographs:
        splits[each.package].add(each.split)
    assert {1} == {len(of_package) for of_package in splits.values()}
    assert {"pool"} == {p.split for p in photographs if p.source == "foods"}
    assert 500 <= sum(p.split in {"test", "pool"} for p in photographs)
