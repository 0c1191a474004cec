"""Video files, whole and broken ones, made on the spot."""

import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
from PIL import Image

CODECS = {
    "mp4": ("mp4", "libx264"),
    "mov": ("mov", "libx264"),
    "avi": ("avi", "mpeg4"),
    "wmv": ("asf", "wmv2"),
    "webm": ("webm", "libvpx"),
    "mkv": ("matroska", "libx264"),
}
"""Our name of a format -> FFmpeg's, and what its pictures are usually encoded with."""

_QUICK: dict[str, dict[str, object]] = {
    "libx264": {"preset": "ultrafast", "x264-params": "threads=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}
_TICKS = 1000

SIZE = (256, 224)
"""Of pictures, if nothing else is said: the smallest that are judged have 224 pixels."""


def encode(
    pictures: Iterable[tuple[float, Image.Image]],
    format_name: str = "mp4",
    *,
    codec: str | None = None,
    rate: int = 10,
    rotation: int | None = None,
    muxing: dict[str, str] | None = None,
) -> bytes:
    """A video of upright pictures, each with its time in seconds. `rotation` is in degrees, anti-clockwise."""
    container_name, usual_codec = CODECS[format_name]
    codec = codec or usual_codec
    pictures = list(pictures)
    with (
        _priority_kept(),
        tempfile.NamedTemporaryFile() as file,
        av.open(file.name, "w", format=container_name, options=muxing or {}) as container,
    ):
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        if pictures:
            stream.width, stream.height = pictures[0][1].size
        else:
            stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = _QUICK.get(codec, {})
        # WMV and AVI keep no finer clock than this.
        ticks = rate if format_name in {"avi", "wmv"} else _TICKS
        stream.codec_context.time_base = Fraction(1, ticks)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        container.start_encoding()  # a file without a picture has its header, too
        for t, picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.asarray(picture))
            frame.pts, frame.time_base = round(t * ticks), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        container.close()
        return file.read()


@contextmanager
def _priority_kept() -> Iterator[None]:
    """Where root calls it, SVT-AV1 makes the calling thread a real-time one, and so all that this starts later."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def panned(
    photograph: Image.Image, seconds: float, size: tuple[int, int], *, rate: int
) -> Iterator[tuple[float, Image.Image]]:
    """A camera that moves across an enlarged photograph, from its upper left to its lower right corner."""
    width, height = size
    side = round(1.3 * max(size))
    scene = photograph.resize((side, side))
    count = round(seconds * rate)
    for i in range(count):
        left, top = ((side - length) * i // count for length in size)
        yield i / rate, scene.crop((left, top, left + width, top + height))


def repeated(clip: bytes, times: int) -> bytes:
    """A clip in MP4 so many times in a row, without encoding it again."""
    with tempfile.NamedTemporaryFile() as file:
        with (
            av.open(io.BytesIO(clip), "r") as first,
            av.open(file.name, "w", format="mp4") as container,
        ):
            stream = container.add_stream_from_template(first.streams.video[0])
            length = first.streams.video[0].duration
            assert length
            for number in range(times):
                first.seek(0)
                for packet in first.demux(video=0):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.dts += number * length
                    packet.pts += number * length
                    packet.stream = stream
                    container.mux(packet)
        return file.read()


def steady(
    seconds: float, grey: int = 128, *, rate: int = 10, size: tuple[int, int] = SIZE
) -> list[tuple[float, Image.Image]]:
    """Pictures of one colour; the tiny model scores them by their brightness."""
    return changing([grey] * round(seconds * rate), rate=rate, size=size)


def changing(
    greys: Sequence[int], *, rate: int = 10, size: tuple[int, int] = SIZE
) -> list[tuple[float, Image.Image]]:
    """One picture after the other, each of one colour."""
    return [(i / rate, Image.new("RGB", size, (g, g, g))) for i, g in enumerate(greys)]


def sound_only(*, cover: bool = False) -> bytes:
    """A recording without moving pictures; with a cover, it has one picture that does not move."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        tone = container.add_stream("aac", rate=44100)
        if cover:
            picture = container.add_stream("mjpeg", rate=1)
            assert isinstance(picture, av.VideoStream)
            (picture.width, picture.height), picture.pix_fmt = SIZE, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), np.uint8))
            frame.pts, frame.time_base = 0, Fraction(1, 1)
            container.mux([*picture.encode(frame), *picture.encode()])
        _add_tone(container, tone)
    return buffer.getvalue()


def locked(mp4: bytes) -> bytes:
    """The same MP4 as a protected one: its pictures are filed as encrypted (ISO/IEC 23001-7)."""
    entry = mp4.index(b"avc1", mp4.index(b"stsd")) - 4
    end = entry + int.from_bytes(mp4[entry : entry + 4], "big")
    scheme = _box(b"frma", b"avc1") + _box(b"schm", bytes(4) + b"cenc" + bytes((0, 1, 0, 0)))
    protection = _box(b"sinf", scheme)
    changed = bytearray(mp4)
    changed[end:end] = protection
    for kind in (b"avc1", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        at = (entry + 4 if kind == b"avc1" else mp4.rindex(kind, 0, entry + 4)) - 4
        size = int.from_bytes(mp4[at : at + 4], "big") + len(protection)
        changed[at : at + 4] = size.to_bytes(4, "big")
    changed[entry + 4 : entry + 8] = b"encv"
    return bytes(changed)


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def locked_matroska(mkv: bytes) -> bytes:
    """The same MKV as a protected one: its track names the key of its encryption (RFC 9559)."""
    encryption = _ebml("5035", _ebml("47e1", b"\5") + _ebml("47e2", b"k" * 16))
    encodings = _ebml("6d80", _ebml("6240", _ebml("5033", b"\1") + encryption))
    tracks, segment = (mkv.rindex(bytes.fromhex(name)) for name in ("1654ae6b", "18538067"))
    entry, end = _ebml_body(mkv, tracks + 4)
    while mkv[entry] != 0xAE:  # a checksum comes before the track
        _, entry = _ebml_body(mkv, entry + 1)
    start, stop = _ebml_body(mkv, entry + 1)
    changed = _ebml("1654ae6b", _ebml("ae", mkv[start:stop] + encodings))
    length = mkv[segment + 4 : segment + 12]
    assert 1 == length[0]  # eight bytes, which may also say "until the end"
    whole = mkv[:tracks] + changed + mkv[end:]
    return whole[: segment + 4] + b"\1" + b"\xff" * 7 + whole[segment + 12 :]


def _ebml(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + b"\1" + len(content).to_bytes(7, "big") + content


def _ebml_body(data: bytes, at: int) -> tuple[int, int]:
    """Start and end of what an element holds whose length is written at `at`."""
    width = 9 - data[at].bit_length()
    length = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return at + width, at + width + length


def _add_tone(container: av.container.OutputContainer, stream: av.stream.Stream) -> None:
    assert isinstance(stream, av.AudioStream)
    for i in range(20):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate, frame.pts = 44100, i * 1024
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
