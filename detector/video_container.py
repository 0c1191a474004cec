"""Looks at a video's container without FFmpeg: its name, copy protection, and whether its end is missing."""

import os
from collections.abc import Iterator
from typing import BinaryIO, Literal

VIDEO_EXTENSIONS = {
    "mp4": (".mp4", ".m4v"),
    "mov": (".mov",),
    "avi": (".avi",),
    "wmv": (".wmv", ".asf"),
    "webm": (".webm",),
    "mkv": (".mkv",),
}
"""How files of each format are usually named. Only folders are searched by name; files are judged by bytes."""

SNIFFED_BYTES = 64
"""How many of a file's first bytes `sniff_video` needs."""

_NO_FILE_ENDS_HERE = 1 << 40
_MAX_STEPS = 20_000
"""Boxes or objects looked at in one file."""
_QUICKTIME_BOXES = {b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
_BOXES_TO_SAMPLE_ENTRIES = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"}
_LOCKED_SAMPLE_ENTRIES = {b"encv", b"drmi"}
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROTECTIONS = {
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),  # content encryption
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),  # extended content encryption
}


def sniff_video(head: bytes) -> str | None:
    """Name the container by its first SNIFFED_BYTES; None when it is not one that is supported."""
    if head[4:8] == b"ftyp":
        return "mov" if head[8:12] == b"qt  " else "mp4"
    if head[4:8] in _QUICKTIME_BOXES:
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head.startswith(_ASF_HEADER):
        return "wmv"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head[:SNIFFED_BYTES] else "mkv"
    return None


def is_locked(file: BinaryIO, format_name: str) -> bool:
    """Whether an MP4 or MOV (ISO/IEC 14496-12) or a WMV (ASF) says that its pictures are encrypted."""
    if format_name in {"mp4", "mov"}:
        steps = iter(range(_MAX_STEPS))
        entries = _sample_entries(file, 0, _size(file), steps)
        return any(kind in _LOCKED_SAMPLE_ENTRIES for kind in entries)
    if format_name == "wmv":
        return any(kind in _ASF_PROTECTIONS for kind in _asf_header_objects(file))
    return False


def is_cut(file: BinaryIO, format_name: str) -> bool:
    """Whether the container declares more bytes than the file has."""
    size, declared = _size(file), 0
    if format_name in {"mp4", "mov"}:
        boxes = _boxes(file, 0, size, iter(range(_MAX_STEPS)))
        declared = max((end for _, _, end in boxes), default=0)
    elif format_name == "avi":
        declared = 8 + _number(file, 4, 4, "little")
    elif format_name == "wmv":
        header = _number(file, 16, 8, "little")
        declared = header + (_number(file, header + 16, 8, "little") if header < size else 0)
    return declared > size


def _sample_entries(file: BinaryIO, start: int, end: int, steps: Iterator[int]) -> Iterator[bytes]:
    """How the samples of each track are filed, such as `avc1`."""
    for kind, body, stop in _boxes(file, start, end, steps):
        if kind == b"stsd":
            yield from (entry for entry, _, _ in _boxes(file, body + 8, min(stop, end), steps))
        elif kind in _BOXES_TO_SAMPLE_ENTRIES:
            yield from _sample_entries(file, body, min(stop, end), steps)


def _boxes(
    file: BinaryIO, start: int, end: int, steps: Iterator[int]
) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the body and declared end of each box; the last one may end behind `end`."""
    while start + 8 <= end and next(steps, None) is not None:
        length, header = _number(file, start, 4, "big"), 8
        kind = file.read(4)
        if length == 1:
            length, header = _number(file, start + 8, 8, "big"), 16
        stop = start + length if length else end
        if stop < start + header:
            return
        yield kind, start + header, stop
        start = stop


def _asf_header_objects(file: BinaryIO) -> Iterator[bytes]:
    start, end = 30, min(_number(file, 16, 8, "little"), _size(file))
    for _ in range(_MAX_STEPS):
        if start + 24 > end:
            return
        length = _number(file, start + 16, 8, "little")
        file.seek(start)
        yield file.read(16)
        if length < 24:
            return
        start += length


def _number(file: BinaryIO, at: int, width: int, order: Literal["big", "little"]) -> int:
    """Bytes that are not there count as none."""
    file.seek(min(at, _NO_FILE_ENDS_HERE))
    return int.from_bytes(file.read(width), order)


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)
