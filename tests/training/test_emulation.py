"""A model on another processor: a program that takes QEMU's place runs the same commands on this one."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from detector.classifier import OnnxClassifier
from tests.images import write_dark_photographs_and_bright_ai_images
from tests.models import TINY_MANIFEST, write_tiny_model
from training.emulation import Emulation, check_emulator, chosen, emulate, logits_of, main
from training.records import Record

CROPS = np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


def _program(path: Path, does: str) -> tuple[str, ...]:
    """The command of an emulator that does this with what follows `-cpu NAME`."""
    path.write_text(f"#!/bin/sh\nshift 2\n{does}\n")
    path.chmod(0o755)
    return str(path), "-cpu", "Other"


def _records(photographs: int, images: int) -> list[Record]:
    labels = [0] * photographs + [1] * images
    return [
        Record(path=Path(str(i)), label=label, generator="", family="", source="", group="", split="test")
        for i, label in enumerate(labels)
    ]  # fmt: skip


def test_the_logits_are_those_of_the_crops_in_their_order(tmp_path: Path) -> None:
    """However the crops are dealt to processes."""
    model = write_tiny_model(tmp_path / "tiny.onnx")
    command = _program(tmp_path / "emulator", 'exec "$@"')
    there = emulate(model, "sha", CROPS, tmp_path / "out", command=command, workers=2)

    here = logits_of(OnnxClassifier.load(model), CROPS)
    assert len(set(here.tolist())) == len(CROPS)
    assert there.tolist() == pytest.approx(here.tolist(), abs=1e-6)


def test_a_command_that_was_stopped_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there is not asked for again."""
    model = write_tiny_model(tmp_path / "tiny.onnx")
    command = _program(tmp_path / "emulator", 'exec "$@"')
    before = emulate(model, "sha", CROPS, tmp_path / "out", command=command, workers=1)
    (folder,) = (tmp_path / "out").iterdir()
    for place in (1, 4):
        (folder / f"{place}.npy").unlink()
    capsys.readouterr()
    counting = _program(tmp_path / "emulator", f'echo "$@" >> {tmp_path}/asked\nexec "$@"')
    after = emulate(model, "sha", CROPS, tmp_path / "out", command=counting, workers=1)

    assert (tmp_path / "asked").read_text().split()[-2:] == ["1", "4"]
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "5 of 5 crops"
    assert after.tolist() == before.tolist()


@pytest.mark.parametrize("other", ["model", "processor", "crops"])
def test_what_is_asked_otherwise_is_asked_anew(tmp_path: Path, other: str) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    program, *_ = _program(tmp_path / "emulator", f'echo "$@" >> {tmp_path}/asked\nexec "$@"')

    def run(weights: str, cpu: str, crops: np.ndarray) -> None:
        command = (program, "-cpu", cpu)
        emulate(model, weights, crops, tmp_path / "out", command=command, workers=1)

    run("sha", "Other", CROPS)
    run("sha", "Other", CROPS)
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    run(
        "other" if other == "model" else "sha",
        "Another" if other == "processor" else "Other",
        255 - CROPS if other == "crops" else CROPS,
    )
    assert len((tmp_path / "asked").read_text().splitlines()) == 2


def test_an_emulator_that_fails_says_why(tmp_path: Path) -> None:
    """And the one beside it does not go on for hours."""
    model = write_tiny_model(tmp_path / "tiny.onnx")
    does = f"""case " $* " in
*" 0 "*) until [ -s {tmp_path}/beside ]; do sleep 0.1; done; echo "no such processor"; exit 3;;
*) echo $$ > {tmp_path}/beside; exec sleep 600;;
esac"""
    command = _program(tmp_path / "emulator", does)

    with pytest.raises(ValueError, match=r"emulator failed \(3\): no such processor"):
        emulate(model, "sha", CROPS, tmp_path / "out", command=command, workers=2)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "beside").read_text()), 0)


