"""Training runs: they learn, stop, and go on exactly where they were."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.model import ResNet50Detector, from_checkpoint, network_state
from training.recipes import NetworkSpec, Phase, Recipe
from training.records import Record
from training.train import (
    BEST,
    CHECKPOINT,
    STATISTICS,
    Run,
    generators_named,
    start_from,
    train,
    train_step,
    validation_records,
)

MIX = {"vae": 1.0}
RECIPE = Recipe(
    name="test",
    phases=(
        Phase(crop_size=64, steps=3, pairs_per_step=2, mix=MIX),
        Phase(crop_size=96, steps=1, pairs_per_step=2, mix=MIX),
    ),
    warmup_steps=1,
    evaluate_every=2,
    checkpoint_every=2,
)


def _run(out: Path, recipe: Recipe = RECIPE) -> Run:
    torch.manual_seed(0)
    return Run(ResNet50Detector(recipe.network), recipe, out, device="cpu")


def _never() -> bool:
    return False


def _after(run: Run, step: int) -> Callable[[], bool]:
    return lambda: run.step >= step


def test_a_resumed_run_ends_bit_for_bit_like_a_whole_one(
    records: list[Record], tmp_path: Path
) -> None:
    """Two steps, a stop, and two more equal four steps at once."""
    whole = _run(tmp_path / "whole")
    assert train(whole, records, workers=0, stop=_never)
    first = _run(tmp_path / "parts")
    assert not train(first, records, workers=0, stop=_after(first, 2))
    second = _run(tmp_path / "parts")
    assert 2 == second.step
    assert train(second, records, workers=0, stop=_never)

    for name, expected in whole.model.state_dict().items():
        assert torch.equal(expected, second.model.state_dict()[name]), name
    for name, expected in whole.ema.state_dict().items():
        assert torch.equal(expected, second.ema.state_dict()[name]), name


def test_a_probe_fits_the_head_before_the_first_step(records: list[Record], tmp_path: Path) -> None:
    """It is kept if no later step does better, and it is not made again when a run goes on."""
    recipe = dataclasses.replace(
        RECIPE, network=NetworkSpec(stages=(1,), deviations=True), probe=RECIPE.phases[1]
    )
    run = _run(tmp_path / "run", recipe)
    train(run, records, workers=0, stop=_after(run, 1))
    fitted = run.model.head.scale.clone()
    again = _run(tmp_path / "run", recipe)
    train(again, records, workers=0, stop=_after(again, 2))
    best = torch.load(tmp_path / "run" / BEST, weights_only=True)

    assert not torch.equal(torch.ones_like(fitted), fitted)
    assert torch.equal(fitted, again.model.head.scale)
    assert torch.equal(fitted, best["model"]["head.scale"])
    assert 1.0 == best["validation"]["vae/clean"]


def test_a_stopped_fit_of_the_head_goes_on(records: list[Record], tmp_path: Path) -> None:
    """What was collected before the stop is not collected again, and the end is the same."""
    recipe = dataclasses.replace(
        RECIPE,
        network=NetworkSpec(stages=(1,), deviations=True),
        probe=Phase(crop_size=64, steps=4, pairs_per_step=2, mix=MIX),
    )
    whole = _run(tmp_path / "whole", recipe)
    assert train(whole, records, workers=0, stop=_never)
    answers = iter([False] * 3 + [True] * 9)
    first = _run(tmp_path / "parts", recipe)
    assert not train(first, records, workers=0, stop=lambda: next(answers))
    (file,) = (tmp_path / "parts" / STATISTICS).iterdir()
    written = file.stat().st_mtime_ns
    second = _run(tmp_path / "parts", recipe)
    assert not second.has_ended()
    assert train(second, records, workers=0, stop=_never)

    assert written == file.stat().st_mtime_ns
    assert 2 == len(list((tmp_path / "parts" / STATISTICS).iterdir()))
    assert torch.equal(whole.model.head.weight, second.model.head.weight)


def test_a_finished_run_leaves_its_best_weights(
    records: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ready for export, with the figures they were chosen by and what they learned; and a log of its way."""
    run = _run(tmp_path / "run")
    broken = dataclasses.replace(records[0], path=tmp_path / "broken.png")
    broken.path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    train(run, [*records, broken], workers=0, stop=_never)
    assert "could not decode broken.png" in capsys.readouterr().out
    figures = torch.load(tmp_path / "run" / BEST, weights_only=True)["validation"]
    trained = from_checkpoint(tmp_path / "run" / BEST)

    assert {"vae/clean", "vae/web", "mean"} == set(figures)
    assert ("test", ("vae",), 0) == (trained.recipe, trained.generators, trained.seed)
    assert torch.equal(trained.model.head.weight, run.ema.module.head.weight)

    lines = [json.loads(line) for line in (run.out / "log.jsonl").read_text("utf-8").splitlines()]
    board = EventAccumulator(str(run.out)).Reload()
    assert [2, 4, 4] == [line["step"] for line in lines]
    assert lines[1]["loss"] == pytest.approx(board.Scalars("loss")[-1].value, abs=1e-6)
    for name, value in lines[2]["validation"].items():
        assert value == pytest.approx(board.Scalars(f"validation/{name}")[-1].value, abs=1e-6)


def test_a_run_ends_when_nothing_is_gained_any_more(records: list[Record], tmp_path: Path) -> None:
    """One evaluation without a gain is the patience; asked again, the run says that it has ended."""
    recipe = dataclasses.replace(RECIPE, evaluate_every=1, patience=1, min_gain=2.0)
    run = _run(tmp_path / "run", recipe)

    assert train(run, records, workers=0, stop=_never)
    assert (2, 1) == (run.step, run.stalled)
    again = _run(tmp_path / "run", recipe)
    assert train(again, records, workers=0, stop=_never)
    assert 2 == again.step


