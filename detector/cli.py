"""The command line: `asli detect FILES…` and `asli model`."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from detector.analysis import MODEL_PATH, REPORT_PATH, Detector
from detector.errors import DetectorError, ModelLoadError
from detector.image import EXTENSIONS
from detector.results_file import ResultsFile
from detector.video import Progress
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


Outcome = Mapping[str, Any] | Failure
"""An analysis as `Analysis.to_dict` gives it, or why there is none."""

Analyser = Callable[[Path, Progress], Outcome]
"""Analyses a file, and says on the way how much of it is done."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser, _ = build_parser()
    return run_here(parser.parse_args(arguments), parser)


def run_here(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Do what was asked with a model on this machine; returns the exit status."""
    try:
        detector = Detector.load(args.model, args.report, trust_anchors_path=args.trust_anchors)
    except ModelLoadError as error:
        parser.exit(SOME_FAILED, f"asli: {error}\n")
    if args.command == "model":
        print(json.dumps({**vars_of(detector), "evaluation": detector.report.values}, indent=1))
        return ALL_ANALYSED
    return detect_files(LocalAnalyser(detector), args, parser)


def vars_of(detector: Detector) -> dict[str, object]:
    """What `asli model` says of the model itself."""
    manifest = json.loads(detector.manifest.to_json())
    return {"weights_sha256": detector.model.weights_sha256, **manifest}


def build_parser() -> tuple[argparse.ArgumentParser, Commands]:
    """The parser, and its commands for others to add to."""
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
    detect.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="add the results to this file, as JSON lines, and skip what it already has",
    )
    commands.add_parser("model", help="describe the model and its measured errors, as JSON")
    return parser, commands


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


def detect_files(
    analyse: Analyser, args: argparse.Namespace, parser: argparse.ArgumentParser
) -> int:
    """Analyse the files and folders in `args` and say what came out; returns the exit status."""
    files = _files(args.files, parser)
    if args.out is not None:
        return _detect_into(args.out, analyse, files, parser)
    table = Table("file", "verdict", "score", "detail", caption=CAVEAT, caption_justify="left")
    failed = 0
    for path, outcome in _outcomes(analyse, files):
        failed += isinstance(outcome, Failure)
        if args.json:
            print(json.dumps({"path": str(path), **_as_values(outcome)}), flush=True)
        else:
            table.add_row(*_as_row(path, outcome))
    if not args.json:
        Console().print(table)
    return SOME_FAILED if failed else ALL_ANALYSED


def _detect_into(
    out: Path, analyse: Analyser, files: list[Path], parser: argparse.ArgumentParser
) -> int:
    failed = 0
    try:
        with ResultsFile(out) as results:
            missing = [path for path in files if not results.has(path)]
            for path, outcome in _outcomes(analyse, missing):
                failed += isinstance(outcome, Failure)
                results.add(path, _as_values(outcome))
    except OSError as error:
        parser.exit(WRONG_USAGE, f"asli: {out} cannot be written: {error.strerror}\n")
    done = len(missing) - failed
    skipped = len(files) - len(missing)
    print(f"{done} analysed, {failed} failed, {skipped} were in {out} already", file=sys.stderr)
    return SOME_FAILED if failed else ALL_ANALYSED


def _outcomes(analyse: Analyser, files: list[Path]) -> Iterator[tuple[Path, Outcome]]:
    errors = Console(stderr=True)
    with ProgressBar(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("analysing", total=len(files))
        for done, path in enumerate(files):

            def report(share: float, done: int = done) -> None:
                bar.update(task, completed=done + share)

            yield path, analyse(path, report)
            bar.update(task, completed=done + 1)


@dataclass(frozen=True)
class LocalAnalyser:
    """Analyses files with a model on this machine."""

    detector: Detector

    def __call__(self, path: Path, progress: Progress) -> Outcome:
        try:
            return self.detector.analyze_file(path, progress=progress).to_dict()
        except DetectorError as error:
            return Failure(error.code, str(error))
        except OSError as error:
            return Failure("unreadable_file", f"The file cannot be read: {error.strerror}.")


def _as_values(outcome: Outcome) -> Mapping[str, Any]:
    return {"error": dataclasses.asdict(outcome)} if isinstance(outcome, Failure) else outcome


def _as_row(path: Path, outcome: Outcome) -> tuple[Text, str, str, str]:
    if isinstance(outcome, Failure):
        return Text(str(path)), "not analysed", "", escape(outcome.detail)
    score = outcome["pixel"]["score"]
    shown = "" if score is None else f"{min(max(score, 0.01), 0.99):.2f}"
    return Text(str(path)), HEADLINES[outcome["verdict"]], shown, ", ".join(outcome["reasons"])
