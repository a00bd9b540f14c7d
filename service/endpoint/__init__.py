"""Endpoints that speak OpenAI's chat completions, which judge, answer and rewrite."""

from service.endpoint.answers import EndpointFailed, Letter, Said
from service.endpoint.chat import Endpoint
from service.endpoint.requests import Asked, Part, Picture

__all__ = ["Asked", "Endpoint", "EndpointFailed", "Letter", "Part", "Picture", "Said"]
