"""Whether a smaller graph still says what fp32 says on a processor that this machine is not: under QEMU.

    python -m training.emulation --checkpoint RUN/refit.pt --data FOLDER [--data FOLDER ...] --out FOLDER
                                 [--model MODEL.onnx] [--cpu Haswell] [--images 50] [--workers N] [--qemu PROGRAM]

Processors without VNNI, some of Lambda's among them, add two 8-bit products in 16 bits, where the sum can saturate: a
graph that computes in int8 and passed the gate of a release need not hold there. One that computes in fp32 has nothing
to saturate, but goes through other kernels there. So the middle crops of some photographs and AI images of the test
data, as they are, go through the model on the emulated processor and on this one, and through its checkpoint in fp32.
Prints `pass` or `FAIL`, and ends with status 1 when it failed.

Needs the user mode of QEMU 7.2 or later (Debian: `qemu-user`). A crop takes minutes; a stopped command goes on where it
was.
"""

import argparse
import dataclasses
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from detector.analysis import MODEL_PATH
from detector.classifier import Classifier, OnnxClassifier
from detector.errors import ModelLoadError
from detector.image import decode_image
from detector.labels import FAKE, REAL
from detector.preprocess import PreprocessSpec, cut_crops
from training.calibrate import bands_of
from training.candidate import load_candidate
from training.emulated import crop_alone
from training.evaluate import held_out_records
from training.files import replacing
from training.quantize import MAX_AUROC_CHANGE, MIN_AGREEMENT, auroc_change
from training.records import Record
from training.scoring import LIMITS, readable

QEMU = "qemu-x86_64"
CPU = "Haswell"
"""With AVX2 and without VNNI."""
IMAGES = 50
MAX_DIFFERENCE = 0.001
"""Between a model's logits on two processors; rounding in another order moves them by a thousandth of that."""
_NOT_EMULATED = re.compile(r"support requested feature: \S*\.(avx\w*|fma)\b")


@dataclass(frozen=True, kw_only=True)
class Emulation:
    """A model on an emulated processor, against fp32 on this machine."""

    cpu: str
    n_images: int
    difference: float
    """The largest between its logits there and on this machine."""
    agreement: float
    """Share of images that land in the same band there as with fp32, by the limits of the model, 0..1."""
    auroc_change: float
    """Over all generators: there, minus that of fp32. Of a single one there are too few images."""

    @property
    def passed(self) -> bool:
        """Whether its logits are those of this machine, and keep to fp32 as the gate of a release asks: of fewer than a
        hundred images not one may change its band, so that a model which barely passed the gate may fail here.
        """
        return (
            self.difference <= MAX_DIFFERENCE
            and self.agreement >= MIN_AGREEMENT
            and abs(self.auroc_change) <= MAX_AUROC_CHANGE
        )

    def __str__(self) -> str:
        return (
            f"{'pass' if self.passed else 'FAIL'}  {self.cpu}, {self.n_images} images: logits differ from this"
            f" machine's by {self.difference:.1e} (at most {MAX_DIFFERENCE}); agreement with fp32"
            f" {self.agreement:.4f} (at least {MIN_AGREEMENT}), AUROC {self.auroc_change:+.4f}"
            f" (at most {MAX_AUROC_CHANGE})"
        )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="of which the model was made"
    )
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True, help="where the logits are kept")
    parser.add_argument("--model", type=Path, default=MODEL_PATH)
    parser.add_argument("--cpu", default=CPU, help="one of those of `qemu-x86_64 -cpu help`")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="crops at a time")
    parser.add_argument("--qemu", default=QEMU)
    args = parser.parse_args()
    # Unwinds the stack, so that the workers end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    command = (args.qemu, "-cpu", args.cpu)
    try:
        check_emulator(command)
        classifier = OnnxClassifier.load(args.model)
        fp32 = load_candidate(args.checkpoint).classifier
        made_of = classifier.manifest.checkpoint_sha256
        if made_of != fp32.manifest.checkpoint_sha256:
            raise ValueError(f"{args.model} was made of another checkpoint, {made_of[:12]}")
        if fp32.manifest.precision != "fp32":
            raise ValueError(f"{args.checkpoint} is not in fp32")
        records, _ = readable(held_out_records(args.data, classifier.manifest.trained_on))
        records = chosen(records, args.images)
        crops_NHWC = middle_crops(records, classifier.manifest.spec)
        there = emulate(
            args.model,
            classifier.weights_sha256,
            crops_NHWC,
            args.out,
            command=command,
            workers=args.workers,
        )
    except (OSError, ValueError, ModelLoadError) as error:
        parser.error(str(error))
    if odd := int((~np.isfinite(there)).sum()):
        sys.exit(f"FAIL  {args.cpu}: {odd} of {len(there)} logits are no finite numbers")
    here, reference = (logits_of(each, crops_NHWC) for each in (classifier, fp32))
    limits = classifier.manifest
    in_band = [
        bands_of(limits.calibration.probability(logits), limits.bands)
        for logits in (there, reference)
    ]
    found = Emulation(
        cpu=args.cpu,
        n_images=len(records),
        difference=float(np.abs(there - here).max()),
        agreement=float((in_band[0] == in_band[1]).mean()),
        auroc_change=auroc_change(np.array([r.label for r in records]), reference, there),
    )
    print(found)
    sys.exit(0 if found.passed else 1)


