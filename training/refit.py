"""Fits the head of a trained network once more, in closed form.

    python -m training.refit RUN/best.pt --data FOLDER [--data FOLDER ...] --out RUN/refit.pt [--start CHECKPOINT]

A head that was trained together with its features has learned what they know by heart. Fitted anew to crops
that are drawn otherwise, with a penalty, it carries over better to families of generators that were left out, and
more photographs of other sources get an answer. Generators that were left out of the run are left out here, too.

With --start, the checkpoint that the run began from, all weights are first taken half-way back to it: what a model
has learned last then costs it less of what it knew (Wortsman et al., "Robust fine-tuning of zero-shot models",
CVPR 2022).
"""

import argparse
import dataclasses
from pathlib import Path

import torch

from detector.errors import ModelLoadError
from training.dataset import PairDataset, StepSampler
from training.model import (
    ResNet50Detector,
    compute_in_full_precision,
    from_checkpoint,
    has_statistics,
    network_state,
)
from training.probe import collect_statistics, fit_head
from training.recipes import Recipe, recipe_named, without
from training.records import Record, read_records
from training.revision import revision
from training.train import save_atomically, step_loader


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="go half-way back to this checkpoint first")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    compute_in_full_precision()
    try:
        records = [r for folder in args.data for r in read_records(folder)]
        start = from_checkpoint(args.start).model if args.start else None
        refit(
            args.checkpoint,
            records,
            args.out,
            start=start,
            device=args.device,
            workers=args.workers,
        )
    except (ValueError, ModelLoadError) as error:
        parser.error(str(error))
    print(f"wrote {args.out}")


def refit(
    checkpoint: Path,
    records: list[Record],
    out: Path,
    *,
    start: ResNet50Detector | None = None,
    device: str,
    workers: int,
) -> None:
    """Write the checkpoint with its new head to `out`, its other weights half-way back to those of `start`, and
    as its `commit` that of the code that runs now.

    Raises ModelLoadError when the checkpoint cannot be read, and ValueError when its recipe is not known, has
    no `refit`, or had anything but generators left out, and as `go_halfway` does.
    """
    trained = from_checkpoint(checkpoint)
    whole = recipe_named(trained.recipe)
    left_out = set(whole.generators) - set(trained.generators)
    if without(whole, left_out).name != trained.recipe:
        raise ValueError(f"It is not known which photographs {trained.recipe!r} left out")
    recipe, commit = refit_recipe(whole, trained.generators), revision()
    if start is not None:
        go_halfway(trained.model, start)
    model = trained.model.to(device)
    crops = step_loader(PairDataset(records, recipe), StepSampler(recipe, 0), workers=workers)
    features_NF, labels_N = collect_statistics(model, crops, device=device)
    model.cpu()
    fit_head(model, features_NF, labels_N, recipe.refit_penalty)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    state.pop("validation", None)  # of the head before
    save_atomically({**state, "commit": commit, **network_state(model)}, out)


def refit_recipe(recipe: Recipe, generators: tuple[str, ...]) -> Recipe:
    """What the head is fitted to: those generators of the recipe's `refit` that the network has learned.

    Raises ValueError when there is no `refit`.
    """
    if recipe.refit is None:
        raise ValueError(f"Recipe {recipe.name!r} fits no head in the end")
    alone = dataclasses.replace(
        recipe, phases=(recipe.refit,), probe=None, refit=None, seed=recipe.seed + 2_000_000
    )
    return without(alone, set(alone.generators) - set(generators))


@torch.inference_mode()
def go_halfway(model: ResNet50Detector, start: ResNet50Detector) -> None:
    """Make every weight the mean of both.

    Raises ValueError when they are different networks, or when the norms of one alone have statistics: their filters
    are then of another scale.
    """
    if model.spec != start.spec:
        raise ValueError("The run began from another network")
    if has_statistics(model) != has_statistics(start):
        lacking = "its start" if has_statistics(model) else "the run"
        raise ValueError(
            f"The norms of {lacking} alone have no statistics: restore it with --recipe"
        )
    before = start.state_dict()
    for name, values in model.state_dict().items():
        if values.is_floating_point():
            values.copy_((values + before[name]) / 2)


if __name__ == "__main__":
    main()
