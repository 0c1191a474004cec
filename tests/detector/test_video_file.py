"""Opening videos: what is accepted, what is refused, and which frames are taken."""

import io
import os
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError
from PIL import Image

from detector import errors
from detector.image import sniff_format
from detector.video_container import SNIFFED_BYTES, VIDEO_EXTENSIONS, sniff_video
from detector.video_file import _NOTHING_ELSE, VideoFile, VideoLimits, _refuse, open_video
from tests.images import plain_image
from tests.videos import (
    CODECS,
    SIZE,
    changing,
    encode,
    locked,
    locked_matroska,
    sound_only,
    steady,
)

LIMITS = VideoLimits()


def _open(data: bytes, limits: VideoLimits = LIMITS) -> VideoFile:
    return open_video(io.BytesIO(data), limits)


def _times(data: bytes) -> list[float]:
    return [frame.t for frame in _open(data).frames()]


def test_every_format_has_a_maker_in_the_tests() -> None:
    """None goes untested."""
    assert set(VIDEO_EXTENSIONS) == set(CODECS)


def test_making_videos_leaves_the_process_its_priority() -> None:
    """A real-time one would be that of every browser and server which the tests start afterwards."""
    before = os.sched_getscheduler(0)
    encode(steady(1), "mkv", codec="libsvtav1")

    assert before == os.sched_getscheduler(0)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_every_supported_format_decodes(name: str) -> None:
    """Each container is known by its bytes and gives its pictures back, by their times."""
    data = encode(changing([40] * 30 + [200] * 30), name)
    video = _open(data)
    frames = list(video.frames())
    greys = [np.asarray(frame.pixels).mean() for frame in frames]

    assert name == video.format
    assert SIZE == video.size
    assert [0.5, 1.5, 2.5, 3.5, 4.5, 5.5] == pytest.approx([f.t for f in frames], abs=0.11)
    assert [40, 40, 40, 200, 200, 200] == pytest.approx(greys, abs=8)
    assert video.duration_seconds == pytest.approx(6, abs=0.2)
    assert not video.is_incomplete


def test_a_long_video_is_spread_over_its_beginning() -> None:
    """64 frames of the first 120 seconds; the rest is not read."""
    video = _open(encode(steady(200, rate=2, size=(64, 64)), rate=2))
    times = [frame.t for frame in video.frames()]

    assert 64 == len(times)
    assert [120 / 64] * 63 == pytest.approx(np.diff(times).tolist(), abs=0.51)
    assert 118 < times[-1] < 120
    assert 120.0 == video.analysed_seconds
    assert video.duration_seconds == pytest.approx(200, abs=1)


def test_a_short_clip_gives_four_frames() -> None:
    """One frame a second would be too few to tell a bad frame from a bad video."""
    assert [0.1, 0.3, 0.6, 0.8] == pytest.approx(_times(encode(steady(1))), abs=0.06)


def test_a_variable_frame_rate_is_read_by_the_clock() -> None:
    """A picture that stays for eight seconds is one frame, and what follows keeps its time."""
    greys = [(0.0, 20), (1.0, 120), (9.0, 220), (9.9, 220)]
    pictures = [(t, Image.new("RGB", (64, 64), (g, g, g))) for t, g in greys]
    frames = list(_open(encode(pictures, rate=30)).frames())

    assert [0.0, 1.0, 9.0] == [frame.t for frame in frames]
    assert [20, 120, 220] == pytest.approx([np.asarray(f.pixels).mean() for f in frames], abs=6)


@pytest.mark.parametrize(("rotation", "bright_edge"), [(90, "top"), (180, "left"), (-90, "bottom")])
def test_rotation_is_applied(rotation: int, bright_edge: str) -> None:
    """A film taken with the phone turned is judged as people see it."""
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 96:] = 255  # bright on the right
    video = _open(encode([(i / 10, Image.fromarray(pixels)) for i in range(10)], rotation=rotation))
    upright = np.asarray(next(iter(video.frames())).pixels)
    edges = {
        "top": upright[:8],
        "bottom": upright[-8:],
        "left": upright[:, :8],
        "right": upright[:, -8:],
    }

    assert bright_edge == max(edges, key=lambda name: edges[name].mean())
    assert ((64, 128) if abs(rotation) == 90 else (128, 64)) == video.size


