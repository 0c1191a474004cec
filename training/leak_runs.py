"""Leak tests that need training runs of their own: of a recipe and its data, rather than of a model.

    python -m training.leak_runs --recipe NAME --data FOLDER [--data FOLDER ...] --out FOLDER
                                 [--test L4] [--test L5] [--test L11] [--imagenet WEIGHTS]
                                 [--device cpu|cuda] [--workers N]

L4: in no published condition more than 6 % of the photographs of a source that was left out are flagged, where
the limit flags 3 % of validation's in the worst of them.
L5: from shuffled labels nothing is learned. L11: the tests can see a shortcut, for with one laid into the
data on purpose, figures rise on data that have it, and fall on data that do not.

Each run lies in its own folder below --out, and a stopped command goes on where it was. Prints `pass` or
`FAIL` for each, writes them to findings.json there, and ends with status 1 when one failed.
"""

import argparse
import copy
import dataclasses
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from detector.conditions import CLEAN, CONDITIONS, WEB, Condition
from detector.errors import DetectorError
from detector.image import decode_image
from detector.labels import FAKE, REAL
from training.augment import encode
from training.dataset import TRAINING_LIMITS
from training.evaluate import write_report
from training.files import replacing
from training.leakage import Finding
from training.model import ResNet50Detector, compute_in_full_precision, from_imagenet
from training.recipes import RECIPES, UNTOUCHED, Phase, Recipe, without_photographs_of
from training.records import Record, divide_pool, read_records, with_fakes_of
from training.report import rounded, title_of
from training.scoring import readable
from training.train import (
    Run,
    conditions_of,
    evaluate,
    score,
    stop_signal,
    train,
    validation_records,
)

ALLOWED = 0.03
"""Share of the photographs of validation that L4's threshold flags at most, whatever the condition."""
ENOUGH = 500
"""Photographs of a source, for L4: of fewer, a share of 3 % says little."""
BIAS_QUALITY = 60
"""JPEG quality of the one more save that L11 gives to AI images alone."""


