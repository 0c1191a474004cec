"""Training images in shards."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from training import shards
from training.augment import AugmentSpec
from training.dataset import PairDataset, StepSampler
from training.recipes import RECIPES, Match, Phase, Recipe
from training.records import Record
from training.shards import ShardedPairs, main, read_shard, write_shards

PLAIN = AugmentSpec(untouched=1.0, hard_real=0.0)
PHASE = Phase(crop_size=32, steps=6, pairs_per_step=2, mix={"vae": 1.0}, augment=PLAIN)
RECIPE = Recipe(name="test", phases=(PHASE,))


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    """Sixteen photographs of one grey each, and what was made from each."""
    records = []
    for i in range(16):
        for label, generator in ((0, "real"), (1, "vae")):
            path = tmp_path / f"{i}_{generator}.png"
            Image.new("RGB", (60, 60), (10 * i, 10 * i, 0 if label else 200)).save(path)
            records.append(_record(path, label=label, generator=generator, pair=str(i)))
    return records


def _record(path: Path, *, label: int, generator: str, source: str = "s", pair: str = "") -> Record:
    return Record(
        path=path, label=label, generator=generator, family="f", source=source,
        group=pair or path.name, split="train", pair=pair,
    )  # fmt: skip


def _singles(folder: Path, n: int, *, label: int, generator: str, source: str) -> list[Record]:
    """Images that stand alone."""
    records = []
    for i in range(n):
        path = folder / f"{source}_{generator}{i}.png"
        Image.new("RGB", (60, 60)).save(path)
        records.append(_record(path, label=label, generator=generator, source=source))
    return records


def _pattern(folder: Path, last: int) -> str:
    return f"{folder}/shard-{{000000..{last:06}}}.tar"


def test_shards_hold_every_file_byte_for_byte(records: list[Record], tmp_path: Path) -> None:
    """With all that is known about it; both halves of a pair lie in one shard."""
    assert [] == write_shards(records, RECIPE, tmp_path / "out", per_shard=10, seed=0)
    found: dict[str, tuple[Record, bytes]] = {}
    for path in sorted((tmp_path / "out").iterdir()):
        inside = list(read_shard(str(path)))
        pairs = [record.pair for record, _ in inside]
        assert all(2 == pairs.count(pair) for pair in pairs)
        found |= {record.path.name: (record, data) for record, data in inside}

    assert len(records) == len(found)
    for record in records:
        same, data = found[record.path.name]
        assert record.path.read_bytes() == data
        assert record == dataclasses.replace(same, path=record.path)


def test_the_same_seed_writes_the_same_shards(records: list[Record], tmp_path: Path) -> None:
    """To the byte; another seed orders them otherwise."""
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_shards(records, RECIPE, tmp_path / name, per_shard=10, seed=seed)
    a, b, c = ((tmp_path / name / "shard-000000.tar").read_bytes() for name in "abc")

    assert a == b
    assert a != c


def test_each_shard_is_a_fair_sample(
    records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each generator and source it has as many images as any other, but for one; so no window lacks any."""
    monkeypatch.setattr(shards, "STEPS_PER_WINDOW", 1)
    monkeypatch.setattr(shards, "SHARDS_AT_ONCE", 1)
    records += _singles(tmp_path, 7, label=1, generator="rare", source="s")
    records += _singles(tmp_path, 13, label=0, generator="real", source="t")
    phase = dataclasses.replace(PHASE, steps=12, mix={"vae": 0.5, "rare": 0.5})
    recipe = dataclasses.replace(RECIPE, phases=(phase,), matches={"rare": Match(sources=("t",))})
    write_shards(records, recipe, tmp_path / "out", per_shard=9, seed=0)
    pairs = ShardedPairs(_pattern(tmp_path / "out", 5), recipe)
    kinds = [
        Counter((r.generator, r.source) for r, _ in read_shard(str(url))) for url in pairs.urls
    ]

    for kind in (("vae", "s"), ("real", "s"), ("rare", "s"), ("real", "t")):
        counts = [found[kind] for found in kinds]
        assert max(counts) - min(counts) <= 1, kind
    for step in range(phase.steps):
        assert (2, 32, 32, 3) == pairs[step, 0][0].shape