def test_stretches_between_wanted_frames_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file can be entered between two frames, what lies before is left out."""
    data = encode(steady(12, rate=20, size=(64, 64)), rate=20, codec="mjpeg", format_name="avi")
    decoded = 0
    inner = VideoFile._frames_of

    def count(self: VideoFile, stream: object, packet: object) -> object:
        nonlocal decoded
        decoded += packet is not None
        return inner(self, stream, packet)  # type: ignore[arg-type]

    monkeypatch.setattr(VideoFile, "_frames_of", count)

    assert 12 == len(_times(data))
    assert 12 == decoded


def _without_index() -> bytes:
    """As a camera leaves it that lost power: the index was never written."""
    data = encode(steady(2))
    return data[: data.index(b"moov") - 4]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", errors.EmptyFile),
        (b"just words" * 20, errors.UnsupportedType),
        (plain_image("PNG"), errors.UnsupportedType),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", errors.UnsupportedType),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", errors.UnsupportedType),
        (b'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>', errors.UnsupportedType),
        (encode([], "avi"), errors.NoFrames),
        (encode([], muxing={"movflags": "empty_moov"}), errors.NoFrames),
        (sound_only(), errors.NoVideoTrack),
        (sound_only(cover=True), errors.NoVideoTrack),
        (_without_index(), errors.UndecodableMedia),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 100, errors.UndecodableMedia),
        (b"RIFF\xff\xff\xff\xffAVI " + b"\0" * 100, errors.UndecodableMedia),
        (locked(encode(steady(1))), errors.EncryptedMedia),
        (encode(steady(1)).replace(b"avc1", b"encv"), errors.EncryptedMedia),
        (locked_matroska(encode(steady(1), "mkv")), errors.EncryptedMedia),
        (encode(steady(1)).replace(b"avc1", b"zzzz"), errors.UnsupportedCodec),
        (encode(steady(1, size=(48, 160))), errors.ImageTooSmall),
        (encode(steady(0.1, size=(4400, 2200)), "avi", codec="mjpeg"), errors.TooManyPixels),
    ],
    ids=[
        "empty", "text", "image", "HLS playlist", "list of files", "DASH manifest", "zero length",
        "no fragment", "sound",
        "sound with a cover", "no index", "MKV header only", "AVI header only", "locked", "locked without more",
        "locked MKV", "unknown codec",
        "narrow", "above 4K",
    ],
)  # fmt: skip
def test_bad_files_raise_their_own_error(data: bytes, expected: type[errors.DetectorError]) -> None:
    """Whatever is wrong with a file, its error says which kind of wrong."""
    with pytest.raises(errors.DetectorError) as caught:
        list(_open(data).frames())

    assert expected is type(caught.value)


def test_a_locked_wmv_is_named_as_such() -> None:
    """Its header has an object that says how the content is encrypted."""
    data = bytearray(encode(steady(1), "wmv"))
    size, count = int.from_bytes(data[16:24], "little"), int.from_bytes(data[24:28], "little")
    protection = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + (24).to_bytes(8, "little")
    data[16:24], data[24:28] = (size + 24).to_bytes(8, "little"), (count + 1).to_bytes(4, "little")
    data[30:30] = protection

    with pytest.raises(errors.EncryptedMedia):
        _open(bytes(data))


def test_too_many_bytes_are_refused_unread() -> None:
    """The limit is the caller's."""
    with pytest.raises(errors.FileTooLarge):
        _open(encode(steady(1)), VideoLimits(max_bytes=100))


@pytest.mark.parametrize(
    ("name", "muxing"),
    [("mp4", {"movflags": "faststart"}), ("avi", None), ("wmv", None), ("mkv", None)],
)
def test_of_a_cut_video_the_beginning_is_read(name: str, muxing: dict[str, str] | None) -> None:
    """As a broken download leaves it: what is there is analysed, and the answer can say so."""
    rng = np.random.default_rng(0)
    noise = [
        (i / 10, Image.fromarray(rng.integers(0, 255, (96, 96, 3), np.uint8))) for i in range(100)
    ]
    data = encode(noise, name, muxing=muxing)
    video = _open(data[: len(data) // 2])
    times = [frame.t for frame in video.frames()]

    assert 2 < times[-1] < 8
    assert video.is_incomplete


def test_noise_in_the_middle_does_not_lose_the_rest() -> None:
    """Frames that cannot be decoded are left out; the file counts as damaged."""
    data = bytearray(encode(steady(8, size=(64, 64)), "avi", codec="mjpeg"))
    start = data.index(b"movi") + (len(data) - data.index(b"movi")) // 3
    data[start : start + 3000] = bytes(3000)
    video = _open(bytes(data))
    times = [frame.t for frame in video.frames()]

    assert 3 <= len(times) <= 8


def test_no_other_file_is_ever_opened(tmp_path: Path) -> None:
    """Even a demuxer of playlists, were it reached, would be refused every file that it names."""
    (tmp_path / "secret.mp4").write_bytes(encode(steady(1)))
    playlist = f"ffconcat version 1.0\nfile {tmp_path}/secret.mp4\n".encode()

    def open_with(options: dict[str, str]) -> None:
        options = {**options, "safe": "0"}
        av.open(io.BytesIO(playlist), "r", format="concat", options=options, io_open=_refuse)

    open_with({})  # which is why there are options
    with pytest.raises(FFmpegError):
        open_with(_NOTHING_ELSE)


def test_pictures_are_not_taken_for_videos() -> None:
    """Nor the other way round: each file has at most one name."""
    images = [plain_image(name) for name in ("PNG", "JPEG", "WEBP")]
    videos = [encode(steady(0.5), name) for name in CODECS]

    assert {None} == {sniff_video(data[:SNIFFED_BYTES]) for data in images}
    assert {None} == {sniff_format(data) for data in videos}
