"""Opens a video and gives its frames by time: one a second, spread over its beginning.

A first pass reads the packets without decoding them, so that times come from the file's own clock
and not from what its header promises; a second one decodes what the chosen frames need. FFmpeg is
told the container by our own look at its bytes, and can open nothing but the file it was given.
"""

import bisect
import errno
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from detector.errors import (
    EmptyFile,
    EncryptedMedia,
    FileTooLarge,
    ImageTooSmall,
    NoFrames,
    NoVideoTrack,
    TooManyPixels,
    UndecodableMedia,
    UnsupportedCodec,
    UnsupportedType,
)
from detector.video_container import (
    SNIFFED_BYTES,
    VIDEO_EXTENSIONS,
    is_cut,
    is_locked,
    sniff_video,
)

_DEMUXERS = {
    "mp4": "mov",
    "mov": "mov",
    "avi": "avi",
    "wmv": "asf",
    "webm": "matroska",
    "mkv": "matroska",
}
_MAX_PACKETS = 60_000
"""Looked at in one file: 500 a second over the longest stretch."""
_SECONDS_OF_REORDERING = 2.0
"""Packets do not come in the order in which they are shown; none is further off than this."""
_NOTHING_ELSE = {"protocol_whitelist": "none"}
"""No address and no path is opened, not even by a demuxer inside another."""
_UPRIGHT = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    -180: Image.Transpose.ROTATE_180,
    -90: Image.Transpose.ROTATE_270,
}
_DECODER_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True)
class VideoLimits:
    """What is accepted, and how much of it is looked at."""

    max_bytes: int = 100 * 1000 * 1000
    max_pixels: int = 4096 * 2304
    """Of one frame."""
    min_side: int = 64
    max_seconds: float = 120.0
    """Only this much from the start is analysed."""
    max_frames: int = 64
    min_frames: int = 4
    """Taken of clips that are shorter than this many seconds, if they have as many."""


@dataclass(frozen=True)
class Frame:
    """One upright RGB frame and its time in seconds from the start."""

    t: float
    pixels: Image.Image


@dataclass(frozen=True)
class _Packets:
    """What the first pass found, in the order of decoding. Times count in the track's time base."""

    pts: list[int]
    keys: list[int]
    """Indices of the packets from which decoding can start."""
    last_shown: int
    """The end of the last frame."""
    has_more: bool
    """Whether the file goes on behind what was looked at."""


class VideoFile:
    """The chosen frames of one video. `frames` can be read once; then the other facts are final."""

    def __init__(self, file: BinaryIO, format_name: str, limits: VideoLimits) -> None:
        """`file` is open at its start, in a format that `sniff_video` names.

        Raises EncryptedMedia, NoVideoTrack, UnsupportedCodec, TooManyPixels, ImageTooSmall, NoFrames
        or UndecodableMedia.
        """
        self.format = format_name
        self._file, self._limits = file, limits
        if is_locked(file, format_name):
            raise EncryptedMedia("The video is locked by copy protection.")
        with self._open() as container:
            stream = _picture_track(container, limits)
            time_base = stream.time_base
            if time_base is None:
                raise UndecodableMedia("The video has no clock.")
            self._time_base = float(time_base)
            declared = _declared_seconds(container, stream)
            self._packets = self._read_packets(container, stream)
        self._start = min(self._packets.pts)
        found = (self._packets.last_shown - self._start) * self._time_base
        self.duration_seconds = max(found, declared) if self._packets.has_more else found
        """Of the whole file, as far as it can be known without reading all of it."""
        self.analysed_seconds = min(found, limits.max_seconds)
        ends_early = not self._packets.has_more and declared > found + max(1, found / 20)
        self.is_incomplete = ends_early or is_cut(file, format_name)
        """Whether the file ends early, or holds frames that cannot be decoded."""
        self.planned = self._plan()
        """Times of the frames to come, as ticks of the track's clock."""
        self.size = (0, 0)
        """(width, height) of the first frame, once upright."""

    def frames(self) -> Iterator[Frame]:
        """Raises UndecodableMedia when not a single frame can be decoded, and TooManyPixels."""
        wanted = iter(self.planned)
        next_pts = next(wanted, None)
        for frame in self._decode():
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or next_pts is None or pts < next_pts:
                continue
            while next_pts is not None and next_pts <= pts:
                next_pts = next(wanted, None)
            image = _upright(frame, self._limits)
            if self.size == (0, 0):
                self.size = image.size
            yield Frame(round(max(pts - self._start, 0) * self._time_base, 3), image)
            if next_pts is None:
                return
        self.is_incomplete = True
        if self.size == (0, 0):
            raise UndecodableMedia("No frame of the video can be decoded.")

    def _open(self) -> InputContainer:
        self._file.seek(0)
        try:
            return av.open(
                _Seekable(self._file),
                "r",
                format=_DEMUXERS[self.format],
                options={**_NOTHING_ELSE, "max_pixels": str(self._limits.max_pixels)},
                metadata_errors="replace",
                io_open=_refuse,
            )
        except Exception as error:  # demuxers of hostile bytes raise every kind of exception
            raise UndecodableMedia("The video is damaged or incomplete.") from error

    def _read_packets(self, container: InputContainer, stream: VideoStream) -> _Packets:
        pts_of_packets: list[int] = []
        keys: list[int] = []
        start, last_shown, has_more = None, 0, False
        for packet in _packets(container, stream):
            pts = packet.pts if packet.pts is not None else packet.dts
            if pts is None:
                continue
            start = pts if start is None else min(start, pts)
            seconds = (pts - start) * self._time_base
            if seconds > self._limits.max_seconds + _SECONDS_OF_REORDERING or (
                len(pts_of_packets) == _MAX_PACKETS
            ):
                has_more = True
                break
            if packet.is_keyframe:
                keys.append(len(pts_of_packets))
            pts_of_packets.append(pts)
            last_shown = max(last_shown, pts + max(packet.duration or 0, 1))
        if not pts_of_packets:
            raise NoFrames("The video has no frames: its length is zero.")
        return _Packets(pts_of_packets, keys or [0], last_shown, has_more)

    def _plan(self) -> list[int]:
        """The frames that are on screen in the middle of equal stretches, each frame once."""
        limits = self._limits
        shown = sorted(set(self._packets.pts))
        wish = max(math.ceil(self.analysed_seconds - 0.05), limits.min_frames)
        count = min(wish, limits.max_frames)
        step = self.analysed_seconds / self._time_base / count
        middles = [self._start + (i + 0.5) * step for i in range(count)]
        return sorted({shown[bisect.bisect_right(shown, middle) - 1] for middle in middles})

    def _decode(self) -> Iterator[VideoFrame]:
        """Frames in the order of showing: those planned, and what has to be decoded for them."""
        needed = self._needed()
        with self._open() as container:
            stream = _picture_track(container, self._limits)
            stream.thread_type = "AUTO"
            stream.thread_count = _DECODER_THREADS
            index = 0
            for packet in _packets(container, stream):
                is_timed = packet.pts is not None or packet.dts is not None
                if is_timed and index >= len(needed):
                    break
                if not is_timed or needed[index]:
                    yield from self._frames_of(stream, packet)
                index += is_timed
            yield from self._frames_of(stream, None)

    def _frames_of(
        self, stream: VideoStream, packet: "Packet[VideoStream] | None"
    ) -> list[VideoFrame]:
        """What the decoder gives for a packet; for None, what it still holds."""
        try:
            return stream.decode(packet)
        except FFmpegError:
            self.is_incomplete = True
            return []

    def _needed(self) -> list[bool]:
        """For each packet, whether a planned frame depends on it: it lies between that and a key before it."""
        packets = self._packets
        needed = [False] * len(packets.pts)
        place = {pts: index for index, pts in enumerate(packets.pts)}
        for pts in self.planned:
            end = place[pts]
            start = next(
                (k for k in reversed(packets.keys) if k <= end and packets.pts[k] <= pts), 0
            )
            needed[start : end + 1] = [True] * (end + 1 - start)
        return needed


