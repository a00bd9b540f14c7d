"""The machine that the service runs on: room, limits, devices, decoding, and the service itself."""

import os
import resource
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import numpy as np

from indexer.encoders import devices_of
from indexer.errors import ImageRejected
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.images.webp import as_webp
from service.address import running_service
from service.doctor.finding import Finding, fault, ok, warning
from service.doctor.patient import Patient

LITTLE_ROOM: Final = 5 << 30
"""Bytes below which the next build or backup may not fit."""
FEW_FILES: Final = 4_096
"""Open files that a busy service with an embedded store comes near to."""


def check_home(patient: Patient) -> Iterator[Finding]:
    home = patient.settings.home
    try:
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(b"probe")
        free = shutil.disk_usage(home).free
    except OSError as error:
        said = f"{home} cannot be written in: {error.strerror}"
        yield fault("home", said, "make it, or give it to whoever runs vitrine; the setting home names it")
        return
    room = f"{home} can be written in, {free / 2**30:.1f} GiB are free"
    if free < LITTLE_ROOM:
        yield warning("home", room, "make room: old builds go by vitrine builds prune")
    else:
        yield ok("home", room)


def check_files(patient: Patient) -> Iterator[Finding]:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"{most} files may be open at a time"
    if most < FEW_FILES:
        yield warning("file limit", said, "raise it: ulimit -n 65536, or LimitNOFILE= of the unit")
    else:
        yield ok("file limit", said)


def check_device(patient: Patient) -> Iterator[Finding]:
    wanted = patient.settings.encoder.device
    gpus = [one for one in devices_of("all") if one != "cpu"]
    said = f"{len(gpus)} GPUs; encoder.device is {wanted}"
    if wanted.startswith("cuda") and not gpus:
        yield fault("gpu", said, "install the driver and a torch with CUDA, or set encoder.device to auto")
    else:
        yield ok("gpu", said)


def check_decoders(patient: Patient) -> Iterator[Finding]:
    """A picture that is fine, and one that is none."""
    with DecoderPool.of(patient.settings.images.model_copy(update={"decoders": 1})) as decoders:
        decoders.decode(DecodeTask(as_webp(np.full((64, 64, 3), 200, np.uint8)), Fit((32, 32))))
        try:
            decoders.decode(DecodeTask(b"no picture", Fit((32, 32))))
        except ImageRejected:
            yield ok("decoders", "pictures are decoded in a child, and what is none is refused")
        else:
            yield fault("decoders", "what is no picture was taken for one", "install Pillow anew")


def check_service(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    running = running_service(settings.home)
    if running is not None:
        yield ok("service", f"it runs at {running}")
        return
    host, port = settings.service.host, settings.service.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with closing(socket.create_server((host, port), family=family)):
            pass
    except OSError as error:
        said = f"it does not run, and cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}"
        yield fault("service", said, "end what listens there, or set service.port")
        return
    yield ok("service", f"it does not run; {host}:{port} is free")
