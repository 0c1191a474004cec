"""Train a recipe, with checkpoints; a stopped run goes on where it was.

    python -m training.train --recipe asli --data FOLDER [--data FOLDER ...] --out FOLDER [--without NAME ...]
                             [--imagenet WEIGHTS] [--max-minutes N] [--device cpu|cuda]

SIGTERM, Ctrl-C and --max-minutes all save before they end the run. Start the same command again to go on.
"""

import argparse
import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from detector.conditions import CLEAN, WEB
from detector.image import ImageLimits, decode_image
from detector.preprocess import PreprocessSpec, cut_crops
from training.dataset import PairDataset, StepSampler
from training.metrics import auroc
from training.model import ResNet50Detector, from_imagenet, network_state
from training.probe import collect_statistics, fit_head
from training.recipes import RECIPES, Recipe, without
from training.records import Record, read_records, with_fakes_of

CHECKPOINT = "last.pt"
BEST = "best.pt"


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
        "--imagenet", type=Path, help="ImageNet weights; torchvision's own by default"
    )
    parser.add_argument("--max-minutes", type=float, default=float("inf"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()

    records = [record for folder in args.data for record in read_records(folder)]
    recipe = without(
        RECIPES[args.recipe](),
        {r.generator for r in records if {r.generator, r.family} & set(args.without)},
    )
    torch.manual_seed(recipe.seed)
    run = Run(from_imagenet(recipe.network, args.imagenet), recipe, args.out, device=args.device)
    stop = _stop_signal(time.monotonic() + 60 * args.max_minutes)
    finished = train(run, records, workers=args.workers, stop=stop)
    print("finished" if finished else f"stopped at step {run.step}; run the same command to go on")


class Run:
    """The state of a training run, and its files."""

    def __init__(self, model: ResNet50Detector, recipe: Recipe, out: Path, *, device: str) -> None:
        self.recipe, self.out, self.device = recipe, out, device
        self.model = model.to(device)
        self.ema = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
        )
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
        self.best = float("-inf")
        out.mkdir(parents=True, exist_ok=True)
        if (out / CHECKPOINT).is_file():
            self._load(out / CHECKPOINT)

    def save(self) -> None:
        """Write the whole state atomically."""
        state = {
            "recipe": dataclasses.asdict(self.recipe),
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "best": self.best,
            "torch_rng": torch.get_rng_state(),
        }
        _save_atomically(state, self.out / CHECKPOINT)

    def save_best(self, figures: dict[str, float]) -> None:
        """Write the averaged weights, ready for export."""
        state = {
            "recipe": self.recipe.name,
            "generators": list(self.recipe.generators),
            "seed": self.recipe.seed,
            "step": self.step,
            "validation": figures,
            **network_state(self.ema.module),
        }
        _save_atomically(state, self.out / BEST)

    def log(self, **values: object) -> None:
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, **values}) + "\n")

    def _load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        if _plain(state["recipe"]) != _plain(dataclasses.asdict(self.recipe)):
            raise ValueError(f"{path} belongs to another version of recipe {self.recipe.name!r}")
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.best = state["step"], state["best"]
        torch.set_rng_state(state["torch_rng"].cpu())


def train(run: Run, records: list[Record], *, workers: int, stop: Callable[[], bool]) -> bool:
    """Train to the recipe's end, or until `stop` says so. True when the end was reached."""
    recipe, console = run.recipe, Console(force_terminal=False, width=120)
    dataset = PairDataset(records, recipe)
    for failure in dataset.failures:
        console.print(f"could not decode {failure}")
    validation = with_fakes_of([r for r in records if r.split == "val"], recipe.generators)
    if recipe.probe and not run.step:
        probe = recipe.probe_recipe()
        batches = _loader(dataset.seen_by(probe), probe, workers=workers)
        statistics, labels = collect_statistics(run.model, batches, device=run.device)
        fit_head(run.model, statistics, labels, recipe.probe_penalty)
        run.ema.module.load_state_dict(run.model.state_dict())
        _validate(run, validation, console)
        run.save()
    loader = _loader(dataset, recipe, start=run.step, workers=workers)
    started, first = time.monotonic(), run.step
    for crops_PCHW, labels_PC in loader:
        loss = train_step(run, crops_PCHW.flatten(0, 1), labels_PC.flatten())
        if run.step % 20 == 0 or run.step == recipe.steps:
            seconds = (time.monotonic() - started) / (run.step - first)
            run.log(loss=loss, seconds_per_step=round(seconds, 3))
            left = seconds * (recipe.steps - run.step) / 60
            console.print(
                f"step {run.step}/{recipe.steps}  loss {loss:.4f}  {seconds:.2f} s/step  {left:.0f} min left"
            )
        if run.step % recipe.evaluate_every == 0 or run.step == recipe.steps:
            _validate(run, validation, console)
        if stop():
            run.save()
            return run.step == recipe.steps
        if run.step % recipe.checkpoint_every == 0:
            run.save()
    run.save()
    return True


