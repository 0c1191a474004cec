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
from rich.progress import track
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from detector.errors import DetectorError
from detector.image import ImageLimits, decode_image
from detector.labels import FAKE, REAL
from detector.preprocess import PreprocessSpec, shrink_to
from training.augment import augment_pair, resize_pair
from training.history import JpegTables, jpeg_tables, reduced, saved_like
from training.recipes import Phase, Recipe
from training.records import Record, divide_pool, with_fakes_of

SAVED_ALIKE = 0.6
"""Share of the pairs of a matched generator in which both images are saved once with the same tables; in the
others what has a JPEG history is reduced, so that neither has any. An AI image that has one of its own is reduced
in either case, as is its photograph."""

TRAINING_LIMITS = ImageLimits(min_side=32)
"""Of images to learn from; serving refuses those of less than 64 pixels."""
_LONGEST_SIDE = 640
"""Images are cut to this in memory; all crops come from within."""


def load_pixels(data: bytes) -> tuple[np.ndarray, bool]:
    """uint8 [H, W, 3] of a file, read and reduced as in serving, then cut to the middle _LONGEST_SIDE pixels.

    And whether it was reduced, which erases its JPEG grid. Raises DetectorError for what cannot be decoded.
    """
    image = decode_image(data, TRAINING_LIMITS).pixels
    shrunk = shrink_to(image, PreprocessSpec().max_long_side)
    image_HWC = np.asarray(shrunk)
    top, left = (max(side - _LONGEST_SIDE, 0) // 2 for side in image_HWC.shape[:2])
    middle_HWC = image_HWC[top : top + _LONGEST_SIDE, left : left + _LONGEST_SIDE]
    return np.ascontiguousarray(middle_HWC), shrunk is not image


class PairDataset(Dataset[tuple[Tensor, Tensor]]):
    """Item (step, place) -> crops uint8 [2, S, S, 3] and labels float32 [2], the photograph first.

    A fake that was made from a photograph comes with that photograph; another with a random
    photograph of the same source, or of one that the recipe matches to its generator, and then both are
    given the same history and size. `failures` names the files that could not be decoded.
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
        self._tables: dict[Path, JpegTables | None] = {}
        """Where pairs are matched; None where the pixels have no JPEG grid."""
        learned = [
            r
            for r in with_fakes_of(
                divide_pool(records, recipe.generators), recipe.generators, recipe.sources_matched
            )
            if r.split == "train"
        ]
        if recipe.images is not None:
            learned = _draw(learned, recipe.images // 2, recipe.seed)
        for record in track(
            learned, description="reading images", disable=get_worker_info() is not None
        ):
            data = read(record)
            try:
                self._images[record.path], was_reduced = load_pixels(data)
            except DetectorError as error:
                self.failures.append(f"{record.path.name}: {error}")
                continue
            if recipe.matches:
                self._tables[record.path] = None if was_reduced else jpeg_tables(data)
        readable = [r for r in learned if r.path in self._images]

        self._reals = _group_by_source(r for r in readable if r.label == REAL)
        self._partner = {r.pair: r for r in readable if r.label == REAL and r.pair}
        self._fakes: dict[str, list[Record]] = defaultdict(list)
        for record in readable:
            if record.label == FAKE and set(self._sources_of_reals(record)) <= set(self._reals):
                self._fakes[record.generator].append(record)
        absent = set(recipe.generators) - set(self._fakes)
        if absent:
            missing = recipe.sources_matched - set(self._reals)
            raise ValueError(
                f"No training images of {sorted(absent)} with photographs of "
                + (f"{sorted(missing)}" if missing else "the same source")
            )

    def seen_by(self, recipe: Recipe) -> Self:
        """The same images, drawn as another recipe of the same generators draws them."""
        other = copy.copy(self)
        other.recipe = recipe
        return other

    def __getitem__(self, place: tuple[int, int]) -> tuple[Tensor, Tensor]:
        real, fake, phase, rng = self._draw(place)
        images = (self._images[real.path], self._images[fake.path])
        labels = torch.tensor([REAL, FAKE], dtype=torch.float32)
        if self.recipe.whole_images:
            crops = resize_pair(*images, phase.crop_size, rng)
        else:
            if fake.generator in self.recipe.matches:
                tables = (self._tables[real.path], self._tables[fake.path])
                images = _with_one_history(images, tables, rng)
            crops = augment_pair(*images, phase.crop_size, phase.augment, rng)
        return torch.from_numpy(np.stack(crops)), labels

    def _draw(self, place: tuple[int, int]) -> tuple[Record, Record, Phase, np.random.Generator]:
        """The two images, and the generator of random numbers for all that is drawn after them."""
        step, index = place
        rng = np.random.default_rng([self.recipe.seed, step, index])
        phase = self.recipe.phase_at(step)
        names = sorted(phase.mix)
        fakes = self._fakes[names[rng.choice(len(names), p=[phase.mix[name] for name in names])]]
        fake = fakes[rng.integers(len(fakes))]
        sources = self._sources_of_reals(fake)
        reals = self._reals[sources[rng.integers(len(sources))]]
        real = self._partner.get(fake.pair) or reals[rng.integers(len(reals))]
        return real, fake, phase, rng

    def _sources_of_reals(self, fake: Record) -> tuple[str, ...]:
        match = self.recipe.matches.get(fake.generator)
        return match.sources if match else (fake.source,)


class StepSampler:
    """Yields, for each step from `start` to `end`, the places of its pairs, or this process's share of them.

    The recipe's last step is the end at the latest.
    """

    def __init__(
        self,
        recipe: Recipe,
        start: int,
        *,
        end: int | None = None,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.recipe, self.rank, self.processes = recipe, rank, processes
        self.steps = range(start, min(recipe.steps, end if end is not None else recipe.steps))

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in self.steps:
            pairs = self.recipe.phase_at(step).pairs_per_step
            yield [(step, index) for index in range(self.rank, pairs, self.processes)]

    def __len__(self) -> int:
        return len(self.steps)


def _draw(records: list[Record], n: int, seed: int) -> list[Record]:
    """Up to `n` photographs and `n` AI images, by chance."""
    rng = np.random.default_rng(seed)
    drawn = []
    for label in (REAL, FAKE):
        of_class = [r for r in records if r.label == label]
        chosen = rng.permutation(len(of_class))[:n]
        drawn += [of_class[i] for i in sorted(chosen)]
    return drawn


def _with_one_history(
    images: tuple[np.ndarray, np.ndarray],
    tables: tuple[JpegTables | None, JpegTables | None],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """A photograph and an AI image, both saved once with the same tables, or neither ever."""
    real_HWC, fake_HWC = images
    of_real, of_fake = tables
    saved = rng.random() < SAVED_ALIKE
    if of_fake is None:
        if saved:
            return real_HWC, saved_like(fake_HWC, of_real)
        return reduced(real_HWC, rng), fake_HWC
    both = (reduced(real_HWC, rng), reduced(fake_HWC, rng))
    return (saved_like(both[0], of_fake), saved_like(both[1], of_fake)) if saved else both


def _group_by_source(records: Iterator[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.source].append(record)
    return groups
