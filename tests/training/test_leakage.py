"""The leak tests: each must be able to fail."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from detector.classifier import OnnxClassifier
from training.evaluate import evaluate, write_report
from training.leakage import Finding, main, metadata_tells_nothing, no_duplicates, probe
from training.records import Record

pytestmark = pytest.mark.slow

TWO_PHOTOS = (("astronaut", "train"), ("coffee", "test"))


def _records(folder: Path, *, split: str, n: int = 12, bright: int = 190) -> list[Record]:
    """Noise around one grey: dark photographs, and AI images as bright as they are asked to be."""
    rng = np.random.default_rng(len(split))
    records = []
    for label, grey in ((0, 60), (1, bright)):
        for i in range(n):
            path = folder / f"{split}_{label}_{i}.png"
            pixels = rng.normal(grey + i, 20, (230, 230, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(path)
            generator = "brightness" if label else "real"
            records.append(
                Record(
                    path=path, label=label, generator=generator, family=generator, source="s",
                    group=path.name, split=split,
                )
            )  # fmt: skip
    return records


def _photo(folder: Path, name: str, split: str) -> Record:
    path = folder / f"{name}.png"
    Image.fromarray(getattr(data, name)()).save(path)
    return Record(
        path=path, label=0, generator="real", family="real", source="s", group=name, split=split
    )


def _failed(findings: list[Finding]) -> set[str]:
    return {finding.test for finding in findings if not finding.passed}


def test_a_larger_file_betrays_its_class(tmp_path: Path) -> None:
    """Files that differ in nothing but their pixels pass; others in size do not."""
    records = _records(tmp_path, split="train", n=40, bright=60)
    alike = list(metadata_tells_nothing(records))
    for record in records:
        if record.label:
            Image.open(record.path).resize((200, 230)).save(record.path)

    assert set() == _failed(alike)
    assert {"L1"} == _failed(list(metadata_tells_nothing(records)))


def test_an_image_in_two_splits_is_found(tmp_path: Path) -> None:
    """Also after it was saved again in another format; so is a group in two splits."""
    first, other = (_photo(tmp_path, name, split) for name, split in TWO_PHOTOS)
    assert set() == _failed(list(no_duplicates([first, other])))

    copy = tmp_path / "copy.jpg"
    Image.open(first.path).save(copy, quality=80)
    again = dataclasses.replace(first, path=copy, split="test")

    assert [1, 1] == [finding.value for finding in no_duplicates([first, other, again])]


def test_the_rest_of_the_pool_is_held_against_what_is_learned(tmp_path: Path) -> None:
    """An image, or a group, that it shares with train is found; one that it shares with test is no leak."""
    first, other = (_photo(tmp_path, name, split) for name, split in TWO_PHOTOS)
    pool = [dataclasses.replace(r, split="pool", path=r.path) for r in (first, other)]

    assert [1, 1] == [finding.value for finding in no_duplicates([first, other, pool[0]])]
    assert [0, 0] == [finding.value for finding in no_duplicates([first, other, pool[1]])]


def test_images_that_only_hash_alike_are_no_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two portraits can have one difference hash."""
    first, other = (_photo(tmp_path, name, split) for name, split in TWO_PHOTOS)
    monkeypatch.setattr("training.leakage.NEAR_DUPLICATE_BITS", 64)

    assert [0, 0] == [finding.value for finding in no_duplicates([first, other])]


def test_a_generator_of_few_groups_has_its_metadata_read_too(tmp_path: Path) -> None:
    """There are as many folds as groups; of one group nothing can be said."""
    records = _records(tmp_path, split="train", n=40, bright=60)
    grouped = [dataclasses.replace(r, group=str(i % 3)) for i, r in enumerate(records)]

    assert ["L1"] == [finding.test for finding in metadata_tells_nothing(grouped)]
    alone = [dataclasses.replace(r, group="one") for r in records]
    assert [] == list(metadata_tells_nothing(alone))


def test_a_model_of_brightness_is_seen_through(tiny_model: Path, tmp_path: Path) -> None:
    """It survives a blur that leaves no trace of generation: the content separates the classes."""
    findings = list(probe(OnnxClassifier.load(tiny_model), _records(tmp_path, split="test")))

    assert {"L2", "L3", "L7", "L8", "L10"} == {finding.test for finding in findings}
    assert {"L2"} == _failed(findings)


def test_sources_that_differ_are_named(tiny_model: Path, tmp_path: Path) -> None:
    """Photographs of a brighter source look more generated to it."""
    (tmp_path / "other").mkdir()
    dark = _records(tmp_path, split="test")
    records = [*dark]
    for record in _records(tmp_path / "other", split="test", bright=120):
        if record.label:
            values = {**vars(record), "label": 0, "generator": "real", "source": "bright"}
            records.append(Record(**values))
    found = [f for f in probe(OnnxClassifier.load(tiny_model), records) if f.test == "L6"]

    assert ["AUROC of bright against s"] == [finding.says for finding in found]
    assert not found[0].passed


def test_the_command_reports_and_fails(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its findings are in the report, and its status says that one failed; what was learned elsewhere counts for L9."""
    folder, path = tmp_path / "set", tmp_path / "report.json"
    for name, grey in (("0_real", 60), ("1_fake", 190)):
        (folder / "brightness" / name).mkdir(parents=True)
        for i in range(6):
            pixels = np.full((230, 230, 3), grey + i, np.uint8)
            Image.fromarray(pixels).save(folder / "brightness" / name / f"{i}.png")
    learned = tmp_path / "elsewhere" / "progan_train" / "0_real"
    learned.mkdir(parents=True)
    for place in (folder / "brightness" / "0_real", learned):
        Image.fromarray(data.astronaut()).save(place / "astronaut.png")
    classifier = OnnxClassifier.load(tiny_model)
    write_report(evaluate(classifier, _records(tmp_path, split="test"), {}), path)

    def failed(*more: str) -> set[str]:
        arguments = ["--data", str(folder), "--report", str(path), "--model", str(tiny_model)]
        monkeypatch.setattr("sys.argv", ["leakage", *arguments, *more])
        with pytest.raises(SystemExit, match="1"):
            main()
        findings = json.loads(path.read_text("utf-8"))["leak_tests"]
        return {finding["test"] for finding in findings if not finding["passed"]}

    alone = failed()
    assert "L2" in alone
    assert alone | {"L9"} == failed("--beside", str(tmp_path / "elsewhere")) != alone
    measured_on = json.loads(path.read_text("utf-8"))["measured_on"]["leak_tests"]
    assert ("elsewhere", 1, []) == tuple(
        measured_on["beside"][key] for key in ("name", "n", "unreadable")
    )
