"""The type of a file by its first bytes, as the service judges it; names are not looked at."""

HEAD_BYTES = 16
"""How many bytes of a file are enough."""

_STARTS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "video/x-ms-wmv",
    b"\x1a\x45\xdf\xa3": "video/webm",
}
_RIFF_KINDS = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_STILL_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
}
_OLD_QUICKTIME_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip")
UNKNOWN = "application/octet-stream"


def media_type(head: bytes) -> str:
    """A media type such as image/jpeg, or application/octet-stream for what is not known."""
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF_KINDS.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _STILL_BRANDS.get(brand, "video/quicktime" if brand == b"qt  " else "video/mp4")
    return "video/quicktime" if head[4:8] in _OLD_QUICKTIME_BOXES else UNKNOWN
