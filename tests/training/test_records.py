"""Readers of labelled folders."""

import csv
from pathlib import Path

import pytest

from detector.labels import FAKE, REAL
from tests.images import plain_image
from training.records import (
    Record,
    data_sha256,
    divide_pool,
    read_records,
    with_fakes_of,
    write_records,
)


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plain_image("PNG"))


@pytest.mark.parametrize(
    ("prefix", "generator"), [("", "data"), ("progan/", "progan"), ("progan/horse/", "progan")]
)
def test_forensynths_folders_are_read(tmp_path: Path, prefix: str, generator: str) -> None:
    """Flat, by generator, or by generator and class: the first folder names the generator."""
    root = tmp_path / "data"
    _image(root / f"{prefix}0_real/a.png")
    _image(root / f"{prefix}1_fake/b.png")
    (root / f"{prefix}1_fake/notes.txt").write_text("no image", "utf-8")

    records = {r.path.name: r for r in read_records(root)}

    assert {"a.png", "b.png"} == set(records)
    assert (REAL, "real") == (records["a.png"].label, records["a.png"].generator)
    assert (FAKE, generator) == (records["b.png"].label, records["b.png"].generator)
    assert {"test"} == {r.split for r in records.values()}


@pytest.mark.parametrize(
    ("folder", "split", "generator"),
    [
        ("progan_train/horse", "train", "progan"),
        ("progan_val/horse", "val", "progan"),
        ("train/stylegan/horse", "train", "stylegan"),
        ("val/stylegan", "val", "stylegan"),
        ("test/biggan", "test", "biggan"),
        ("train", "train", "data"),
        ("style_gan/horse", "test", "style_gan"),
    ],
)
def test_the_first_folder_may_name_the_split(
    tmp_path: Path, folder: str, split: str, generator: str
) -> None:
    """Before the generator, or behind its name as in the official training set."""
    for name in ("0_real", "1_fake"):
        _image(tmp_path / "data" / folder / name / "a.png")
    photo, fake = read_records(tmp_path / "data")

    assert {split} == {photo.split, fake.split}
    assert (generator, generator, generator) == (fake.generator, fake.source, photo.source)


def test_a_manifest_is_read_when_there_is_one(tmp_path: Path) -> None:
    """With its splits, groups and pairs."""
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["path", "label", "generator", "family", "source", "group_id", "split", "pair_id"]
        )
        writer.writerow(["x/a.png", "0", "real", "real", "x", "g1", "train", "p1"])
        writer.writerow(["x/b.png", "1", "vae", "vae", "x", "g1", "train", "p1"])

    photo, fake = read_records(tmp_path)

    assert ("g1", "p1", "train") == (photo.group, photo.pair, photo.split)
    assert ("vae", FAKE, tmp_path / "x/b.png") == (fake.generator, fake.label, fake.path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """The message says what was expected."""
    with pytest.raises(ValueError, match="0_real and 1_fake"):
        read_records(tmp_path)


def test_photographs_come_with_fakes_of_their_source(tmp_path: Path) -> None:
    """Photographs of sources without such fakes are left out."""
    for name in ("gan/0_real/a.png", "gan/1_fake/b.png", "vae/0_real/c.png", "vae/1_fake/d.png"):
        _image(tmp_path / name)

    kept = with_fakes_of(read_records(tmp_path), {"gan"})

    assert {"a.png", "b.png"} == {r.path.name for r in kept}


def test_the_hash_notices_changes(tmp_path: Path) -> None:
    """The same files give the same hash; one more file gives another."""
    _image(tmp_path / "0_real/a.png")
    _image(tmp_path / "1_fake/b.png")
    before = data_sha256(read_records(tmp_path))
    again = data_sha256(read_records(tmp_path))
    _image(tmp_path / "1_fake/c.png")

    assert before == again
    assert before != data_sha256(read_records(tmp_path))


def _pool(source: str, groups: list[str], generator: str = "gan") -> list[Record]:
    return [
        Record(
            path=Path(f"{source}/{i}.png"), label=FAKE, generator=generator, family="gan",
            source=source, group=group, split="pool",
        )
        for i, group in enumerate(groups)
    ]  # fmt: skip


def test_the_pool_is_divided_by_groups() -> None:
    """In the shares of the other splits; what is not learned stays in the pool, and no group is split."""
    many = _pool("many", [f"group {i // 2}" for i in range(200)])
    single = _pool("single", ["one group"] * 20)
    unknown = _pool("unknown", ["x"] * 5, generator="vae")
    divided = divide_pool([*many, *single, *unknown], {"gan"})
    of_many = [r.split for r in divided if r.source == "many"]
    splits = {
        group: {r.split for r in divided if r.group == group}
        for group in {r.group for r in divided}
    }

    assert [140, 40, 20] == [of_many.count(name) for name in ("train", "test", "val")]
    assert {"train"} == {r.split for r in divided if r.source == "single"}
    assert {"pool"} == {r.split for r in divided if r.source == "unknown"}
    assert all(len(names) == 1 for names in splits.values())
    assert divided == divide_pool([*many, *single, *unknown], {"gan"})
    assert divided == divide_pool(divided, {"gan"})


def test_sources_share_their_groups() -> None:
    """A prompt that two generators were given is on one side for both."""
    prompts = [f"prompt {i}" for i in range(50)]
    divided = divide_pool([*_pool("a", prompts), *_pool("b", prompts[::-1])], {"gan"})

    for prompt in prompts:
        assert 1 == len({r.split for r in divided if r.group == prompt})


def test_records_that_are_written_are_read_again(tmp_path: Path) -> None:
    """All of each, with a pair and without."""
    common = {"family": "gan", "source": "s", "group": "g", "split": "val"}
    records = [
        Record(path=tmp_path / "0_real/a.png", label=REAL, generator="real", **common),
        Record(path=tmp_path / "b.png", label=FAKE, generator="vae", pair="p", **common),
    ]
    write_records(tmp_path, records)

    assert records == read_records(tmp_path)
