"""Train a recipe, with checkpoints; a stopped run goes on where it was.

    python -m training.train --recipe asli --data FOLDER [--data FOLDER ...] --out FOLDER [--without NAME ...]
                             [--shards PATTERN] [--imagenet WEIGHTS | --start CHECKPOINT] [--max-minutes N]
                             [--device cpu|cuda] [--workers N]

SIGTERM, Ctrl-C and --max-minutes all save before they end the run. Start the same command again to go on.
With `torchrun --nproc_per_node=N -m training.train ...` N processes share the pairs of each step.
"""

import argparse
import dataclasses
import json
import signal
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from detector.conditions import CLEAN, WEB
from detector.errors import ModelLoadError
from detector.image import decode_image
from detector.labels import FAKE, REAL
from detector.preprocess import PreprocessSpec, cut_crops
from training import distributed
from training.dataset import TRAINING_LIMITS, PairDataset, StepSampler
from training.files import replacing
from training.metrics import auroc
from training.model import (
    ResNet50Detector,
    Trained,
    compute_in_full_precision,
    from_checkpoint,
    from_imagenet,
    has_statistics,
    network_state,
)
from training.probe import collect_statistics, fit_head, load_statistics, save_statistics
from training.recipes import RECIPES, Recipe, recipe_of, without
from training.records import Record, data_sha256, divide_pool, read_records, with_fakes_of
from training.revision import revision
from training.scoring import Alteration, readable, seen_whole
from training.shards import ShardedPairs

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:
    SummaryWriter = None

