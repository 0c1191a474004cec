"""Pairs for training."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.augment import AugmentSpec
from training.dataset import PairDataset, StepSampler
from training.history import jpeg_tables
from training.recipes import Match, Phase, Recipe
from training.records import Record

PLAIN = AugmentSpec(untouched=1.0, hard_real=0.0)
RECIPE = Recipe(
    name="test",
    phases=(
        Phase(crop_size=64, steps=3, pairs_per_step=2, mix={"vae": 1.0}, augment=PLAIN),
        Phase(crop_size=96, steps=1, pairs_per_step=1, mix={"vae": 1.0}, augment=PLAIN),
    ),
)


def _records(folder: Path, n: int = 6) -> list[Record]:
    """Photographs of one grey each, and AI images that are the same grey with the blue channel at zero."""
    records = []
    for i in range(n):
        for label, generator in ((0, "real"), (1, "vae")):
            path = folder / f"{i}_{generator}.png"
            Image.new("RGB", (150, 150), (20 * i, 20 * i, 0 if label else 200)).save(path)
            records.append(
                Record(
                    path=path, label=label, generator=generator, family="", source="s", group=str(i),
                    split="train", pair=str(i),
                )
            )  # fmt: skip
    return records


def test_a_fake_comes_with_its_own_photograph(tmp_path: Path) -> None:
    """Both crops of a pair have the same grey, and the labels say which is which."""
    dataset = PairDataset(_records(tmp_path), RECIPE)
    for place in range(10):
        crops, labels = dataset[0, place]

        assert [0.0, 1.0] == labels.tolist()
        assert crops[0, 0, 0, 0] == crops[1, 0, 0, 0]
        assert (200, 0) == (int(crops[0, 0, 0, 2]), int(crops[1, 0, 0, 2]))


def test_items_depend_on_their_place_alone(tmp_path: Path) -> None:
    """A second data set gives the same crops, in any order."""
    records = _records(tmp_path)
    first, second = PairDataset(records, RECIPE), PairDataset(records, RECIPE)
    second[2, 1]

    assert torch.equal(first[1, 0][0], second[1, 0][0])


def test_the_crop_size_follows_the_phase(tmp_path: Path) -> None:
    """Small crops first, the larger ones at the end."""
    dataset = PairDataset(_records(tmp_path), RECIPE)

    assert [64, 64, 64, 96] == [dataset[step, 0][0].shape[1] for step in range(4)]


def test_a_recipe_takes_as_many_images_as_it_says(tmp_path: Path) -> None:
    """Half of them photographs, the same ones each time."""
    recipe = dataclasses.replace(RECIPE, images=4)
    records = _records(tmp_path, n=8)
    first, second = (
        sorted(path.name for path in PairDataset(records, recipe)._images) for _ in range(2)
    )

    assert 2 == sum(name.endswith("_real.png") for name in first)
    assert 2 == sum(name.endswith("_vae.png") for name in first)
    assert first == second


def test_a_recipe_can_see_images_whole(tmp_path: Path) -> None:
    """A border all around is in every crop."""
    records = _records(tmp_path)
    for record in records:
        pixels = np.asarray(Image.open(record.path)).copy()
        pixels[:, :20] = pixels[:, -20:] = (255, 0, 0)
        Image.fromarray(pixels).save(record.path)
    dataset = PairDataset(records, dataclasses.replace(RECIPE, whole_images=True))

    for place in range(4):
        crops, _ = dataset[0, place]
        assert (2, 64, 64, 3) == tuple(crops.shape)
        assert {(255, 0, 0)} == {tuple(crops[i, 30, x].tolist()) for i in (0, 1) for x in (1, 62)}


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """They are left out, counted, and not silently dropped."""
    records = _records(tmp_path)
    records[0].path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    dataset = PairDataset(records, RECIPE)

    assert 1 == len(dataset.failures)
    assert records[0].path.name in dataset.failures[0]
    assert dataset[0, 0][0].dtype == torch.uint8


def test_a_generator_without_images_is_refused(tmp_path: Path) -> None:
    """A recipe that asks for more than the data holds does not train on something else."""
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"vae": 0.5, "gan": 0.5})
    recipe = Recipe(name="x", phases=(phase,))

    with pytest.raises(ValueError, match="gan"):
        PairDataset(_records(tmp_path), recipe)


def test_a_generator_without_photographs_gets_those_it_is_matched_to(tmp_path: Path) -> None:
    """And both are given one history: saved as the photographs were, or reduced and never saved."""
    records = _records(tmp_path)
    for record in records:
        path = record.path.with_suffix(".jpg")
        Image.open(record.path).save(path, quality=75)
        records[records.index(record)] = dataclasses.replace(record, path=path)
    path = tmp_path / "alone.png"
    pattern = np.zeros((150, 150, 3), np.uint8)
    pattern[::2, ::2, 0] = pattern[1::2, 1::2, 2] = 255
    Image.fromarray(pattern).save(path)
    alone = dataclasses.replace(
        records[1], path=path, generator="gan", source="other", group="", split="pool", pair=""
    )
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"gan": 1.0}, augment=PLAIN)
    recipe = Recipe(name="x", phases=(phase,), matches={"gan": Match(sources=("s",))})
    dataset = PairDataset([*records, alone], recipe)
    most_red = []
    for place in range(30):
        crops, labels = dataset[0, place]

        assert [0.0, 1.0] == labels.tolist()
        assert abs(int(crops[0, 0, 0, 2]) - 200) < 8
        most_red.append(int(crops[1, :, :, 0].max()))

    saved = sum(red < 200 for red in most_red)
    assert 9 < saved < 27
    assert 255 == max(most_red)


def test_an_ai_image_that_is_a_jpeg_has_no_history_that_its_photograph_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are reduced, which erases their grids, and then saved as the AI image was, or not at all."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.jpg", quality=50)
    Image.fromarray(noise).save(tmp_path / "ai.jpg", quality=95)
    common = {"family": "", "group": "", "split": "train"}
    records = [
        Record(path=tmp_path / "photo.jpg", label=0, generator="real", source="web", **common),
        Record(path=tmp_path / "ai.jpg", label=1, generator="vae", source="s", **common),
    ]
    recipe = dataclasses.replace(RECIPE, matches={"vae": Match(sources=("web",))})
    done: list[tuple[str, object]] = []

    def note(image: np.ndarray, how: object) -> np.ndarray:
        done.append(("saved" if isinstance(how, dict) else "reduced", how))
        return image

    monkeypatch.setattr("training.dataset.saved_like", note)
    monkeypatch.setattr("training.dataset.reduced", note)
    dataset = PairDataset(records, recipe)
    seen = set()
    for index in range(20):
        done.clear()
        dataset[0, index]
        seen.add(tuple(name for name, _ in done))
        tables = jpeg_tables((tmp_path / "ai.jpg").read_bytes())
        assert all(how == tables for name, how in done if name == "saved")

    reduced = ("reduced", "reduced")
    assert {reduced, (*reduced, "saved", "saved")} == seen


@pytest.mark.parametrize(("side", "has_history"), [(1000, True), (1100, False)])
def test_a_photograph_that_serving_reduces_lends_no_jpeg_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, has_history: bool
) -> None:
    """Reducing erases its grid; an AI image saved with its tables would be the only one of the two that has one."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.jpg", quality=50)
    Image.fromarray(noise[:200, :200]).save(tmp_path / "ai.png")
    common = {"family": "", "group": "", "split": "train"}
    records = [
        Record(path=tmp_path / "photo.jpg", label=0, generator="real", source="web", **common),
        Record(path=tmp_path / "ai.png", label=1, generator="vae", source="s", **common),
    ]
    recipe = dataclasses.replace(RECIPE, matches={"vae": Match(sources=("web",))})
    lent: list[object] = []

    def keep(image: np.ndarray, tables: object) -> np.ndarray:
        lent.append(tables)
        return image

    monkeypatch.setattr("training.dataset.saved_like", keep)
    dataset = PairDataset(records, recipe)
    for index in range(20):
        dataset[0, index]

    assert 5 < len(lent) < 20
    assert {has_history} == {tables is not None for tables in lent}


def test_the_sampler_goes_on_where_a_run_stopped() -> None:
    """From step 2 on, it yields what a whole run yields from there."""
    assert list(StepSampler(RECIPE, 0))[2:] == list(StepSampler(RECIPE, 2))
    assert list(StepSampler(RECIPE, 0))[1:3] == list(StepSampler(RECIPE, 1, end=3))
    assert np.array_equal([2, 2, 2, 1], [len(batch) for batch in StepSampler(RECIPE, 0)])


def test_processes_share_the_pairs_of_a_step() -> None:
    """Each pair goes to one of them."""
    shares = [StepSampler(RECIPE, 0, rank=rank, processes=2) for rank in (0, 1)]

    for whole, first, second in zip(StepSampler(RECIPE, 0), *shares, strict=True):
        assert sorted(whole) == sorted([*first, *second])
