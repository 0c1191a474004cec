"""The command line: `asli detect FILES…` and `asli model`."""

import argparse
import dataclasses
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from detector.analysis import MODEL_PATH, REPORT_PATH, Analysis, Detector
from detector.errors import DetectorError, ModelLoadError
from detector.image import EXTENSIONS
from detector.video_container import VIDEO_EXTENSIONS

ALL_ANALYSED, SOME_FAILED, WRONG_USAGE = 0, 1, 2

HEADLINES = {
    "likely_ai": "signs of AI generation found",
    "inconclusive": "can't tell",
    "no_ai_signs_found": "no signs of AI generation found",
    "not_applicable": "not made for this file",
}
CAVEAT = "Do not use this alone to accuse, reject, pay or punish anyone."

_SUFFIXES = {suffix for suffixes in (EXTENSIONS | VIDEO_EXTENSIONS).values() for suffix in suffixes}


@dataclass(frozen=True)
class Failure:
    """Why a file was not analysed."""

    code: str
    detail: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        detector = Detector.load(args.model, args.report, trust_anchors_path=args.trust_anchors)
    except ModelLoadError as error:
        parser.exit(SOME_FAILED, f"asli: {error}\n")
    if args.command == "model":
        print(json.dumps({**vars_of(detector), "evaluation": detector.report.values}, indent=1))
        return ALL_ANALYSED
    return _detect(detector, _files(args.files, parser), as_json=args.json)


def vars_of(detector: Detector) -> dict[str, object]:
    """What `asli model` says of the model itself."""
    manifest = json.loads(detector.manifest.to_json())
    return {"weights_sha256": detector.model.weights_sha256, **manifest}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asli",
        description="Does an image or a video show signs of having been made by AI?",
        epilog=CAVEAT,
    )
    parser.add_argument("--model", type=Path, default=MODEL_PATH, help="another model file")
    parser.add_argument("--report", type=Path, default=REPORT_PATH, help="its evaluation report")
    parser.add_argument(
        "--trust-anchors",
        type=Path,
        metavar="FILE",
        help="certificates (PEM) whose signatures on a file's origin are trusted; by default none",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    detect = commands.add_parser(
        "detect",
        help="analyse images and videos",
        description="Analyse images and videos. Of a folder, all in it and below.",
        epilog="Exit status: 0 when every file was analysed, 1 when some could not be, 2 on wrong usage.",
    )
    detect.add_argument("files", nargs="+", type=Path, metavar="FILE")
    detect.add_argument("--json", action="store_true", help="one JSON object per line")
    commands.add_parser("model", help="describe the model and its measured errors, as JSON")
    return parser


def _files(paths: Sequence[Path], parser: argparse.ArgumentParser) -> list[Path]:
    files = []
    for path in paths:
        if path.is_dir():
            found = sorted(
                p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file()
            )
            if not found:
                parser.error(f"no images or videos in the folder {path}")
            files += found
        else:
            files.append(path)
    return files


def _detect(detector: Detector, files: list[Path], *, as_json: bool) -> int:
    console = Console()
    table = Table("file", "verdict", "score", "detail", caption=CAVEAT, caption_justify="left")
    failed = 0
    for path, outcome in _analyse(detector, files):
        failed += isinstance(outcome, Failure)
        if as_json:
            print(json.dumps({"path": str(path), **_as_values(outcome)}), flush=True)
        else:
            table.add_row(*_as_row(path, outcome))
    if not as_json:
        console.print(table)
    return SOME_FAILED if failed else ALL_ANALYSED


def _analyse(detector: Detector, files: list[Path]) -> Iterator[tuple[Path, Analysis | Failure]]:
    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("analysing", total=len(files))
        for done, path in enumerate(files):

            def report(share: float, done: int = done) -> None:
                bar.update(task, completed=done + share)

            try:
                yield path, detector.analyze_file(path, progress=report)
            except DetectorError as error:
                yield path, Failure(error.code, str(error))
            except OSError as error:
                yield (
                    path,
                    Failure("unreadable_file", f"The file cannot be read: {error.strerror}."),
                )
            bar.update(task, completed=done + 1)


def _as_values(outcome: Analysis | Failure) -> dict[str, object]:
    if isinstance(outcome, Failure):
        return {"error": dataclasses.asdict(outcome)}
    return outcome.to_dict()


def _as_row(path: Path, outcome: Analysis | Failure) -> tuple[Text, str, str, str]:
    if isinstance(outcome, Failure):
        return Text(str(path)), "not analysed", "", escape(outcome.detail)
    score = (
        "" if outcome.pixel.score is None else f"{min(max(outcome.pixel.score, 0.01), 0.99):.2f}"
    )
    return Text(str(path)), HEADLINES[outcome.verdict], score, ", ".join(outcome.reasons)


def run() -> NoReturn:
    """The console script."""
    warnings.filterwarnings("ignore", module="PIL")  # odd metadata is no concern of the reader's
    sys.exit(main())


if __name__ == "__main__":
    run()