@pytest.mark.parametrize(("images", "photographs"), [(5, 13), (13, 5)])
def test_a_generator_of_too_few_images_is_refused(
    images: int, photographs: int, records: list[Record], tmp_path: Path
) -> None:
    """By its name, before a shard is written; also when it is its photographs that are too few."""
    records += _singles(tmp_path, images, label=1, generator="rare", source="t")
    records += _singles(tmp_path, photographs, label=0, generator="real", source="t")
    phase = dataclasses.replace(PHASE, mix={"vae": 0.5, "rare": 0.5})
    recipe = dataclasses.replace(RECIPE, phases=(phase,))
    with pytest.raises(ValueError, match=f"'rare' has too few .*{images} in all.* 6 shards"):
        write_shards(records, recipe, tmp_path / "out", per_shard=9, seed=0)

    assert not (tmp_path / "out").exists()


def test_pairs_come_as_from_a_folder(records: list[Record], tmp_path: Path) -> None:
    """A photograph with what was made from it, at the size of the phase."""
    write_shards(records, RECIPE, tmp_path / "out", per_shard=10, seed=0)
    pairs = ShardedPairs(_pattern(tmp_path / "out", 3), RECIPE)
    folder = PairDataset(records, RECIPE)

    assert 4 == len(pairs.urls)
    for place in range(8):
        crops, labels = pairs[0, place]
        assert folder[0, place][0].shape == crops.shape
        assert torch.equal(folder[0, place][1], labels)
        assert crops[0, 0, 0, 0] == crops[1, 0, 0, 0]
        assert (200, 0) == (int(crops[0, 0, 0, 2]), int(crops[1, 0, 0, 2]))


def test_items_depend_on_their_place_alone(
    records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also across windows: a stopped run goes on with what a whole one sees, whatever its workers."""
    monkeypatch.setattr(shards, "STEPS_PER_WINDOW", 2)
    monkeypatch.setattr(shards, "SHARDS_AT_ONCE", 1)
    write_shards(records, RECIPE, tmp_path / "out", per_shard=10, seed=0)
    pattern = _pattern(tmp_path / "out", 3)

    def batches(start: int, workers: int) -> list[torch.Tensor]:
        return [
            crops
            for crops, _ in DataLoader(
                ShardedPairs(pattern, RECIPE),
                batch_sampler=StepSampler(RECIPE, start),
                num_workers=workers,
            )
        ]

    whole = batches(0, 0)
    assert all(map(torch.equal, whole[3:], batches(3, 2)))
    seen = {int(grey) for crops in whole for grey in np.unique(crops[:, 0, 0, 0, 0])}
    assert len(seen) > 4


def test_each_pass_sees_each_shard_once() -> None:
    """In an order of its own."""
    pairs = ShardedPairs("shard-{0..7}.tar", RECIPE)
    first, second = ([*pairs.urls_of(i), *pairs.urls_of(i + 1)] for i in (0, 2))

    assert sorted(pairs.urls) == sorted(first) == sorted(second)
    assert first != second


def test_a_recipe_of_so_many_images_needs_the_whole_set() -> None:
    """Each window would draw as many again."""
    with pytest.raises(ValueError, match="whole set"):
        ShardedPairs("x.tar", dataclasses.replace(RECIPE, images=4))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pool of one pair to learn, a broken photograph, an image to test, and one of another generator."""
    monkeypatch.setitem(RECIPES, "test", lambda: RECIPE)
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        "path,label,generator,family,source,group_id,split",
        "0.png,0,real,real,p,one,pool",
        "1.png,1,vae,f,p,one,pool",
        "2.png,0,real,real,s,2,train",
        "3.png,1,vae,f,s,3,test",
        "4.png,1,other,f,s,4,train",
    ]
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    for i in range(5):
        Image.new("RGB", (60, 60)).save(folder / f"{i}.png")
    (folder / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return folder


def _command(monkeypatch: pytest.MonkeyPatch, data: Path, out: Path, *more: str) -> None:
    monkeypatch.setattr(
        "sys.argv", ["shards", "--recipe", "test", "--data", str(data), "--out", str(out), *more]
    )
    main()


def test_the_command_names_what_it_leaves_out(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what is learned is written; a file that cannot be decoded is named and counted."""
    _command(monkeypatch, data, tmp_path / "out")
    out = capsys.readouterr().out

    written = [r.path.name for r, _ in read_shard(str(tmp_path / "out" / "shard-000000.tar"))]
    assert ["0.png", "1.png"] == sorted(written)
    assert "could not decode 2.png" in out
    assert "wrote 2 images; 1 could not be decoded" in out


def test_the_command_refuses_shards_that_are_too_small(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and status 2."""
    with pytest.raises(SystemExit, match="2"):
        _command(monkeypatch, data, tmp_path / "out", "--per-shard", "1")
    assert "'vae' has too few images" in capsys.readouterr().err