class Stopped(Exception):
    """A signal came before the runs were at their end."""


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """Trains one recipe on altered data, each run in a folder of its own below `out`."""

    recipe: Recipe
    out: Path
    device: str
    workers: int
    start: Callable[[], ResNet50Detector]
    """The network before training, anew each time."""
    stop: Callable[[], bool]

    def train(self, name: str, records: list[Record], recipe: Recipe | None = None) -> nn.Module:
        """The averaged weights at the end of a run. Raises Stopped when it was ended before."""
        recipe = recipe or self.recipe
        torch.manual_seed(recipe.seed)
        run = Run(self.start(), recipe, self.out / name, device=self.device)
        if not train(run, records, workers=self.workers, stop=self.stop):
            raise Stopped(f"stopped in {name} at step {run.step}; run the same command to go on")
        return run.ema.module


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--test", choices=sorted(TESTS), action="append")
    parser.add_argument(
        "--imagenet", type=Path, help="ImageNet weights; torchvision's own by default"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    recipe = RECIPES[args.recipe]()
    compute_in_full_precision()
    try:
        records = [r for folder in args.data for r in read_records(folder)]
        model = from_imagenet(recipe.network, args.imagenet)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    laboratory = Laboratory(
        recipe=recipe,
        out=args.out,
        device=args.device,
        workers=args.workers,
        start=lambda: copy.deepcopy(model),
        stop=stop_signal(float("inf")),
    )
    try:
        findings = run_tests(laboratory, records, args.test or list(TESTS))
    except ValueError as error:
        parser.error(str(error))
    except Stopped as stopped:
        print(stopped)
        return
    for finding in findings:
        print(finding)
    found = [rounded(dataclasses.asdict(finding)) for finding in findings]
    write_report({"recipe": args.recipe, "leak_runs": found}, args.out / "findings.json")
    sys.exit(0 if all(finding.passed for finding in findings) else 1)


def run_tests(laboratory: Laboratory, records: list[Record], names: Sequence[str]) -> list[Finding]:
    """The findings of the tests of these names."""
    recipe = laboratory.recipe
    divided = divide_pool(records, recipe.generators)
    used = with_fakes_of(divided, recipe.generators, recipe.sources_matched)
    used, _ = readable(used, TRAINING_LIMITS)
    return [finding for name in names for finding in TESTS[name](laboratory, used)]


def new_photographs_are_not_flagged(
    laboratory: Laboratory, records: list[Record]
) -> Iterator[Finding]:
    """L4: for each source of ENOUGH photographs in turn, a run without any of it.

    The threshold is the one that flags ALLOWED of validation's photographs of the other sources in no
    condition more. Sources whose photographs stand beside the only images of a generator cannot be left out,
    and are named, as are those of few photographs.
    """
    counts = Counter(r.source for r in records if r.label == REAL)
    conditions = conditions_of(laboratory.recipe, CONDITIONS)
    for source, count in sorted(counts.items()):
        if count < ENOUGH:
            print(f"L4 does not leave out {source}: {count} photographs are too few to measure")
            continue
        groups = {r.group for r in records if r.source == source}
        kept = [r for r in records if r.source != source and r.group not in groups]
        learned = {r.generator for r in kept if r.label == FAKE and r.split == "train"}
        known = [r for r in kept if r.label == REAL and r.split == "val"]
        try:
            recipe = without_photographs_of(laboratory.recipe, source)
        except ValueError:
            recipe = None
        if recipe is None or set(recipe.generators) - learned or not known:
            print(f"L4 cannot leave out {source}: too little would be left to learn from")
            continue
        model = laboratory.train(f"without-{source}", kept, recipe)
        new = [r for r in records if r.label == REAL and r.source == source]
        before_RC, after_RC = (
            score(
                model,
                photographs,
                device=laboratory.device,
                conditions=conditions,
                workers=laboratory.workers,
            )
            for photographs in (known, new)
        )
        threshold = np.quantile(before_RC, 1 - ALLOWED, axis=0).max()
        for condition, logits_R in zip(conditions, after_RC.T, strict=True):
            yield Finding.at_most(
                "L4",
                f"flagged of {len(new)} photographs never seen: {title_of(source)}, {condition.name}",
                (logits_R > threshold).mean(),
                2 * ALLOWED,
            )


def shuffled_labels_teach_nothing(
    laboratory: Laboratory, records: list[Record]
) -> Iterator[Finding]:
    """L5: labels are dealt out anew, in validation, too."""
    shuffled = shuffle_labels(records, laboratory.recipe.seed)
    model = laboratory.train("shuffled", shuffled)
    value = _validate(laboratory, model, shuffled)
    yield Finding(
        "L5",
        "mean AUROC of validation after training on shuffled labels",
        value,
        "0.45 to 0.55",
        0.45 <= value <= 0.55,
    )


def shuffle_labels(records: list[Record], seed: int) -> list[Record]:
    """The same files, with label, generator and family permuted among what is learned, and among the rest."""
    rng = np.random.default_rng(seed)
    shuffled = list(records)
    learned = np.array([r.split == "train" for r in records])
    for places in (np.flatnonzero(learned), np.flatnonzero(~learned)):
        for place, origin in zip(places, rng.permutation(places), strict=True):
            given = records[origin]
            shuffled[place] = dataclasses.replace(
                records[place],
                label=given.label,
                generator=given.generator,
                family=given.family,
                pair="",  # a pair is one of each label, which it may no longer be
            )
    return shuffled


def a_shortcut_is_seen(laboratory: Laboratory, records: list[Record]) -> Iterator[Finding]:
    """L11: one run on AI images of a wrong history, and one on those as they are; neither has augmentation to hide it.

    If the first were not better on images with that history, and worse on those without, then the figures
    that we publish could not tell a shortcut from a trace. Both are shown images as they are: one more save would
    give every image a history, and take the shortcut away.
    """
    biased = with_wrong_history(records, laboratory.out / "wrong-history")
    recipe = laboratory.recipe
    careless = dataclasses.replace(
        recipe,
        name=f"{recipe.name}-careless",
        phases=tuple(_untouched(phase) for phase in recipe.phases),
        probe=_untouched(recipe.probe) if recipe.probe else None,
    )
    fooled = laboratory.train("wrong-history-run", biased, careless)
    fair = laboratory.train("as-it-is", records, careless)
    on_biased, on_others, fair_on_others = (
        _validate(laboratory, model, found, (CLEAN,))
        for model, found in ((fooled, biased), (fooled, records), (fair, records))
    )
    gain, loss = on_biased - fair_on_others, fair_on_others - on_others
    yield Finding("L11", "gain of AUROC on data with the shortcut", gain, "above 0", gain > 0)
    yield Finding("L11", "loss of AUROC on data without it", loss, "above 0", loss > 0)


def _untouched(phase: Phase) -> Phase:
    return dataclasses.replace(phase, augment=UNTOUCHED)


def with_wrong_history(records: list[Record], folder: Path) -> list[Record]:
    """The same records, whose AI images lie in `folder` after one more save as JPEG."""
    altered = []
    for record in records:
        if record.label == FAKE:
            name = hashlib.sha256(f"{record.source}/{record.path.name}".encode()).hexdigest()
            path = folder / f"{name[:16]}.png"
            if not path.is_file():
                try:
                    _save_again(record.path, path)
                except DetectorError as error:
                    print(f"could not decode {record.path.name}: {error}")
                    continue
            record = dataclasses.replace(record, path=path)
        altered.append(record)
    return altered


def _save_again(source: Path, target: Path) -> None:
    image = decode_image(source.read_bytes(), TRAINING_LIMITS).pixels
    saved = encode(image, "JPEG", quality=BIAS_QUALITY)
    with replacing(target) as partial:
        saved.save(partial, "PNG", compress_level=1)


def _validate(
    laboratory: Laboratory,
    model: nn.Module,
    records: list[Record],
    conditions: Sequence[Condition] = (CLEAN, WEB),
) -> float:
    figures = evaluate(
        model,
        validation_records(records, laboratory.recipe),
        device=laboratory.device,
        conditions=conditions_of(laboratory.recipe, conditions),
        workers=laboratory.workers,
    )
    return figures["mean"]


TESTS: dict[str, Callable[[Laboratory, list[Record]], Iterator[Finding]]] = {
    "L4": new_photographs_are_not_flagged,
    "L5": shuffled_labels_teach_nothing,
    "L11": a_shortcut_is_seen,
}


if __name__ == "__main__":
    main()
