"""Files that are no JPEG, PNG, GIF, WebP or AVIF, whatever they are called."""

import gzip
import io
import tarfile
import zipfile

from PIL import Image

from indexer.images.reasons import Reason
from tests.hostile.specimens.families import Families, Files
from tests.indexer.images.drawn import saved, scene

FOREIGN = Families()


def _archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/cron.d/job.jpg", bytes(5_000_000))
    return file.getvalue()


def _tape() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("/etc/passwd")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return file.getvalue()


@FOREIGN(Reason.EMPTY)
def nothing() -> Files:
    yield "no bytes", b""


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def pictures_of_other_formats() -> Files:
    for image_format in (
        "BMP",
        "TIFF",
        "PPM",
        "ICO",
        "TGA",
        "PCX",
        "SGI",
        "DDS",
        "JPEG2000",
        "ICNS",
        "EPS",
        "PDF",
    ):
        picture = scene().resize((64, 64)) if image_format in ("ICO", "ICNS") else scene()
        yield image_format, saved(picture, image_format)
    yield from {
        "XBM": saved(Image.new("1", (32, 32)), "XBM"),
        "PSD": b"8BPS\0\1" + bytes(500),
        "JPEG XL": b"\xff\x0a" + bytes(99),
        "JPEG XL in boxes": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99),
        "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
        "OpenEXR": b"\x76\x2f\x31\x01" + bytes(99),
        "Radiance": b"#?RADIANCE\n" + bytes(99),
        "FITS": b"SIMPLE  =                    T" + b" " * 2_850,
        "WMF": b"\xd7\xcd\xc6\x9a" + bytes(99),
        "DjVu": b"AT&TFORM" + bytes(99),
        "QOI": b"qoif" + bytes(99),
        "camera raw": b"FUJIFILMCCD-RAW " + bytes(99),
    }.items()


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def drawings_and_pages() -> Files:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    yield "SVG", drawing.encode()
    yield "SVG of an outside file", b'<svg><image href="file:///etc/passwd"/></svg>'
    yield "SVG in UTF-16", drawing.encode("utf-16")
    yield "XML of endless entities", b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><svg>&c;</svg>'
    yield "XML of an outside entity", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
    yield "page", b"<!DOCTYPE html><script>alert(1)</script>"
    yield "PostScript", b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file"
    yield "PDF", b"%PDF-1.7\n1 0 obj <</OpenAction <</S /JavaScript>>>>"
    yield "MVG", b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/x.php'\npop graphic-context"
    yield "caption", b"caption:@/etc/passwd"


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def archives() -> Files:
    yield "zip", _archive()
    yield "gzip", gzip.compress(bytes(5_000_000))
    yield "tar", _tape()
    yield "7z", b"7z\xbc\xaf\x27\x1c" + bytes(99)
    yield "rar", b"Rar!\x1a\x07\x01\0" + bytes(99)
    yield "xz", b"\xfd7zXZ\0" + bytes(99)
    yield "zstd", b"\x28\xb5\x2f\xfd" + bytes(99)


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def programs() -> Files:
    yield "ELF", b"\x7fELF\2\1\1" + bytes(500)
    yield "Windows", b"MZ\x90\0" + bytes(500)
    yield "Mach-O", b"\xcf\xfa\xed\xfe" + bytes(500)
    yield "WebAssembly", b"\0asm\1\0\0\0"
    yield "Java", b"\xca\xfe\xba\xbe" + bytes(99)
    yield "shell", b"#!/bin/sh\nrm -rf /\n"
    yield "PHP", b"<?php system($_GET['c']);"
    yield "pickle", b"\x80\x04cos\nsystem\n(S'id'\ntR."
    yield "Python", b"__import__('os').system('id')"


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def sounds_and_videos() -> Files:
    yield "MP4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500)
    yield "WebM", b"\x1aE\xdf\xa3" + bytes(99)
    yield "AVI", b"RIFF\x99\0\0\0AVI LIST" + bytes(99)
    yield "WAV", b"RIFF\x99\0\0\0WAVEfmt " + bytes(99)
    yield "MP3", b"ID3\4\0\0\0\0\0\0" + bytes(99)
    yield "Ogg", b"OggS" + bytes(99)
    yield "playlist", b"#EXTM3U\nfile:///etc/passwd\n"


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def other_data() -> Files:
    yield "text", b"a shopping list\n" * 20
    yield "JSON", b'{"photo": "https://127.0.0.1/a.jpg"}'
    yield "base64", b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
    yield "data URL", b"data:image/png;base64,iVBORw0KGgo="
    yield "database", b"SQLite format 3\0" + bytes(500)
    yield "NumPy", b"\x93NUMPY\1\0v\0{'descr': '|O'}" + bytes(99)
    yield "one byte", b"\xff"
    yield "zeros", bytes(5_000)
    yield "every byte", bytes(range(256)) * 9


@FOREIGN(Reason.UNSUPPORTED_FORMAT)
def pictures_with_something_before() -> Files:
    for image_format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        content = saved(scene(), image_format)
        yield f"a byte before {image_format}", b"\0" + content
        yield (
            f"its name lost from {image_format}",
            b"????" + (b"?" * 8 if image_format == "AVIF" else b"") + content[12:],
        )
        yield f"{image_format} as text", content.replace(b"\r\n", b"\n").decode("latin-1").encode("utf-16")
    yield "page before a picture", b"<html>" + saved(scene(), "JPEG")
    yield "line ends changed", saved(scene(), "PNG").replace(b"\r\n", b"\n")


@FOREIGN(Reason.TOO_LARGE_BYTES)
def too_many_bytes() -> Files:
    """Larger than a photo may be and yet within what a request may have."""
    for image_format in ("JPEG", "PNG", "GIF"):
        content = saved(scene(), image_format)
        yield image_format, content + bytes(15_000_001 - len(content))
