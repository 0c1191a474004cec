"""Pieces of metadata as they are cut out of a file, and a reader that never overruns."""

from dataclasses import dataclass
from enum import StrEnum


class PartKind(StrEnum):
    """What a part holds."""

    XMP = "xmp"
    EXIF = "exif"
    TEXT = "text"
    C2PA = "c2pa"


@dataclass(frozen=True)
class Part:
    """A piece of metadata: an XMP packet, a TIFF stream, a text or a C2PA manifest store."""

    kind: PartKind
    content: bytes
    keyword: str = ""
    """Of a text: what it is filed under."""


class Cut(Exception):
    """The bytes end before what they promise."""


class ByteReader:
    """Reads big-endian numbers and stretches from front to back; Cut is raised at the end."""

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = start
        self._end = len(data) if end is None else min(end, len(data))

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return self._end - self._at

    def again(self) -> "ByteReader":
        """A reader of what is left, which this one keeps."""
        return ByteReader(self._data, self._at, self._end)

    def skip(self, count: int) -> None:
        if not 0 <= count <= self.left:
            raise Cut
        self._at += count

    def take(self, count: int) -> bytes:
        start = self._at
        self.skip(count)
        return self._data[start : self._at]

    def within(self, count: int) -> "ByteReader":
        """A reader of the next `count` bytes, which this one skips."""
        start = self._at
        self.skip(count)
        return ByteReader(self._data, start, self._at)

    def uint(self, width: int) -> int:
        """A number of `width` bytes; of none, 0."""
        return int.from_bytes(self.take(width), "big")

    def name(self, limit: int) -> str:
        """Latin-1 up to a zero byte, which must come within `limit` bytes."""
        end = self._data.find(b"\0", self._at, min(self._end, self._at + limit))
        if end < 0:
            raise Cut
        name = self.take(end - self._at).decode("latin-1")
        self.skip(1)
        return name

    def rest(self, limit: int) -> bytes:
        """What is left, but at most `limit` bytes."""
        return self.take(min(self.left, limit))