CHECKPOINT = "last.pt"
BEST = "best.pt"
STATISTICS = "statistics"
"""Folder of what the head is fitted to."""
_SPEC = PreprocessSpec(max_crops_per_axis=1)
_BATCH = 32
"""Images that are measured at once."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        help="a generator or a whole family to leave out, so that it can be tested as unseen",
    )
    parser.add_argument(
        "--shards",
        help="learn from these shards of training.shards; --data then holds what validates",
    )
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument(
        "--imagenet", type=Path, help="ImageNet weights; torchvision's own by default"
    )
    begin.add_argument(
        "--start", type=Path, help="go on from this checkpoint, such as one of training.restore"
    )
    parser.add_argument("--max-minutes", type=float, default=float("inf"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    try:
        records = [record for folder in args.data for record in read_records(folder)]
        left_out = generators_named(args.without, records)
        recipe = without(RECIPES[args.recipe](), left_out)
        distributed.join(args.device)
        torch.backends.cudnn.benchmark = True  # the crops of a phase are of one size
        compute_in_full_precision()
        torch.manual_seed(recipe.seed)
        known: tuple[str, ...] = ()
        if args.start:
            started = start_from(args.start, left_out)
            model, known = started.model, started.generators
        else:
            model = from_imagenet(recipe.network, args.imagenet)
        run = Run(model, recipe, args.out, device=args.device, known=known)
        stop = stop_signal(time.monotonic() + 60 * args.max_minutes)
        finished = train(run, records, workers=args.workers, stop=stop, shards=args.shards)
    except (OSError, ValueError, ModelLoadError) as error:
        parser.error(str(error))
    if distributed.rank() == 0:
        print(
            "finished" if finished else f"stopped at step {run.step}; run the same command to go on"
        )
    distributed.leave()


def start_from(path: Path, left_out: Container[str]) -> Trained:
    """A checkpoint that training can go on from, which has learned nothing of what is left out.

    Raises ModelLoadError when it cannot be read, and ValueError when it has, or when its norms have no statistics.
    """
    started = from_checkpoint(path)
    if not has_statistics(started.model):
        raise ValueError(f"{path} has no statistics; restore it with --recipe")
    if both := [name for name in started.generators if name in left_out]:
        raise ValueError(f"{path} has learned {both} already")
    return started


def generators_named(names: Iterable[str], records: list[Record]) -> set[str]:
    """The generators of these names, and those of families of these names.

    Raises ValueError for a name that is neither.
    """
    found: set[str] = set()
    for name in names:
        named = {
            r.generator for r in records if r.label == FAKE and name in {r.generator, r.family}
        }
        if not named:
            raise ValueError(f"No generator and no family of the data is called {name!r}")
        found |= named
    return found


class Run:
    """The state of a training run, and its files, which the first process alone writes."""

    def __init__(
        self,
        model: ResNet50Detector,
        recipe: Recipe,
        out: Path,
        *,
        device: str,
        known: Iterable[str] = (),
    ) -> None:
        """`known` are generators that the model has learned before. Raises ValueError for another network."""
        if model.spec != recipe.network:
            raise ValueError(f"Recipe {recipe.name!r} trains another network")
        self.recipe, self.out, self.device = recipe, out, device
        self.known = frozenset(known)
        self.model = model.to(device)
        self.ema = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
        )
        self.replica = distributed.replicate(self.model)
        head = set(self.model.head.parameters())
        body = [p for p in self.model.parameters() if p not in head]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": body, "lr": recipe.learning_rate},
                {"params": list(head), "lr": recipe.head_learning_rate},
            ],
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, _cosine_with_warmup(recipe)
        )
        self.step = 0
        self.probed = False
        """Whether the head was fitted in closed form, where the recipe asks for it."""
        self.best = float("-inf")
        self.bar = float("-inf")
        """What the next evaluation has to exceed by the recipe's `min_gain` to count as a gain."""
        self.stalled = 0
        """Evaluations since the last gain."""
        self.data_sha256 = ""
        """Of the images of --data, see `training.records.data_sha256`, not of shards; empty before they are known."""
        self.commit = revision()
        self._board: Any = None
        out.mkdir(parents=True, exist_ok=True)
        if (out / CHECKPOINT).is_file():
            self._load(out / CHECKPOINT)

    def learn_from(self, data_sha256: str) -> None:
        """Note which images were given. Raises ValueError when those of a run that goes on are others."""
        if self.data_sha256 not in ("", data_sha256):
            raise ValueError(
                f"{self.out} was begun on other images; choose another folder for --out"
            )
        self.data_sha256 = data_sha256

    def has_ended(self) -> bool:
        """At the recipe's end, or when its patience is over."""
        if self.recipe.probe and not self.probed:
            return False
        patience = self.recipe.patience
        return self.step >= self.recipe.steps or (patience is not None and self.stalled >= patience)

    def judge(self, figures: dict[str, float]) -> None:
        """Take note of an evaluation, and keep the weights when they are the best so far."""
        mean = figures["mean"]
        if mean >= self.best:
            self.best = mean
            self.save_best(figures)
        if mean >= self.bar + self.recipe.min_gain:
            self.bar, self.stalled = mean, 0
        else:
            self.stalled += 1

    def save(self) -> None:
        """Write the whole state atomically."""
        state = {
            "recipe": dataclasses.asdict(self.recipe),
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "probed": self.probed,
            "best": self.best,
            "bar": self.bar,
            "stalled": self.stalled,
            "data_sha256": self.data_sha256,
            "known": sorted(self.known),
            "torch_rng": torch.get_rng_state(),
        }
        save_atomically(state, self.out / CHECKPOINT)

    def save_best(self, figures: dict[str, float]) -> None:
        """Write the averaged weights, ready for export."""
        state = {
            "recipe": self.recipe.name,
            "generators": sorted({*self.recipe.generators, *self.recipe.held_out, *self.known}),
            "seed": self.recipe.seed,
            "step": self.step,
            "validation": figures,
            "whole_images": self.recipe.whole_images,
            "commit": self.commit,
            "data_sha256": self.data_sha256,
            **network_state(self.ema.module),
        }
        save_atomically(state, self.out / BEST)

    def log(self, **values: float | dict[str, float]) -> None:
        """Into log.jsonl, and for TensorBoard where that is installed."""
        if distributed.rank() != 0:
            return
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, **values}) + "\n")
        if SummaryWriter is None:
            return
        if self._board is None:
            # What a killed run had written beyond its checkpoint is computed, and shown, again.
            self._board = SummaryWriter(self.out, purge_step=self.step)
        for name, value in values.items():
            of_several = value.items() if isinstance(value, dict) else [("", value)]
            for part, number in of_several:
                self._board.add_scalar(f"{name}/{part}".rstrip("/"), number, self.step)

    def close(self) -> None:
        """Close the log."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        try:
            same = recipe_of(state["recipe"]) == self.recipe
        except TypeError:
            same = False
        if not same:
            raise ValueError(f"{path} belongs to another version of recipe {self.recipe.name!r}")
        if set(state.get("known", ())) != self.known:
            raise ValueError(f"{self.out} was begun from another model; give --start as before")
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.best = state["step"], state["best"]
        self.probed = state.get("probed", self.step > 0)
        self.bar, self.stalled = state.get("bar", self.best), state.get("stalled", 0)
        self.data_sha256 = state.get("data_sha256", "")
        torch.set_rng_state(state["torch_rng"].cpu())


def train(
    run: Run,
    records: list[Record],
    *,
    workers: int,
    stop: Callable[[], bool],
    shards: str | None = None,
) -> bool:
    """Train to the recipe's end, or until `stop` says so. True when the end was reached.

    `shards`, a pattern of their names, takes the place of the records that would be learned.

    Raises ValueError when the pairs of a step cannot be shared evenly by the processes, there is nothing to
    validate on, or the run was begun on other records.
    """
    recipe = run.recipe
    if any(phase.pairs_per_step % distributed.processes() for phase in recipe.phases):
        raise ValueError(
            f"{distributed.processes()} processes cannot share the steps of {recipe.name!r}"
        )
    if run.has_ended():
        return True
    run.learn_from(data_sha256(records))
    console = Console(force_terminal=False, width=120, quiet=distributed.rank() != 0)
    dataset = ShardedPairs(shards, recipe) if shards else PairDataset(records, recipe)
    for failure in dataset.failures:
        console.print(f"could not decode {failure}")
    validation, _ = readable(
        validation_records(records, recipe), TRAINING_LIMITS, say=console.print
    )
    if {r.label for r in validation} != {REAL, FAKE}:
        raise ValueError("Validation needs photographs and AI images in the split val")
    if recipe.probe and not run.probed:
        if not _probe(run, dataset, workers=workers, stop=stop):
            return False
        _validate(run, validation, console, workers)
        run.save()
    try:
        _take_steps(run, dataset, validation, console, workers=workers, stop=stop)
    finally:
        run.close()
    return run.has_ended()


def _take_steps(
    run: Run,
    dataset: PairDataset | ShardedPairs,
    validation: list[Record],
    console: Console,
    *,
    workers: int,
    stop: Callable[[], bool],
) -> None:
    """Steps of the optimiser to the end of the recipe or of the run's patience, or until `stop` says so."""
    recipe = run.recipe
    share = StepSampler(
        recipe, run.step, rank=distributed.rank(), processes=distributed.processes()
    )
    started, first = time.monotonic(), run.step
    for crops_PCHW, labels_PC in step_loader(dataset, share, workers=workers):
        loss = train_step(run, crops_PCHW.flatten(0, 1), labels_PC.flatten())
        if run.step % 20 == 0 or run.step == recipe.steps:
            seconds = (time.monotonic() - started) / (run.step - first)
            run.log(loss=loss, seconds_per_step=round(seconds, 3))
            console.print(_progress(run, loss, seconds))
        if run.step % recipe.evaluate_every == 0 or run.step == recipe.steps:
            _validate(run, validation, console, workers)
        if run.has_ended() or distributed.any_of(stop(), run.device):
            break
        if run.step % recipe.checkpoint_every == 0:
            run.save()
    run.save()


