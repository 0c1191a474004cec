"""Two models on the same images."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector.conditions import CLEAN, WEB
from tests.images import write_dark_photographs_and_bright_ai_images
from tests.models import write_tiny_model
from training.compare import KNOWN, comparable, compare, main
from training.records import Record
from training.scoring import Scores


def _record(label: int, group: str, generator: str = "gan") -> Record:
    name = generator if label else "real"
    return Record(
        path=Path(f"{label}{group}"), label=label, generator=name, family=name, source="s",
        group=group, split="test",
    )  # fmt: skip


def _scores(records: list[Record], strength: float, seed: int) -> Scores:
    """Logits that tell the classes apart by so many standard deviations."""
    labels = np.array([r.label for r in records])
    noise = np.random.default_rng(seed).normal(size=len(labels))
    logits = (strength * labels + noise)[:, None]
    return Scores(records, (CLEAN,), logits, np.full(len(records), 256), [])


def _records(n: int, copies: int = 1) -> list[Record]:
    return [_record(label, str(i)) for label in (0, 1) for i in range(n) for _ in range(copies)]


def test_a_better_model_is_shown_to_be_better() -> None:
    """And the other one is not; the difference is that of the plain figures, and lies in the interval."""
    records = _records(200)
    strong, weak = _scores(records, 2.0, 0), _scores(records, 0.5, 1)
    (found,) = compare(strong, weak)
    (reverse,) = compare(weak, strong)

    assert found.difference == pytest.approx(found.auroc - found.against_auroc)
    assert found.ci95[0] < found.difference < found.ci95[1]
    assert found.better
    assert not reverse.better
    assert reverse.difference == pytest.approx(-found.difference)


def test_a_model_is_not_better_than_itself() -> None:
    """Paired means that what both share cancels, to the last digit."""
    scores = _scores(_records(50), 1.0, 0)
    (found,) = compare(scores, scores)

    assert (0.0, (0.0, 0.0), False) == (found.difference, found.ci95, found.better)


def test_repeated_images_do_not_make_a_difference_certain() -> None:
    """Ten copies in one group count as one image: the interval stays as wide as it was."""
    alone = _records(60)
    strong, weak = _scores(alone, 1.0, 0), _scores(alone, 0.8, 1)
    repeated = _records(60, copies=10)
    (once,) = compare(strong, weak)
    (often,) = compare(
        *(
            Scores(repeated, s.conditions, np.repeat(s.logits, 10, axis=0), np.ones(1200), [])
            for s in (strong, weak)
        )
    )

    assert once.difference == pytest.approx(often.difference)
    assert once.ci95 == pytest.approx(often.ci95, abs=1e-9)


def test_generators_count_alike() -> None:
    """The mean is over generators, however many images each has; one of a single group does no harm."""
    records = [
        *(_record(0, str(i)) for i in range(40)),
        *(_record(1, str(i)) for i in range(40)),
        *(_record(1, "same", "sheet") for _ in range(4)),
    ]
    (found,) = compare(_scores(records, 3.0, 0), _scores(records, 0.0, 1))

    assert {"gan", "sheet"} == set(found.generators)
    assert found.difference == pytest.approx(np.mean(list(found.generators.values())))
    assert found.better


def test_scores_of_other_images_are_refused() -> None:
    """So is one class alone."""
    records = _records(3)
    scores = _scores(records, 1.0, 0)
    with pytest.raises(ValueError, match="the same images"):
        compare(scores, _scores(records[::-1], 1.0, 0))

    photographs = _scores([r for r in records if r.label == 0], 1.0, 0)
    with pytest.raises(ValueError, match="photographs and AI images"):
        compare(photographs, photographs)


def test_generators_never_seen_are_ranked_against_photographs_never_met() -> None:
    """By source; what a model has learned, of AI images or of photographs, takes no part."""
    scores = _scores(
        [
            *(_record(0, f"known{i}") for i in range(3)),
            *(_record(1, f"seen{i}") for i in range(3)),
            *(_record(1, f"new{i}", "new") for i in range(3)),
        ],
        1.0,
        0,
    )
    unmet = _scores(
        [
            dataclasses.replace(_record(0, f"{source}{i}"), source=source)
            for source in ("demos", "foods")
            for i in range(4)
        ],
        1.0,
        1,
    )
    found = comparable(scores, unmet, {"gan"})

    assert [KNOWN, "demos", "foods"] == list(found)
    assert found[KNOWN] == scores
    assert [*(f"new{i}" for i in range(3)), *(f"foods{i}" for i in range(4))] == [
        r.group for r in found["foods"].records
    ]
    expected = np.concatenate([scores.logits[6:], unmet.logits[4:]])
    np.testing.assert_array_equal(found["foods"].logits, expected)


def test_the_command_compares_model_files(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bright and smooth AI images: a model of brightness is better than one of grain, clean and web.

    Dark and smooth photographs, which neither has met, are told from them by both.
    """
    write_dark_photographs_and_bright_ai_images(tmp_path / "data" / "unheard-of", 8)
    unmet = tmp_path / "dark" / "real_dark" / "0_real"
    unmet.mkdir(parents=True)
    for i in range(8):
        Image.fromarray(np.full((230, 230, 3), 20 + i, np.uint8)).save(unmet / f"{i}.png")
    other, out = write_tiny_model(tmp_path / "grain.onnx", looks_at="grain"), tmp_path / "out.json"
    command = [
        "compare", "--model", str(tiny_model), "--against", str(other), "--out", str(out),
        "--data", str(tmp_path / "data"),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", [*command, "--unmet", str(tmp_path / "dark")])
    main()
    written = json.loads(out.read_text("utf-8"))
    rows = written["against"][0]["differences"]

    assert (16, 8) == (written["data"]["n"], written["unmet"]["n"])
    assert [
        (photographs, condition.name)
        for photographs in (KNOWN, "real_dark")
        for condition in (CLEAN, WEB)
    ] == [(row["photographs"], row["condition"]) for row in rows]
    assert all(row["auroc"] == 1.0 for row in rows)
    assert [True, True, False, False] == [row["better"] for row in rows]
    assert 2 == capsys.readouterr().out.count("  better")

    monkeypatch.setattr("sys.argv", command)
    main()
    without = json.loads(out.read_text("utf-8"))
    assert "unmet" not in without
    assert rows[:2] == without["against"][0]["differences"]

    (tmp_path / "nothing").mkdir()
    for name, reason in (("data", "is an AI image"), ("nothing", "No images in")):
        monkeypatch.setattr("sys.argv", [*command, "--unmet", str(tmp_path / name)])
        with pytest.raises(SystemExit):
            main()
        assert reason in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*command[:-1], str(tmp_path / "dark")])
    with pytest.raises(SystemExit):
        main()
    assert "need photographs and AI images" in capsys.readouterr().err
