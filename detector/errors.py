"""The errors that analysing a file can raise. Each carries a stable `code` for programs."""

from typing import ClassVar


class DetectorError(Exception):
    """Base of every error raised by this package."""

    code: ClassVar[str] = "detector_error"


class EmptyFile(DetectorError):
    """The file has no bytes."""

    code = "empty_file"


class FileTooLarge(DetectorError):
    """The file has more bytes than the limit."""

    code = "file_too_large"


class UnsupportedType(DetectorError):
    """The bytes are not one of the supported media types, whatever the name says."""

    code = "unsupported_type"


class TooManyPixels(DetectorError):
    """The image declares more pixels than the limit."""

    code = "too_many_pixels"


class ImageTooSmall(DetectorError):
    """A side of the image is shorter than the limit."""

    code = "image_too_small"


class UndecodableMedia(DetectorError):
    """The bytes start like a supported type but cannot be decoded."""

    code = "undecodable_media"


class NoVideoTrack(DetectorError):
    """The file is a container that holds no moving pictures, such as a sound recording."""

    code = "no_video_track"


class NoFrames(DetectorError):
    """The file promises moving pictures and holds none: its length is zero."""

    code = "no_frames"


class EncryptedMedia(DetectorError):
    """The pictures are locked by copy protection."""

    code = "encrypted_media"


class UnsupportedCodec(DetectorError):
    """The container is known; the way its pictures are encoded is not."""

    code = "unsupported_codec"


class ModelLoadError(DetectorError):
    """The model file is missing, damaged, or has no manifest; or a file loaded with it is."""

    code = "model_load_failed"