def step_loader(
    dataset: PairDataset | ShardedPairs, places: StepSampler, *, workers: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    """The pairs of one step after the other, cut by `workers` processes."""
    return DataLoader(
        dataset,
        batch_sampler=places,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_ignore_signals,
    )


def _probe(
    run: Run, dataset: PairDataset | ShardedPairs, *, workers: int, stop: Callable[[], bool]
) -> bool:
    """Start from the head that fits the probe's crops best. False when stopped before.

    The crops' statistics are kept in the run's folder, so that a stopped run goes on where it was.
    """
    run.save()  # what is collected from here on belongs to this recipe
    probe = run.recipe.probe_recipe()
    pairs = dataset.seen_by(probe)
    folder = run.out / STATISTICS
    windows = range(0, probe.steps, run.recipe.checkpoint_every)
    for first in track(windows, description="fitting the head", disable=distributed.rank() != 0):
        file = folder / f"{first:06}.npz"
        if file.is_file():
            continue
        places = StepSampler(probe, first, end=first + run.recipe.checkpoint_every)
        crops = step_loader(pairs, places, workers=workers)
        features, labels = collect_statistics(
            run.model, _until(stop, crops, run.device), device=run.device
        )
        if len(labels) < 2 * sum(map(len, places)):
            return False
        if distributed.rank() == 0:
            save_statistics(file, features, labels)
    if distributed.any_of(stop(), run.device):
        return False
    fit_head(run.model, *load_statistics(folder), run.recipe.probe_penalty)
    run.ema.module.load_state_dict(run.model.state_dict())
    run.probed = True
    return True


def _until(
    stop: Callable[[], bool], batches: Iterable[tuple[Tensor, Tensor]], device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    for batch in batches:
        if distributed.any_of(stop(), device):
            return
        yield batch


def _validate(run: Run, records: list[Record], console: Console, workers: int) -> None:
    """Measure what the run has learned so far."""
    distributed.share_buffers(run.ema.module)
    figures = evaluate(
        run.ema.module,
        records,
        device=run.device,
        conditions=conditions_of(run.recipe),
        workers=workers,
    )
    run.log(validation=figures)
    console.print("  ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    run.judge(figures)


def train_step(run: Run, crops_NHWC: Tensor, labels_N: Tensor) -> float:
    """One optimiser step; returns the loss."""
    run.model.train()
    with _mixed_precision(run.device):
        logits_N, _ = run.replica(crops_NHWC.to(run.device))
    loss = nn.functional.binary_cross_entropy_with_logits(logits_N, labels_N.to(run.device))
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.model.parameters(), run.recipe.clip_norm)
    run.optimizer.step()
    run.scheduler.step()
    run.step += 1
    run.ema.update_parameters(run.model)
    return float(loss.detach())


def _mixed_precision(device: str) -> torch.autocast:
    """bfloat16 where the device computes in it; emulated, it is several times slower than float32."""
    native = device != "cpu" or torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.autocast(device, torch.bfloat16, enabled=native)


def validation_records(records: list[Record], recipe: Recipe) -> list[Record]:
    """What chooses the weights: the val split of the learned generators, or the generators held out for it.

    The images of those come from val or the pool, beside the photographs of all these sources.
    """
    records = divide_pool(records, recipe.generators)
    in_val = [r for r in records if r.split == "val"]
    if not recipe.held_out:
        return with_fakes_of(in_val, recipe.generators, recipe.sources_matched)
    photographs = with_fakes_of(
        [r for r in in_val if r.label == REAL], (), _sources(records, recipe)
    )
    found = with_fakes_of([r for r in records if r.split in {"val", "pool"}], recipe.held_out)
    absent = set(recipe.held_out) - {r.generator for r in found}
    if absent:
        raise ValueError(f"No images of {sorted(absent)} in the splits val and pool")
    return list(dict.fromkeys([*photographs, *found]))


def conditions_of(
    recipe: Recipe, conditions: Sequence[Alteration] = (CLEAN, WEB)
) -> Sequence[Alteration]:
    """By default those that choose the weights, as the recipe lets its network see images."""
    return seen_whole(conditions, _SPEC.crop_size) if recipe.whole_images else conditions


def evaluate(
    model: nn.Module,
    records: list[Record],
    *,
    device: str,
    conditions: Sequence[Alteration],
    workers: int = 0,
) -> dict[str, float]:
    """AUROC per generator and condition, and their mean.

    Each generator is ranked against the photographs of its own source, or against all when that has none.
    """
    labels = np.array([record.label for record in records])
    places = {record: i for i, record in enumerate(records)}
    logits_RC = score(model, records, device=device, conditions=conditions, workers=workers)
    figures = {}
    for column, condition in enumerate(conditions):
        for generator in sorted({r.generator for r in records} - {"real"}):
            compared = with_fakes_of(records, {generator})
            if all(r.label != REAL for r in compared):
                compared += [r for r in records if r.label == REAL]
            kept = [places[record] for record in compared]
            figures[f"{generator}/{condition.name}"] = auroc(labels[kept], logits_RC[kept, column])
    return {**figures, "mean": float(np.mean(list(figures.values())))}


@torch.inference_mode()
def score(
    model: nn.Module,
    records: list[Record],
    *,
    device: str,
    conditions: Sequence[Alteration],
    workers: int = 0,
) -> np.ndarray:
    """Logits float64 [R, C] of the middle crop of each image; several processes share the images."""
    model.eval()
    share = range(distributed.rank(), len(records), distributed.processes())
    crops = DataLoader(
        _MiddleCrops([records[i] for i in share], conditions),
        batch_size=_BATCH,
        num_workers=workers,
        worker_init_fn=_ignore_signals,
    )
    logits = []
    for crops_RCHW in crops:
        with _mixed_precision(device):
            logits_N = model(crops_RCHW.flatten(0, 1).to(device))[0]
        logits.append(logits_N.double().cpu().view(-1, len(conditions)))
    logits_RC = np.zeros((len(records), len(conditions)))
    if logits:
        logits_RC[share] = torch.cat(logits).numpy()
    return distributed.summed(logits_RC, device)


class _MiddleCrops(Dataset[Tensor]):
    """uint8 [C, S, S, 3] of each image: its middle crop under every condition."""

    def __init__(self, records: list[Record], conditions: Sequence[Alteration]) -> None:
        self.records, self.conditions = records, conditions

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, i: int) -> Tensor:
        image = decode_image(self.records[i].path.read_bytes(), TRAINING_LIMITS).pixels
        altered = (condition.apply(image) for condition in self.conditions)
        return torch.from_numpy(np.concatenate([cut_crops(a, _SPEC).pixels for a in altered]))


def _sources(records: list[Record], recipe: Recipe) -> set[str]:
    learned = {r.source for r in records if r.generator in recipe.generators}
    return learned | recipe.sources_matched


def _progress(run: Run, loss: float, seconds: float) -> str:
    steps = run.recipe.steps
    best = f"  best {run.best:.4f}" if np.isfinite(run.best) else ""
    left = seconds * (steps - run.step) / 60
    return (
        f"{run.recipe.name} {run.step}/{steps} ({run.step / steps:.0%})"
        f"  loss {loss:.4f}{best}  {seconds:.2f} s/step  {left:.0f} min left"
    )


def _cosine_with_warmup(recipe: Recipe) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < recipe.warmup_steps:
            return (step + 1) / recipe.warmup_steps
        done = (step - recipe.warmup_steps) / max(1, recipe.steps - recipe.warmup_steps)
        return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0))))

    return factor


def stop_signal(deadline: float) -> Callable[[], bool]:
    """A question that turns true on SIGTERM, SIGINT or at the deadline (monotonic seconds)."""
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: received.append(signum))
    return lambda: bool(received) or time.monotonic() > deadline


def _ignore_signals(_worker: int) -> None:
    """A signal that reaches the whole process group is for the main process, which then ends its loaders."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Write it whole or not at all; the first process alone does."""
    if distributed.rank() != 0:
        return
    with replacing(path) as partial:
        torch.save(state, partial)


if __name__ == "__main__":
    main()
