"""Leak tests that train: each run is of a few steps here, and each outcome can fail."""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from detector.conditions import Condition
from training import leak_runs
from training.leak_runs import Laboratory, run_tests, shuffle_labels, with_wrong_history
from training.model import ResNet50Detector
from training.recipes import Match, Phase, Recipe
from training.records import Record

RECIPE = Recipe(
    name="test",
    phases=(Phase(crop_size=32, steps=1, pairs_per_step=2, mix={"vae": 1.0}),),
    evaluate_every=2,
)


class Brightness(nn.Module):
    """Its logit is the mean of a crop."""

    def forward(self, crops_NHWC: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = crops_NHWC.float().mean((1, 2, 3)) - 128
        return mean, mean[:, None, None]


class Ready(Laboratory):
    """A laboratory whose network needs no training, and which notes what it was to learn from."""

    learned: dict[str, list[Record]] = {}  # noqa: RUF012 - one for each test, see `ready`
    recipes: dict[str, Recipe] = {}  # noqa: RUF012

    def train(self, name: str, records: list[Record], recipe: Recipe | None = None) -> nn.Module:
        self.learned[name] = records
        self.recipes[name] = recipe or self.recipe
        return Brightness()


def _pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()


def _records(folder: Path, greys: dict[str, tuple[int, int]], n: int = 6) -> list[Record]:
    """By source: the greys of its photographs and of its AI images; half of each in val."""
    rng = np.random.default_rng(0)
    records = []
    for source, pair in greys.items():
        for label, grey in enumerate(pair):
            for i in range(n):
                path = folder / f"{source}_{label}_{i}.png"
                pixels = rng.normal(grey, 3, (230, 230, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(path)
                records.append(
                    Record(
                        path=path, label=label, generator="vae" if label else "real", family="f",
                        source=source, group=path.name, split="val" if i % 2 else "train",
                    )
                )  # fmt: skip
    return records


@pytest.fixture
def ready(tmp_path: Path) -> Ready:
    Ready.learned, Ready.recipes = {}, {}
    return Ready(
        recipe=RECIPE, out=tmp_path / "out", device="cpu", workers=0,
        start=ResNet50Detector, stop=lambda: False,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _six_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leak_runs, "ENOUGH", 6)


def test_photographs_that_look_generated_are_found_out(ready: Ready, tmp_path: Path) -> None:
    """L4: a brighter source is flagged whole by what never saw it, a darker one is not, in each condition."""
    records = _records(tmp_path, {"dark": (60, 190), "bright": (120, 190)})
    findings = run_tests(ready, records, ["L4"])
    dark, bright = ([f for f in findings if source in f.says] for source in ("dark", "bright"))

    assert [(0.0, True)] * 3 == [(f.value, f.passed) for f in dark]
    assert [(1.0, False)] * 3 == [(f.value, f.passed) for f in bright]
    assert ["clean", "web", "hard"] == [f.says.split()[-1] for f in bright]
    assert json.loads(json.dumps([dataclasses.asdict(finding) for finding in findings]))
    assert {"dark"} == {r.source for r in ready.learned["without-bright"]}


def test_a_source_of_few_photographs_is_no_measure(
    ready: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No run is spent on it; what it holds is learned with the rest."""
    rare = _records(tmp_path, {"rare": (120, 190)}, n=4)
    findings = run_tests(ready, [*_records(tmp_path, {"dark": (60, 190)}), *rare], ["L4"])

    assert findings
    assert not any("rare" in finding.says for finding in findings)
    assert "L4 does not leave out rare: 4 photographs" in capsys.readouterr().out


def test_a_source_is_not_left_out_when_nothing_remains(
    ready: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named instead."""
    assert [] == run_tests(ready, _records(tmp_path, {"only": (60, 190)}), ["L4"])
    assert "cannot leave out only" in capsys.readouterr().out


def test_no_ai_image_is_matched_to_photographs_left_out(
    ready: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A source that is a generator's only one stays, and is named."""
    records = _records(tmp_path, {"dark": (60, 190), "bright": (120, 190)})
    for sources, left in ((("dark", "bright"), ("dark",)), (("bright",), None)):
        ready.recipes.clear()
        matches = {"vae": Match(sources=sources)}
        matched = dataclasses.replace(ready, recipe=dataclasses.replace(RECIPE, matches=matches))
        run_tests(matched, records, ["L4"])
        recipe = ready.recipes.get("without-bright")

        assert left == (recipe.matches["vae"].sources if recipe else None)
    assert "cannot leave out bright" in capsys.readouterr().out


def test_shuffled_labels_are_as_many_as_before(tmp_path: Path) -> None:
    """Among what is learned and among the rest; some move, and no file does."""
    records = _records(tmp_path, {"s": (60, 190)}, n=20)
    shuffled = shuffle_labels(records, 0)

    def counted(found: list[Record]) -> Counter[tuple[str, int, str]]:
        return Counter((r.split, r.label, r.generator) for r in found)

    assert counted(records) == counted(shuffled)
    assert [r.path for r in records] == [r.path for r in shuffled]
    assert 5 < sum(a.label != b.label for a, b in zip(records, shuffled, strict=True)) < 35


def test_what_still_tells_shuffled_labels_fails(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L5: a network that knows the labels of validation has seen them somewhere."""
    records = _records(tmp_path, {"s": (60, 190)})
    monkeypatch.setattr(leak_runs, "shuffle_labels", lambda found, _seed: found)
    (finding,) = run_tests(ready, records, ["L5"])

    assert ("L5", 1.0, False) == (finding.test, finding.value, finding.passed)


def test_tests_that_are_blind_to_a_shortcut_fail(ready: Ready, tmp_path: Path) -> None:
    """L11: a network that is the same with and without the shortcut gains and loses nothing by it."""
    findings = run_tests(ready, _records(tmp_path, {"s": (60, 190)}), ["L11"])

    assert [("L11", 0.0, False)] * 2 == [(f.test, f.value, f.passed) for f in findings]
    fooled, fair = (ready.recipes[name] for name in ("wrong-history-run", "as-it-is"))
    assert fooled == fair
    assert [1.0] == [phase.augment.untouched for phase in fair.phases]


def test_a_shortcut_is_looked_for_where_nothing_hides_it(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L11: a re-save hides a wrong history, so that what it was worth on images as they are counts alone."""
    asked = []

    def evaluate(*_: object, conditions: Sequence[Condition], **__: object) -> dict[str, float]:
        asked.append([condition.name for condition in conditions])
        return {"mean": [0.9, 0.6, 0.8][len(asked) - 1]}

    monkeypatch.setattr(leak_runs, "evaluate", evaluate)
    findings = run_tests(ready, _records(tmp_path, {"s": (60, 190)}), ["L11"])

    assert asked == [["clean"]] * 3
    assert [f.value for f in findings] == pytest.approx([0.1, 0.2])
    assert all(f.passed for f in findings)


def test_a_wrong_history_is_of_ai_images_alone(tmp_path: Path) -> None:
    """They are saved once more, and only once; photographs stay where they are."""
    records = _records(tmp_path, {"s": (60, 190)}, n=2)
    altered = with_wrong_history(records, tmp_path / "altered")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "altered").iterdir()}

    assert altered == with_wrong_history(records, tmp_path / "altered")
    assert written == {path: path.stat().st_mtime_ns for path in written}
    for before, after in zip(records, altered, strict=True):
        same = _pixels(before.path) == _pixels(after.path)
        assert (before.label == 0) == same == (before.path == after.path)


@pytest.mark.slow
def test_all_of_them_train(tmp_path: Path) -> None:
    """Five runs, each in its folder."""
    records = _records(tmp_path, {"a": (60, 190), "b": (60, 190)})
    out = tmp_path / "out"
    laboratory = Laboratory(
        recipe=RECIPE, out=out, device="cpu", workers=0,
        start=ResNet50Detector, stop=lambda: False,
    )  # fmt: skip
    findings = run_tests(laboratory, records, ["L4", "L5", "L11"])

    assert [*["L4"] * 6, "L5", "L11", "L11"] == [finding.test for finding in findings]
    assert {"without-a", "without-b", "shuffled", "wrong-history-run", "as-it-is"} == {
        path.parent.name for path in out.glob("*/last.pt")
    }