def open_video(file: BinaryIO, limits: VideoLimits) -> VideoFile:
    """Open a video by its bytes.

    Raises EmptyFile, FileTooLarge or UnsupportedType, and what VideoFile raises.
    """
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not n_bytes:
        raise EmptyFile("The file is empty.")
    if n_bytes > limits.max_bytes:
        raise FileTooLarge(f"The file has {n_bytes} bytes; the limit is {limits.max_bytes}.")
    format_name = sniff_video(file.read(SNIFFED_BYTES))
    if format_name is None:
        raise UnsupportedType(
            f"Not one of {', '.join(sorted(VIDEO_EXTENSIONS))}, judged by its bytes."
        )
    return VideoFile(file, format_name, limits)


class _Seekable:
    """A file whose `seek` tells FFmpeg that a damaged header leads nowhere, and does not raise."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read, self.tell = file.read, file.tell

    def seek(self, offset: int, whence: int) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -errno.EINVAL


def _refuse(url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    raise PermissionError(f"A video asked for another file: {url}")


def _picture_track(container: InputContainer, limits: VideoLimits) -> VideoStream:
    """The first track of moving pictures; the cover of a sound recording is none."""
    tracks = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not tracks:
        raise NoVideoTrack("The file holds no moving pictures.")
    stream = tracks[0]
    context = stream.codec_context
    if context is None:  # though its type says never
        raise UnsupportedCodec("The video's pictures are encoded in a way that is not supported.")
    if "enc_key_id" in stream.metadata:  # Matroska's
        raise EncryptedMedia("The video is locked by copy protection.")
    _check_size(context.width, context.height, limits)
    return stream


def _check_size(width: int, height: int, limits: VideoLimits) -> None:
    if width * height > limits.max_pixels:
        raise TooManyPixels(f"{width} x {height} is more than {limits.max_pixels} pixels.")
    if 0 < min(width, height) < limits.min_side:
        raise ImageTooSmall(f"{width} x {height}: each side must have {limits.min_side} pixels.")


def _declared_seconds(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def _packets(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Packets with content, in the order of the file, until it ends or stops making sense."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, FFmpegError):
            return
        if packet.size:
            yield packet


def _upright(frame: VideoFrame, limits: VideoLimits) -> Image.Image:
    _check_size(frame.width, frame.height, limits)
    image = Image.fromarray(frame.to_ndarray(format="rgb24"))
    turn = _UPRIGHT.get(frame.rotation)
    return image if turn is None else image.transpose(turn)