def check_emulator(command: Sequence[str]) -> None:
    """Raises OSError when it cannot be started, and ValueError when it does not know the processor, or emulates one of
    its vector units only in name.
    """
    done = subprocess.run(  # noqa: S603 - the command is the operator's own
        [*command, sys.executable, "-c", ""], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ValueError(f"{' '.join(command)} failed: {done.stderr[-500:].strip()}")
    if missing := sorted(set(_NOT_EMULATED.findall(done.stderr))):
        raise ValueError(f"{' '.join(command)} does not emulate {', '.join(missing)}")


def chosen(records: list[Record], n: int) -> list[Record]:
    """Photographs and AI images, half of each, evenly chosen.

    Raises ValueError when n is odd or below 2, or when there are not so many.
    """
    if n < 2 or n % 2:
        raise ValueError(f"As many photographs as AI images are needed, not {n} images in all")
    found = []
    for label, name in ((REAL, "photographs"), (FAKE, "AI images")):
        of_label = [r for r in records if r.label == label]
        if len(of_label) < n // 2:
            raise ValueError(f"{n // 2} {name} are needed, and there are {len(of_label)}")
        places = np.linspace(0, len(of_label) - 1, n // 2).round().astype(int)
        found += [of_label[place] for place in places]
    return found


def middle_crops(records: Sequence[Record], spec: PreprocessSpec) -> np.ndarray:
    """One of each image, uint8 [N, S, S, 3]."""
    alone = dataclasses.replace(spec, max_crops_per_axis=1)
    images = (decode_image(record.path.read_bytes(), LIMITS).pixels for record in records)
    return np.concatenate([cut_crops(image, alone).pixels for image in images])


def logits_of(classifier: Classifier, crops_NHWC: np.ndarray) -> np.ndarray:
    """Of each crop, [N], on this machine."""
    places = range(len(crops_NHWC))
    return np.array([classifier.score(crop_alone(crops_NHWC, i)).logits[0] for i in places])


def emulate(
    model: Path,
    weights_sha256: str,
    crops_NHWC: np.ndarray,
    out: Path,
    *,
    command: Sequence[str],
    workers: int,
) -> np.ndarray:
    """The logit of each crop, [N], from processes that `command` starts. Those that lie below `out`, of the same
    weights, crops, command and runtime, are not asked for again.

    Raises OSError when the command cannot be started, and ValueError when there are no workers, and with the last words
    of one that failed.
    """
    if workers < 1:
        raise ValueError(f"At least one worker is needed, not {workers}")
    asked = "\n".join([*command, weights_sha256, onnxruntime.__version__]).encode()
    digest = hashlib.sha256(asked + crops_NHWC.tobytes()).hexdigest()
    folder = out / f"{command[-1]}-{digest[:12]}"
    crops = folder / "crops.npy"
    with replacing(crops) as partial:
        np.save(partial, crops_NHWC)
    logits = [folder / f"{place}.npy" for place in range(len(crops_NHWC))]
    missing = [file.stem for file in logits if not file.exists()]
    with ExitStack() as stack:
        processes = []
        for worker in range(min(workers, len(missing))):
            log = stack.enter_context((folder / f"worker-{worker}.log").open("w"))
            process = subprocess.Popen(  # noqa: S603 - the command is the operator's own
                [
                    *command,
                    *(sys.executable, "-m", "training.emulated"),
                    *(str(model), str(crops), str(folder)),
                    *missing[worker::workers],
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        for done in _progress(processes, logits):
            print(f"{done} of {len(logits)} crops", flush=True)
        for worker, process in enumerate(processes):
            if process.poll():
                words = (folder / f"worker-{worker}.log").read_text(errors="replace")
                raise ValueError(
                    f"{command[0]} failed ({process.returncode}): {words[-500:].strip()}"
                )
    if silent := [file.stem for file in logits if not file.exists()]:
        raise ValueError(f"{command[0]} ended without the crops {', '.join(silent)}")
    return np.array([np.load(file) for file in logits])


def _progress(processes: Sequence[subprocess.Popen[bytes]], files: Sequence[Path]) -> Iterator[int]:
    """How many of the files there are, each time there are more, until all processes have ended, or one has failed."""
    said = -1
    running = True
    while running:
        states = [process.poll() for process in processes]
        running = None in states and not any(states)
        if (done := sum(file.exists() for file in files)) != said:
            yield (said := done)
        if running:
            time.sleep(0.5)


if __name__ == "__main__":
    main()
