"""Endpoints that speak OpenAI's chat completions, which judge, answer and rewrite, and those that draw pictures."""

from service.endpoint.answers import UNBILLED, EndpointFailed, Letter, Said
from service.endpoint.background import Unwanted
from service.endpoint.chat import Endpoint
from service.endpoint.pictures import Delivery, Ordered, PictureEndpoint, Sent
from service.endpoint.requests import Asked, Part, Picture
from service.endpoint.trying import tried

__all__ = [
    "UNBILLED",
    "Asked",
    "Delivery",
    "Endpoint",
    "EndpointFailed",
    "Letter",
    "Ordered",
    "Part",
    "Picture",
    "PictureEndpoint",
    "Said",
    "Sent",
    "Unwanted",
    "tried",
]
