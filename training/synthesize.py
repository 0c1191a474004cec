"""Aligned pairs: a photograph and the same photograph passed through a pretrained decoder.

Both halves get the same size and the same JPEG history, so that only the decoder's trace tells them
apart (Rajan et al., "Aligned Datasets Improve Detection of Latent Diffusion-Generated Images", 2024).
Photographs of sources that have AI images of their own are left out. Half of the others are reduced
first, which erases their JPEG grid; the rest keep their native pixels, and the decoder's output is
saved once with the photograph's own JPEG tables.

    python -m training.synthesize --data FOLDER --weights FOLDER [--wheels FOLDER] --out FOLDER

Deterministic from --seed. Files that exist are kept, so a stopped run goes on where it was.
"""

import argparse
import dataclasses
import hashlib
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.progress import track

from detector.image import decode_image
from detector.labels import FAKE, REAL
from training.decoders import Reconstruct, load_taef2, load_vintage_cyclegan
from training.files import replacing
from training.history import JpegTables, jpeg_tables, reduced, saved_like
from training.model import compute_in_full_precision
from training.records import Record, read_records, write_records
from training.super_resolution import NETWORKS, load_super_resolution
from training.wheels import find_wheel

SIDE = 256
"""Longest side of a pair's crop, in pixels."""
SMALLEST_SIDE = 200
"""Of a photograph that was reduced, in pixels."""

_PACKAGES = {
    "vintage-cyclegan": "vintagify",
    **{name: network.package for name, network in NETWORKS.items()},
}
"""The package whose wheel holds each further decoder."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with photographs")
    parser.add_argument("--weights", type=Path, required=True, help="folder with the TAEF2 weights")
    parser.add_argument(
        "--wheels",
        type=Path,
        help="folder of wheels, each with further decoders: training/README.md",
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--splits", nargs="+", default=["train", "val"])
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        records = read_records(args.data)
        files = DecoderFiles(args.weights, args.wheels)
        if args.wheels and len(files.names) == 1:
            raise ValueError(f"{args.wheels} holds no wheel of {sorted(set(_PACKAGES.values()))}")
        print("decoders:", *files.names)
        files.load()  # what cannot be read is said here; a pool would start its workers anew for ever
    except (OSError, ValueError) as error:
        parser.error(str(error))
    has_fakes = {r.source for r in records if r.label == FAKE}
    photos = [
        r
        for r in records
        if r.label == REAL and r.source not in has_fakes and r.split in args.splits
    ]
    synthesize(
        photos,
        files,
        args.out,
        seed=args.seed,
        processes=args.processes,
    )


@dataclass(frozen=True)
class DecoderFiles:
    """Where the weights lie. A class and not a function, so that worker processes can receive it."""

    taef2: Path
    wheels: Path | None = None
    """Those that lie there decide which decoders there are beside TAEF2."""

    @property
    def names(self) -> list[str]:
        return [
            "taef2-recon",
            *(name for name, package in _PACKAGES.items() if self._wheel(package)),
        ]

    def load(self) -> dict[str, Reconstruct]:
        decoders = {"taef2-recon": load_taef2(self.taef2)}
        for name, package in _PACKAGES.items():
            if wheel := self._wheel(package):
                network = NETWORKS.get(name)
                decoders[name] = (
                    load_super_resolution(network, wheel)
                    if network
                    else load_vintage_cyclegan(wheel)
                )
        return decoders

    def _wheel(self, package: str) -> Path | None:
        return find_wheel(self.wheels, package) if self.wheels else None


def synthesize(
    photos: list[Record], files: DecoderFiles, out: Path, *, seed: int, processes: int
) -> None:
    """Write the pairs of all photographs and their manifest to `out`.

    The first decoder sees every photograph, each further one a quarter of them.
    """
    out.mkdir(parents=True, exist_ok=True)
    jobs = [_Job(photo, out, files.names, seed) for photo in photos]
    unfinished = [job for job in jobs if not job.is_done]
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, _start_worker, (files,)) as pool:
        for _ in track(
            pool.imap_unordered(_run, unfinished),
            description="aligned pairs",
            total=len(unfinished),
        ):
            pass
    write_records(out, (record for job in jobs for record in job.records))


class _Job:
    """One photograph and the files that are made from it."""

    def __init__(self, photo: Record, out: Path, decoders: list[str], seed: int) -> None:
        self.photo = photo
        self.key = hashlib.sha256(f"{seed}:{photo.group}:{photo.path.name}".encode()).digest()
        self.stem = self.key[:8].hex()
        drawn = {name: self.key[8 + i] % 4 == 0 for i, name in enumerate(_PACKAGES)}
        wanted = [name for i, name in enumerate(decoders) if i == 0 or drawn[name]]
        self.fakes = {name: out / f"{self.stem}_{name}.png" for name in wanted}
        self.real = out / f"{self.stem}_real.png"

    @property
    def is_done(self) -> bool:
        return all(path.is_file() for path in (self.real, *self.fakes.values()))

    @property
    def records(self) -> list[Record]:
        """The photograph as it was made ready, and what was made from it."""
        real = dataclasses.replace(
            self.photo, path=self.real, source=f"aligned_{self.photo.source}", pair=self.stem
        )
        return [
            real,
            *(
                dataclasses.replace(
                    real, path=path, label=FAKE, generator=name, family="reconstruction"
                )
                for name, path in self.fakes.items()
            ),
        ]


_decoders: dict[str, Reconstruct] = {}
"""Of a worker process."""


def _start_worker(files: DecoderFiles) -> None:
    torch.set_num_threads(1)
    compute_in_full_precision()
    _decoders.update(files.load())


def _run(job: _Job) -> None:
    """Write one photograph's files, each whole or not at all."""
    rng = np.random.default_rng(int.from_bytes(job.key[16:24], "big"))
    real, tables = _prepare(job.photo.path.read_bytes(), rng)
    for name, path in job.fakes.items():
        _save(saved_like(_decoders[name](real), tables), path)
    _save(real, job.real)


def _save(image_HWC: np.ndarray, path: Path) -> None:
    with replacing(path) as partial:
        Image.fromarray(image_HWC).save(partial, "PNG")


def _prepare(data: bytes, rng: np.random.Generator) -> tuple[np.ndarray, JpegTables | None]:
    """The photograph's crop as uint8 [H, W, 3], and its JPEG tables where its history was kept."""
    image_HWC = np.asarray(decode_image(data).pixels)
    shrunk = rng.random() < 0.5 and min(image_HWC.shape[:2]) > SIDE
    if shrunk:
        image_HWC = reduced(image_HWC, rng, smallest_side=SMALLEST_SIDE)
    height, width = (min(side, SIDE) // 8 * 8 for side in image_HWC.shape[:2])
    left = int(rng.integers((image_HWC.shape[1] - width) // 16 + 1)) * 16
    top = int(rng.integers((image_HWC.shape[0] - height) // 16 + 1)) * 16
    real = np.ascontiguousarray(image_HWC[top : top + height, left : left + width])
    return real, None if shrunk else jpeg_tables(data)


if __name__ == "__main__":
    main()