def test_an_emulator_that_does_nothing_is_no_success(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    command = _program(tmp_path / "emulator", "true")

    with pytest.raises(ValueError, match="ended without the crops 0, 1, 2, 3, 4"):
        emulate(model, "sha", CROPS, tmp_path / "out", command=command, workers=2)
    with pytest.raises(ValueError, match="At least one worker is needed, not 0"):
        emulate(model, "sha", CROPS, tmp_path / "out", command=command, workers=0)


def test_a_processor_must_be_emulated_whole(tmp_path: Path) -> None:
    """QEMU only warns of what it cannot do. Hints for threads are no matter, vector units are."""
    says = (
        'echo "qemu: warning: TCG doesn\'t support requested feature: CPUID.07H:EBX.%s [bit 4]" >&2'
    )
    check_emulator(_program(tmp_path / "whole", says % "hle"))

    with pytest.raises(ValueError, match=r"half -cpu Other does not emulate avx2, fma$"):
        check_emulator(_program(tmp_path / "half", "\n".join(says % n for n in ("fma", "avx2"))))
    with pytest.raises(ValueError, match="-cpu Other failed: unable to find CPU model"):
        check_emulator(_program(tmp_path / "none", "echo unable to find CPU model >&2; exit 1"))


def test_an_emulator_that_is_not_there_is_named(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")

    with pytest.raises(OSError, match="no-such-program"):
        emulate(
            model, "sha", CROPS, tmp_path / "out", command=("no-such-program", "-cpu", "X"), workers=1
        )  # fmt: skip


def test_the_images_are_half_photographs_and_spread_over_all() -> None:
    found = chosen(_records(100, 40), 10)

    assert [r.label for r in found] == [0] * 5 + [1] * 5
    assert [int(r.path.name) for r in found] == [0, 25, 50, 74, 99, 100, 110, 120, 129, 139]


@pytest.mark.parametrize(
    ("n", "reason"),
    [
        (0, "not 0 images in all"),
        (7, "not 7 images in all"),
        (82, "41 AI images are needed, and there are 40"),
    ],
)
def test_what_cannot_be_chosen_is_an_error(n: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        chosen(_records(100, 40), n)


@pytest.mark.parametrize(
    ("difference", "agreement", "change", "passed"),
    [
        (1e-6, 1.0, 0.0, True),
        (0.002, 1.0, 0.0, False),
        (0.0, 0.98, 0.0, False),
        (0.0, 1.0, -0.006, False),
        (0.001, 0.99, 0.005, True),
    ],
)
def test_the_gate_is_that_of_a_release(
    difference: float, agreement: float, change: float, passed: bool
) -> None:
    """And the processor must not be seen."""
    found = Emulation(
        cpu="Haswell",
        n_images=50,
        difference=difference,
        agreement=agreement,
        auroc_change=change,
    )

    assert found.passed is passed
    assert str(found).startswith("pass" if passed else "FAIL")


def test_the_command_measures_against_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grain ranks these images the other way round than brightness does, which the gate has to see."""
    write_dark_photographs_and_bright_ai_images(tmp_path / "data" / "unheard-of", 4)
    bright = write_tiny_model(tmp_path / "bright.onnx")
    grainy = write_tiny_model(tmp_path / "grainy.onnx", looks_at="grain")
    manifest = dataclasses.replace(TINY_MANIFEST, checkpoint_sha256="1" * 64)
    other = write_tiny_model(tmp_path / "other.onnx", manifest)
    stored = dataclasses.replace(TINY_MANIFEST, precision="int8-weights")
    smaller = write_tiny_model(tmp_path / "smaller.onnx", stored)
    program, *_ = _program(tmp_path / "emulator", 'exec "$@"')

    def run(checkpoint: Path) -> int | str | None:
        arguments = {
            "--model": bright, "--checkpoint": checkpoint, "--data": tmp_path / "data",
            "--out": tmp_path / "out", "--images": 6, "--qemu": program, "--cpu": "Other",
        }  # fmt: skip
        words = [str(word) for pair in arguments.items() for word in pair]
        monkeypatch.setattr("sys.argv", ["emulation", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    assert run(bright) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("pass  Other, 6 images: logits differ")
    assert "agreement with fp32 1.0000" in said
    assert run(grainy) == 1
    assert "AUROC +1.0000" in capsys.readouterr().out
    assert run(other) == 2
    assert "was made of another checkpoint, 000000000000" in capsys.readouterr().err
    assert run(smaller) == 2
    assert "smaller.onnx is not in fp32" in capsys.readouterr().err

    monkeypatch.setattr("training.emulation.emulate", lambda *_, **__: np.full(6, np.nan))
    assert run(bright) == "FAIL  Other: 6 of 6 logits are no finite numbers"