def test_pairs_are_shared_evenly_or_not_at_all(
    records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three processes cannot take two pairs."""
    run = _run(tmp_path / "run")
    monkeypatch.setattr("training.distributed.processes", lambda: 3)

    with pytest.raises(ValueError, match="3 processes cannot share"):
        train(run, records, workers=0, stop=_never)


def test_what_cannot_be_validated_is_not_trained(records: list[Record], tmp_path: Path) -> None:
    """It would end without a best checkpoint."""
    learned = [dataclasses.replace(r, split="train") for r in records]

    with pytest.raises(ValueError, match="Validation needs photographs and AI images"):
        train(_run(tmp_path / "run"), learned, workers=0, stop=_never)


def test_what_is_left_out_is_a_generator_or_a_family(records: list[Record]) -> None:
    """A name that is neither would leave out nothing, unnoticed."""
    of_a_family = [dataclasses.replace(r, family="toys") for r in records]

    assert {"vae"} == generators_named(["vae"], of_a_family)
    assert {"vae"} == generators_named(["toys"], of_a_family)
    with pytest.raises(ValueError, match="called 'toy'"):
        generators_named(["vae", "toy"], of_a_family)


def test_small_gains_add_up(tmp_path: Path) -> None:
    """A slow rise is a gain as soon as it has come far enough from the last one."""
    recipe = dataclasses.replace(RECIPE, patience=3, min_gain=0.01)
    run = _run(tmp_path / "run", recipe)
    stalled = []
    for mean in (0.500, 0.505, 0.511, 0.512, 0.513, 0.514):
        run.judge({"mean": mean})
        stalled.append(run.stalled)

    assert [0, 1, 0, 1, 2, 3] == stalled
    assert run.has_ended()
    assert 0.514 == run.best


def test_generators_held_out_choose_the_weights(records: list[Record]) -> None:
    """Beside all photographs of val; the learned ones do not."""
    held = dataclasses.replace(
        records[1],
        path=records[1].path.with_name("x"),
        generator="gan",
        source="pool",
        split="pool",
    )
    recipe = dataclasses.replace(RECIPE, held_out=("gan",))
    chosen = validation_records([*records, held], recipe)

    assert ["real", "real", "gan"] == [r.generator for r in chosen]
    with pytest.raises(ValueError, match="No images of"):
        validation_records(records, recipe)


def test_a_checkpoint_of_another_recipe_is_refused(records: list[Record], tmp_path: Path) -> None:
    """A run is not continued under other settings."""
    run = _run(tmp_path / "run")
    train(run, records, workers=0, stop=_after(run, 1))
    assert (tmp_path / "run" / CHECKPOINT).is_file()

    with pytest.raises(ValueError, match="another version of recipe"):
        _run(tmp_path / "run", dataclasses.replace(RECIPE, learning_rate=1.0))


def test_what_a_model_had_learned_before_stays_known(records: list[Record], tmp_path: Path) -> None:
    """So that no report takes it for unseen; a model with another network is refused."""
    model = ResNet50Detector(RECIPE.network)
    run = Run(model, RECIPE, tmp_path / "run", device="cpu", known=("gan", "vae"))
    train(run, records, workers=0, stop=_never)

    assert ("gan", "vae") == from_checkpoint(tmp_path / "run" / BEST).generators
    with pytest.raises(ValueError, match="begun from another model"):
        _run(tmp_path / "run")
    other = ResNet50Detector(NetworkSpec(stages=(1,)))
    with pytest.raises(ValueError, match="'test' trains another network"):
        Run(other, RECIPE, tmp_path / "other", device="cpu")


def test_training_goes_on_only_from_what_it_can(tmp_path: Path) -> None:
    """Not from norms that were never measured, nor from a model that knows what is to be left out."""
    model = ResNet50Detector(RECIPE.network)
    state = {"recipe": "test", "generators": ["gan", "vae"], "seed": 0}
    torch.save({**state, **network_state(model)}, tmp_path / "bare.pt")
    with pytest.raises(ValueError, match="restore it with --recipe"):
        start_from(tmp_path / "bare.pt", ())

    model.backbone.bn1.running_mean += 1
    torch.save({**state, **network_state(model)}, tmp_path / "measured.pt")
    assert ("gan", "vae") == start_from(tmp_path / "measured.pt", {"other"}).generators
    with pytest.raises(ValueError, match=r"has learned \['vae'\] already"):
        start_from(tmp_path / "measured.pt", {"vae"})


def test_a_run_does_not_go_on_with_other_images(records: list[Record], tmp_path: Path) -> None:
    """What it has learned would be of both, and its report would name one."""
    run = _run(tmp_path / "run")
    train(run, records, workers=0, stop=_after(run, 2))
    again = _run(tmp_path / "run")

    with pytest.raises(ValueError, match="begun on other images"):
        train(again, records[:-2], workers=0, stop=_never)
    assert not train(again, records, workers=0, stop=_after(again, 3))


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    """On one batch that repeats, within a few steps."""
    recipe = dataclasses.replace(
        RECIPE, phases=(Phase(crop_size=64, steps=20, pairs_per_step=2, mix=MIX),)
    )
    run = _run(tmp_path / "run", recipe)
    rng = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (4, 64, 64, 3), generator=rng, dtype=torch.uint8)
    crops[1::2] //= 4
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0])
    losses = [train_step(run, crops, labels) for _ in range(8)]

    assert losses[-1] < 0.5 * losses[0]
