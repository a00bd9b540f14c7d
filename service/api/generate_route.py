"""Pictures of "like this, but blue": drafts at once, final ones as jobs, and their files."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Form, Path, Request, Response
from fastapi.openapi.models import Example

from service.api.admission import deadline_of
from service.api.guard import GuardedRoute, Rule, caller_of, ruled
from service.api.problems import refusals
from service.api.schemas import DrawForm
from service.draw.documents import DrawRequest, Pictures
from service.generate.jobs import Job
from service.shop import Shop

DRAW_EXAMPLES: dict[str, Example] = {
    "draft": Example(
        summary="A product in another colour, at once", value={"like": "MUG-0142-TL", "change": "but blue"}
    ),
    "final": Example(
        summary="The same as a job, by whoever draws best",
        value={"like": "MUG-0142-TL", "change": "but blue", "mode": "final", "seed": 7},
    ),
}
_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": Job, "description": "A job that draws a final picture; `Location` says where to look."}
}

router = APIRouter(
    prefix="/v1",
    route_class=GuardedRoute,
    dependencies=[ruled(Rule.PUBLIC_SEARCH)],
    responses=refusals(400, 404, 409, 413, 422, 429, 503),
)


@router.post("/generate", summary="Draw a product as it is wanted", responses=_LATER)
def generate(
    request: Request, response: Response, body: Annotated[DrawRequest, Body(openapi_examples=DRAW_EXAMPLES)]
) -> Pictures | Job:
    return _drawn(request, response, body, None)


@router.post("/generate/photo", summary="Draw what is on a photo as it is wanted", responses=_LATER)
def generate_of_photo(
    request: Request, response: Response, form: Annotated[DrawForm, Form(media_type="multipart/form-data")]
) -> Pictures | Job:
    return _drawn(request, response, form.request(), form.photo.file.read())


@router.get(
    "/generated/{picture_id}.png",
    summary="The file of a generated picture, which says how it came about",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
def picture(request: Request, picture_id: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(_shop(request).png(picture_id), media_type="image/png", headers=headers)


def _drawn(request: Request, response: Response, asked: DrawRequest, photo: bytes | None) -> Pictures | Job:
    shop, caller = _shop(request), caller_of(request).key
    if asked.mode == "draft":
        return shop.draw(asked, photo, caller, deadline=deadline_of(request))
    job = shop.draw_later(asked, photo, caller)
    response.status_code = 202
    response.headers["Location"] = f"/v1/generate/jobs/{job.id}"
    return job


def _shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop
