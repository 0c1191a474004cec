"""Data sets as lists of records: a manifest of our own form, or the field's ForenSynths folders."""

import csv
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from detector.image import EXTENSIONS
from detector.labels import FAKE, REAL

MANIFEST = "manifest.csv"
SPLITS = ("train", "val", "test", "pool")
SHARES = {"train": 0.7, "test": 0.2, "val": 0.1}
"""Of the images of a source of the pool whose generator is learned."""
_COLUMNS = ("path", "label", "generator", "family", "source", "group_id", "split")
_PAIR = "pair_id"
"""The one column that a manifest need not have."""
_SUFFIXES = {suffix for suffixes in EXTENSIONS.values() for suffix in suffixes}
_CLASS_FOLDERS = {"0_real": REAL, "1_fake": FAKE}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One image file and what is known about it."""

    path: Path
    label: int
    generator: str
    """Name of what made the image; `real` for photographs."""
    family: str
    """gan, diffusion, vq, ...; `real` for photographs."""
    source: str
    """The data set it came from."""
    group: str
    """Images that must stay on one side of any split, such as a photo and what was made from it."""
    split: str
    """One of SPLITS; `pool` is not assigned to any until `divide_pool` does it."""
    pair: str = ""
    """Shared by a photograph and the image made from it; empty for images that stand alone."""


def read_records(root: Path) -> list[Record]:
    """Read a data folder: by its manifest.csv when it has one, else by its 0_real and 1_fake folders.

    Raises ValueError when there is neither, or when no image is found.
    """
    has_manifest = (root / MANIFEST).is_file()
    records = _read_manifest(root) if has_manifest else _read_forensynths(root)
    if not records:
        raise ValueError(f"No images in {root}: expected {MANIFEST}, or folders 0_real and 1_fake.")
    return records


def read_unmet(folders: Iterable[Path]) -> list[Record]:
    """The records of folders from which nothing is learned.

    Raises ValueError as `read_records` does, and when a folder has images of the splits train or val.
    """
    found = []
    for folder in folders:
        records = read_records(folder)
        if any(r.split in {"train", "val"} for r in records):
            raise ValueError(f"{folder} has images to learn from; what is never met has none")
        found += records
    return found


def write_records(root: Path, records: Iterable[Record]) -> None:
    """Write the manifest.csv from which `read_records` reads these, whose files lie below `root`."""
    with (root / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*_COLUMNS, _PAIR))
        writer.writerows(
            (
                *(r.path.relative_to(root).as_posix(), r.label, r.generator, r.family),
                *(r.source, r.group, r.split, r.pair),
            )
            for r in records
        )


def with_fakes_of(
    records: list[Record], generators: Container[str], sources_of_reals: Iterable[str] = ()
) -> list[Record]:
    """The fakes of these generators, and the photographs of their sources and of `sources_of_reals`."""
    sources = {r.source for r in records if r.generator in generators} | set(sources_of_reals)
    return [
        r for r in records if r.source in sources and (r.label == REAL or r.generator in generators)
    ]


def divide_pool(records: list[Record], learned: Container[str]) -> list[Record]:
    """The same, with the pool's sources of these generators divided into train, val and test by whole groups.

    Always alike for the same records. A group that several of these sources share stays on one side; a source
    that is one group is of train as a whole. What stays in the pool may share groups with what is learned.
    """
    sources = {r.source for r in records if r.split == "pool" and r.generator in learned}
    splits: dict[str, str] = {}
    for source in sorted(sources):
        sizes = Counter(r.group for r in records if r.source == source)
        wanted = {split: share * sizes.total() for split, share in SHARES.items()}
        for group, size in sorted(sizes.items(), key=lambda item: (-item[1], _digest(item[0]))):
            split = splits.setdefault(group, max(wanted, key=lambda name: wanted[name]))
            wanted[split] -= size
    return [
        dataclasses.replace(r, split=splits[r.group]) if r.source in sources else r for r in records
    ]


def data_sha256(records: list[Record]) -> str:
    """A hash that changes when a record is added or lost, or when its label, split or file size changes."""
    rows = sorted(
        f"{r.source}/{r.path.name}\t{r.label}\t{r.split}\t{r.path.stat().st_size}\n"
        for r in records
    )
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_manifest(root: Path) -> list[Record]:
    with (root / MANIFEST).open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        absent = set(_COLUMNS) - set(rows.fieldnames or [])
        if absent:
            raise ValueError(f"{root / MANIFEST} has no column {', '.join(sorted(absent))}")
        return [
            Record(
                path=root / row["path"],
                label=int(row["label"]),
                generator=row["generator"] if int(row["label"]) == FAKE else "real",
                family=row["family"],
                source=row["source"],
                group=row["group_id"],
                split=row["split"],
                pair=row.get(_PAIR, ""),
            )
            for row in rows
        ]


def _read_forensynths(root: Path) -> list[Record]:
    """`[split/][generator/][class/]0_real|1_fake/image`, as Wang et al. (CVPR 2020) lay out their sets.

    Their `progan_train/class/...` and `progan_val/class/...` are read as those splits of `progan`. Without a
    split, images are of `test`.
    """
    records = []
    for folder in sorted(path for path in [root, *root.rglob("*")] if path.name in _CLASS_FOLDERS):
        label = _CLASS_FOLDERS[folder.name]
        split, source = _split_and_source(folder.relative_to(root).parts[:-1])
        source = source or root.resolve().name
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in _SUFFIXES:
                name = path.relative_to(root).as_posix()
                records.append(
                    Record(
                        path=path,
                        label=label,
                        generator=source if label == FAKE else "real",
                        family="unknown" if label == FAKE else "real",
                        source=source,
                        group=name,
                        split=split,
                    )
                )
    return records


def _split_and_source(parts: tuple[str, ...]) -> tuple[str, str]:
    """Of the folders above 0_real and 1_fake; the source is empty where none names it."""
    first = parts[0] if parts else ""
    name, _, split = first.rpartition("_")
    if split not in {"train", "val", "test"}:
        return "test", first
    return split, name or "".join(parts[1:2])