def _loader(
    dataset: PairDataset, recipe: Recipe, *, start: int = 0, workers: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    return DataLoader(
        dataset,
        batch_sampler=StepSampler(recipe, start),
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_ignore_signals,
    )


def _validate(run: Run, records: list[Record], console: Console) -> None:
    """Measure, and keep the weights if they are the best so far."""
    figures = evaluate(run.ema.module, records, device=run.device)
    run.log(validation=figures)
    console.print("  ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    if figures["mean"] >= run.best:
        run.best = figures["mean"]
        run.save_best(figures)


def train_step(run: Run, crops_NHWC: Tensor, labels_N: Tensor) -> float:
    """One optimiser step; returns the loss."""
    run.model.train()
    with torch.autocast(run.device, torch.bfloat16):
        logits_N, _ = run.model(crops_NHWC.to(run.device))
    loss = nn.functional.binary_cross_entropy_with_logits(logits_N, labels_N.to(run.device))
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.model.parameters(), run.recipe.clip_norm)
    run.optimizer.step()
    run.scheduler.step()
    run.step += 1
    run.ema.update_parameters(run.model)
    return float(loss.detach())


@torch.inference_mode()
def evaluate(model: nn.Module, records: list[Record], *, device: str) -> dict[str, float]:
    """AUROC per generator and condition against the photographs of the same sources, and their mean."""
    model.eval()
    spec = PreprocessSpec(max_crops_per_axis=1)
    labels = np.array([record.label for record in records])
    places = {record: i for i, record in enumerate(records)}
    compared = {
        generator: [places[record] for record in with_fakes_of(records, {generator})]
        for generator in sorted({r.generator for r in records} - {"real"})
    }
    figures = {}
    for condition in (CLEAN, WEB):
        logits = np.empty(len(records))
        for i, record in enumerate(records):
            image = decode_image(record.path.read_bytes(), ImageLimits(min_side=32)).pixels
            crops = torch.from_numpy(cut_crops(condition.apply(image), spec).pixels)
            with torch.autocast(device, torch.bfloat16):
                logits[i] = model(crops.to(device))[0].float().mean().item()
        for generator, kept in compared.items():
            figures[f"{generator}/{condition.name}"] = auroc(labels[kept], logits[kept])
    return {**figures, "mean": float(np.mean(list(figures.values())))}


def _cosine_with_warmup(recipe: Recipe) -> Callable[[int], float]:
    def factor(step: int) -> float:
        start, end = recipe.cycle_at(step)
        if step - start < recipe.warmup_steps:
            return (step - start + 1) / recipe.warmup_steps
        done = (step - start - recipe.warmup_steps) / max(1, end - start - recipe.warmup_steps)
        return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0))))

    return factor


def _stop_signal(deadline: float) -> Callable[[], bool]:
    """A question that turns true on SIGTERM, SIGINT or at the deadline (monotonic seconds)."""
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: received.append(signum))
    return lambda: bool(received) or time.monotonic() > deadline


def _ignore_signals(_worker: int) -> None:
    """A signal that reaches the whole process group is for the main process, which then ends its loaders."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _save_atomically(state: dict[str, Any], path: Path) -> None:
    partial = path.with_suffix(".tmp")
    torch.save(state, partial)
    os.replace(partial, path)  # noqa: PTH105 - the atomic one, by its best-known name


def _plain(value: object) -> object:
    """As it looks after a trip through JSON, so that tuples equal lists."""
    return json.loads(json.dumps(value))


if __name__ == "__main__":
    main()
