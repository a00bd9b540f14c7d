"""Why an image is rejected: one closed list of words for ledgers, reports and clients."""

from enum import StrEnum

from indexer.errors import ImageRejected


class Reason(StrEnum):
    """The `reason` of an `ImageRejected`. Words are stored in ledgers: add, never rename."""

    MISSING = "missing"
    """No file at that path, or the address answers 404 or 410."""
    UNREADABLE = "unreadable"
    """The file exists and cannot be read: permissions, or an I/O error."""
    NOT_A_FILE = "not_a_file"
    """A folder, device, pipe or socket."""
    OUTSIDE_ROOT = "outside_root"
    """The path leaves, or may leave, the catalogue's folder."""
    NOT_HTTPS = "not_https"
    """A URL of another scheme, or a redirect to one."""
    FORBIDDEN_ADDRESS = "forbidden_address"
    """The URL leads to a private, local or otherwise non-public address, or to an odd port."""
    FETCH_FAILED = "fetch_failed"
    """The URL did not give the image; it may later."""
    EMPTY = "empty"
    """The file has no bytes."""
    TOO_LARGE_BYTES = "too_large_bytes"
    UNSUPPORTED_FORMAT = "unsupported_format"
    """Not JPEG, PNG, WebP, AVIF or GIF, whatever the file name says."""
    TRUNCATED = "truncated"
    """The file ends before the picture does."""
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LARGE_SIDE = "too_large_side"
    TOO_SMALL = "too_small"
    BAD_ASPECT = "bad_aspect"
    TOO_MANY_FRAMES = "too_many_frames"
    DECODE_FAILED = "decode_failed"
    """The format is right and the contents are corrupt, hostile, or crash the decoder."""
    DECODE_TIMEOUT = "decode_timeout"
    OUT_OF_MEMORY = "out_of_memory"
    """Decoding needs more memory than a decoding child may use."""


def rejected(reason: Reason, detail: str) -> ImageRejected:
    return ImageRejected(reason, detail)
