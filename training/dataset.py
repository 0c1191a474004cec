"""Pairs of a photograph and an AI image, each a pure function of (recipe, step, place in the step).

A stopped run therefore goes on exactly where it was, whatever the number of loader workers.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from rich.progress import track
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from detector.errors import DetectorError
from detector.image import ImageLimits, decode_image
from detector.labels import FAKE, REAL
from training.augment import augment_pair, encode, resize_pair
from training.recipes import Phase, Recipe
from training.records import Record, with_fakes_of

_LONGEST_SIDE = 640
"""Images are cut to this in memory; all crops come from within."""


def load_pixels(data: bytes) -> np.ndarray:
    """uint8 [H, W, 3] of a file, read as serving reads it, cut to the middle _LONGEST_SIDE pixels.

    Raises DetectorError for what cannot be decoded.
    """
    image_HWC = np.asarray(decode_image(data, ImageLimits(min_side=32)).pixels)
    top, left = (max(side - _LONGEST_SIDE, 0) // 2 for side in image_HWC.shape[:2])
    return np.ascontiguousarray(image_HWC[top : top + _LONGEST_SIDE, left : left + _LONGEST_SIDE])


class PairDataset(Dataset[tuple[Tensor, Tensor]]):
    """Item (step, place) -> crops uint8 [2, S, S, 3] and labels float32 [2], the photograph first.

    A fake that was made from a photograph comes with that photograph; another with a random
    photograph of the same source, or of the one that the recipe matches to its generator. Images of
    the pool are learned like those of the train split when the recipe names their generator.
    `failures` names the files that could not be decoded.
    """

    def __init__(
        self,
        records: list[Record],
        recipe: Recipe,
        read: Callable[[Record], bytes] = lambda record: record.path.read_bytes(),
    ) -> None:
        self.recipe = recipe
        self.failures: list[str] = []
        self._images: dict[Path, np.ndarray] = {}
        self._matches = {name: match.source for name, match in recipe.matches.items()}
        learned = [
            r
            for r in with_fakes_of(records, recipe.generators, self._matches.values())
            if r.split in {"train", "pool"}
        ]
        if recipe.images is not None:
            learned = _draw(learned, recipe.images // 2, recipe.seed)
        for record in track(
            learned, description="reading images", disable=get_worker_info() is not None
        ):
            try:
                image_HWC = load_pixels(read(record))
            except DetectorError as error:
                self.failures.append(f"{record.path.name}: {error}")
                continue
            if record.generator in recipe.matches:
                image_HWC = _save_once(image_HWC, recipe.matches[record.generator].jpeg_quality)
            self._images[record.path] = image_HWC
        readable = [r for r in learned if r.path in self._images]

        self._reals = _group_by_source(r for r in readable if r.label == REAL)
        self._partner = {r.pair: r for r in readable if r.label == REAL and r.pair}
        self._fakes: dict[str, list[Record]] = defaultdict(list)
        for record in readable:
            if record.label == FAKE and self._source_of_reals(record) in self._reals:
                self._fakes[record.generator].append(record)
        absent = set(recipe.generators) - set(self._fakes)
        if absent:
            raise ValueError(
                f"No training images of {sorted(absent)} with photographs of the same source"
            )

    def seen_by(self, recipe: Recipe) -> Self:
        """The same images, drawn as another recipe of the same generators draws them."""
        other = copy.copy(self)
        other.recipe = recipe
        return other

    def __getitem__(self, place: tuple[int, int]) -> tuple[Tensor, Tensor]:
        step, index = place
        rng = np.random.default_rng([self.recipe.seed, step, index])
        phase = self.recipe.phase_at(step)
        names = sorted(phase.mix)
        fakes = self._fakes[names[rng.choice(len(names), p=[phase.mix[name] for name in names])]]
        labels = torch.tensor([REAL, FAKE], dtype=torch.float32)
        return torch.from_numpy(self._pair(fakes, phase, rng)), labels

    def _pair(self, fakes: list[Record], phase: Phase, rng: np.random.Generator) -> np.ndarray:
        """A photograph and an AI image, uint8 [2, S, S, 3]."""
        fake = fakes[rng.integers(len(fakes))]
        reals = self._reals[self._source_of_reals(fake)]
        real = self._partner.get(fake.pair) or reals[rng.integers(len(reals))]
        images = (self._images[real.path], self._images[fake.path])
        if self.recipe.whole_images:
            return np.stack(resize_pair(*images, phase.crop_size, rng))
        return np.stack(augment_pair(*images, phase.crop_size, phase.augment, rng))

    def _source_of_reals(self, fake: Record) -> str:
        return self._matches.get(fake.generator, fake.source)


class StepSampler:
    """Yields, for each step from `start`, the places of its pairs, or this process's share of them."""

    def __init__(self, recipe: Recipe, start: int, *, rank: int = 0, processes: int = 1) -> None:
        self.recipe, self.start, self.rank, self.processes = recipe, start, rank, processes

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.start, self.recipe.steps):
            pairs = self.recipe.phase_at(step).pairs_per_step
            yield [(step, index) for index in range(self.rank, pairs, self.processes)]

    def __len__(self) -> int:
        return self.recipe.steps - self.start


def _draw(records: list[Record], n: int, seed: int) -> list[Record]:
    """Up to `n` photographs and `n` AI images, by chance."""
    rng = np.random.default_rng(seed)
    drawn = []
    for label in (REAL, FAKE):
        of_class = [r for r in records if r.label == label]
        chosen = rng.permutation(len(of_class))[:n]
        drawn += [of_class[i] for i in sorted(chosen)]
    return drawn


def _save_once(image_HWC: np.ndarray, jpeg_quality: int) -> np.ndarray:
    image = Image.fromarray(image_HWC)
    return np.asarray(encode(image, "JPEG", quality=jpeg_quality, subsampling="4:2:0"))


def _group_by_source(records: Iterator[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.source].append(record)
    return groups
