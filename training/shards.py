"""Training images as WebDataset shards, for sets that do not fit on one disk.

    python -m training.shards --recipe NAME --data FOLDER [--data FOLDER ...] --out FOLDER [--per-shard 2000]
    python -m training.train --shards "https://.../shard-{000000..000041}.tar" --data VALIDATION ...

Each shard is a fair sample of the whole: the images of each generator and source are dealt out in turn, and a
photograph and what was made from it stay together. While a window of steps lasts, pairs are drawn from a few
shards as `PairDataset` draws them, so that a stopped run goes on exactly where it was here, too.

Each worker of the loader holds the window's shards on its own, decoded: at most 1.2 MB an image, which is up to
10 GB a worker for 4 shards of 2000 images.
"""

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import webdataset
from rich.progress import track
from torch import Tensor
from torch.utils.data import Dataset
from webdataset.shardlists import expand_urls
from webdataset.tariterators import group_by_keys, tar_file_expander

from detector.labels import FAKE, REAL
from training.dataset import TRAINING_LIMITS, PairDataset
from training.recipes import RECIPES, Recipe
from training.records import Record, divide_pool, read_records, with_fakes_of
from training.scoring import readable

SHARDS_AT_ONCE = 4
STEPS_PER_WINDOW = 200


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--recipe",
        choices=sorted(RECIPES),
        required=True,
        help="the pool of its generators is divided now, since a shard does not know the whole of it",
    )
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--per-shard", type=int, default=2000, help="images, about")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    recipe = RECIPES[args.recipe]()
    try:
        records = [r for folder in args.data for r in read_records(folder)]
        divided = divide_pool(records, recipe.generators)
        known = with_fakes_of(divided, recipe.generators, recipe.sources_matched)
        learned = [r for r in known if r.split == "train"]
        failures = write_shards(learned, recipe, args.out, per_shard=args.per_shard, seed=args.seed)
    except ValueError as error:
        parser.error(str(error))
    print(f"wrote {len(learned) - len(failures)} images; {len(failures)} could not be decoded")


def write_shards(
    records: list[Record], recipe: Recipe, out: Path, *, per_shard: int, seed: int
) -> list[str]:
    """Write `shard-000000.tar` and so on; the names of files that could not be decoded, with the reason.

    Images are stored byte for byte, each with a JSON of what is known about it.

    Raises ValueError, and writes nothing, when a shard would lack a generator of the recipe: then a window could.
    """
    decoded, failures = readable(records, TRAINING_LIMITS)
    shards = deal(decoded, max(1, -(-len(decoded) // per_shard)), seed)
    _check_each(shards, recipe)
    out.mkdir(parents=True, exist_ok=True)
    for number, members in enumerate(track(shards, description="writing shards")):
        with webdataset.TarWriter(
            str(out / f"shard-{number:06}.tar"), encoder=False, mtime=0, format="PAX_FORMAT"
        ) as tar:
            for place, record in enumerate(members):
                known = {**dataclasses.asdict(record), "path": record.path.name}
                suffix = record.path.suffix.lower().removeprefix(".")
                tar.write(
                    {
                        "__key__": f"{number:06}-{place:06}",
                        suffix: record.path.read_bytes(),
                        "json": json.dumps(known).encode(),
                    }
                )
    return failures


def deal(records: list[Record], shards: int, seed: int) -> list[list[Record]]:
    """Into so many shards, of which each gets its share of the images of each generator and source.

    A photograph and what was made from it are dealt as one, and each kind of such units evenly.
    """
    together: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        together[f"pair {record.pair}" if record.pair else f"path {record.path}"].append(record)
    units = list(together.values())
    shuffled = [units[i] for i in np.random.default_rng(seed).permutation(len(units))]
    in_turn = sorted(shuffled, key=_kind)
    return [[r for unit in in_turn[number::shards] for r in unit] for number in range(shards)]


def _kind(unit: list[Record]) -> list[tuple[int, str, str]]:
    """Units of a generator sort next to each other, whether they hold a photograph or not."""
    return sorted((-r.label, r.generator, r.source) for r in unit)


def _check_each(shards: list[list[Record]], recipe: Recipe) -> None:
    """Raises ValueError unless `PairDataset` finds in each shard an image of each generator, with photographs."""
    for members in shards:
        sources = {r.source for r in members if r.label == REAL}
        for name in recipe.generators:
            match = recipe.matches.get(name)
            usable = any(
                r.label == FAKE
                and r.generator == name
                and sources.issuperset(match.sources if match else (r.source,))
                for r in members
            )
            if not usable:
                n = sum(r.generator == name for dealt in shards for r in dealt)
                raise ValueError(
                    f"{name!r} has too few images with photographs beside them ({n} in all) for one in each of "
                    f"{len(shards)} shards; write larger shards"
                )


def read_shard(url: str) -> Iterator[tuple[Record, bytes]]:
    """Each record with its file's bytes; `path` is only a name that no other record has.

    `url` is whatever webdataset reads: a path, http(s):, or pipe: with a command.
    """
    with webdataset.gopen(url) as stream:
        for sample in group_by_keys(tar_file_expander([{"url": url, "stream": stream}])):
            known = json.loads(sample["json"])
            name = Path(known["path"])
            path = Path(url) / sample["__key__"] / name
            yield Record(**{**known, "path": path}), sample[name.suffix.lower().removeprefix(".")]


class ShardedPairs(Dataset[tuple[Tensor, Tensor]]):
    """Items as those of `PairDataset`, each from the shards of its step's window.

    `failures` stays empty: what cannot be decoded never got into a shard.

    Raises ValueError for a recipe that draws a number of images from the whole set.
    """

    def __init__(self, pattern: str, recipe: Recipe) -> None:
        """`pattern` may hold braces: `shard-{000000..000041}.tar`."""
        if recipe.images is not None:
            raise ValueError(
                f"Recipe {recipe.name!r} draws its images from a whole set, not shards"
            )
        self.pattern = pattern
        self.urls: Sequence[str] = expand_urls(pattern)
        self.recipe = recipe
        self.failures: Sequence[str] = ()
        self._window: int | None = None
        self._pairs: PairDataset | None = None

    def seen_by(self, recipe: Recipe) -> Self:
        """The same shards, drawn as another recipe of the same generators draws them."""
        return type(self)(self.pattern, recipe)

    def __getitem__(self, place: tuple[int, int]) -> tuple[Tensor, Tensor]:
        return self._pairs_of(place)[place]

    def _pairs_of(self, place: tuple[int, int]) -> PairDataset:
        window = place[0] // STEPS_PER_WINDOW
        if self._pairs is None or window != self._window:
            self._pairs = None  # frees the memory before the next images come
            self._pairs, self._window = self._load(window), window
        return self._pairs

    def urls_of(self, window: int) -> list[str]:
        """The shards go by in an order that is drawn anew for each pass."""
        count, passes = len(self.urls), {}
        chosen = []
        for i in range(window * SHARDS_AT_ONCE, (window + 1) * SHARDS_AT_ONCE):
            number, within = divmod(i, count)
            if number not in passes:
                rng = np.random.default_rng([self.recipe.seed, number])
                passes[number] = rng.permutation(count)
            chosen.append(self.urls[passes[number][within]])
        return list(dict.fromkeys(chosen))

    def _load(self, window: int) -> PairDataset:
        found = dict(pair for url in self.urls_of(window) for pair in read_shard(url))
        pairs = PairDataset(list(found), self.recipe, read=found.__getitem__)
        if pairs.failures:
            raise ValueError(f"Damaged shard: {pairs.failures[0]}")
        return pairs


if __name__ == "__main__":
    main()
