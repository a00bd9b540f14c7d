"""Choosing what to build: a file or an address, its columns, and what building it would change."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import Message, Receive, Scope, Send

from indexer.builds.languages import LANGUAGES
from indexer.errors import InputError, SourceError, UnavailableError, VitrineError
from indexer.sources.opening import catalog_name
from service.api.problems import status_of
from service.desk.building import ask_for
from service.desk.choosing import Choice, mapping_of, read_columns, shown_name
from service.desk.feeds import ARCHIVE, Feeds, too_large
from service.desk.rehearsing import Rehearsal, Rehearsals
from service.shop import Shop
from service.web.desk.events import Part, events
from service.web.media import first_pictures
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

FORM_OVERHEAD = 500_000
"""Bytes a form may have beside its files."""
MOST_FILES = 1_000
"""Of one form; an archive may have more."""
FIELDS = ("place", "catalog", "root", "language", "kept")
"""What is typed beside the file; `kept`: where a file is that was sent before, with something else that was wrong."""
Texts = Annotated[list[str], Query(max_length=40)]
Line = Annotated[str, Query(max_length=2_000)]
FormTexts = Annotated[list[str], Form(max_length=40)]
FormLine = Annotated[str, Form(max_length=2_000)]


def feeds_of(request: Request) -> Feeds:
    shop = shop_of(request)
    return Feeds(shop.database, shop.settings)


def rehearsals_of(request: Request) -> Rehearsals:
    shop = shop_of(request)
    return Rehearsals(shop.database, shop.settings)


OfFeeds = Annotated[Feeds, Depends(feeds_of)]
OfRehearsals = Annotated[Rehearsals, Depends(rehearsals_of)]


def chosen(source: Line, catalog: Line, root: Line = "", language: Line = "", map: Texts = []) -> Choice:  # noqa: B006
    mapping = mapping_of(map)
    return Choice(source=source, catalog=catalog, root=root or None, language=language or None, mapping=mapping)


def chosen_by_form(
    source: FormLine,
    catalog: FormLine,
    root: FormLine = "",
    language: FormLine = "",
    map: FormTexts = [],  # noqa: B006
) -> Choice:
    return chosen(source, catalog, root, language, map)


@router.get("/desk/new")
def new(request: Request, who: Merchandiser, feeds: OfFeeds) -> Response:
    return _form(request, feeds, {})


@router.post("/desk/new")
async def choose(request: Request, who: Merchandiser, feeds: OfFeeds) -> Response:
    """The form is read here, as it may be larger than what the service takes elsewhere, and not for everybody."""
    form = await _large_form(request, feeds.limit)
    try:
        return await run_in_threadpool(_chosen, request, feeds, form)
    finally:
        await form.close()


@router.get("/desk/new/columns")
def columns(
    request: Request, who: Merchandiser, feeds: OfFeeds, choice: Annotated[Choice, Depends(chosen)]
) -> Response:
    feeds.demand_allowed(choice.source, choice.root)
    context: dict[str, object] = {"choice": choice, "reading": read_columns(choice)}
    return site_of(request).render(request, "desk_columns.html", context)


@router.post("/desk/dry-runs")
def rehearse(
    request: Request,
    who: Merchandiser,
    feeds: OfFeeds,
    rehearsals: OfRehearsals,
    choice: Annotated[Choice, Depends(chosen_by_form)],
) -> Response:
    feeds.demand_allowed(choice.source, choice.root)
    choice.open()
    return RedirectResponse(f"/desk/dry-runs/{rehearsals.begin(choice, who.name)}", HTTPStatus.SEE_OTHER)


@router.get("/desk/dry-runs/{rehearsal}")
def rehearsed(request: Request, who: Merchandiser, rehearsals: OfRehearsals, rehearsal: str) -> Response:
    found = rehearsals.get(rehearsal)
    context: dict[str, object] = {"run": found, "pictures": _published_pictures(shop_of(request), found)}
    return site_of(request).render(request, "desk_dry_run.html", context)


@router.get("/desk/dry-runs/{rehearsal}/events")
def rehearsal_events(request: Request, who: Merchandiser, rehearsals: OfRehearsals, rehearsal: str) -> Response:
    def look() -> Part:
        try:
            found = rehearsals.get(rehearsal)
        except VitrineError:
            return Part("", over=True)
        html = bytes(site_of(request).render(request, "desk_dry_run_live.html", {"run": found}).body).decode()
        return Part(html, over=not found.running)

    rehearsals.get(rehearsal)
    return events(request, look)


@router.post("/desk/dry-runs/{rehearsal}/stop")
def stop(request: Request, who: Merchandiser, rehearsals: OfRehearsals, rehearsal: str) -> Response:
    choice = rehearsals.stop(rehearsal).choice
    return RedirectResponse(f"/desk/new/columns?{choice.query()}", HTTPStatus.SEE_OTHER)


@router.post("/desk/builds")
def build(
    request: Request,
    who: Merchandiser,
    feeds: OfFeeds,
    rehearsals: OfRehearsals,
    rehearsal: FormLine,
    publish: Annotated[bool, Form()] = False,
) -> Response:
    shop, choice = shop_of(request), rehearsals.get(rehearsal).choice
    feeds.demand_allowed(choice.source, choice.root)
    asked = ask_for(shop.database, shop.settings, choice, who.name, hold=not publish)
    return RedirectResponse(f"/desk/builds/{asked}", HTTPStatus.SEE_OTHER)


def _form(request: Request, feeds: Feeds, typed: Mapping[str, str], error: VitrineError | None = None) -> Response:
    known = feeds.known()
    only = known[0].catalog if len(known) == 1 else ""
    context: dict[str, object] = {
        "known": known,
        "typed": {name: typed.get(name, "") for name in FIELDS}
        if typed
        else {**dict.fromkeys(FIELDS, ""), "catalog": only},
        "error": None if error is None else str(error),
        "most": feeds.limit,
        "languages_known": sorted(LANGUAGES),
        "shown_name": shown_name,
    }
    status = HTTPStatus.OK if error is None else status_of(type(error))
    return site_of(request).render(request, "desk_new.html", context, status)


def _chosen(request: Request, feeds: Feeds, form: FormData) -> Response:
    """On to the columns, or the form again with what was typed and what is wrong."""
    typed = {name: str(form.get(name) or "").strip()[:2_000] for name in FIELDS}
    try:
        source, name = _stored(feeds, form, typed)
        catalog = catalog_name(typed["catalog"] or name.split(".")[0])
        root = typed["root"] or _usual_root(feeds, catalog, source)
        choice = Choice(source=source, catalog=catalog, root=root, language=typed["language"] or None)
        feeds.demand_allowed(choice.source, choice.root)
        read_columns(choice)
    except (InputError, UnavailableError) as error:
        return _form(request, feeds, typed, error)
    return RedirectResponse(f"/desk/new/columns?{choice.query()}", HTTPStatus.SEE_OTHER)


def _stored(feeds: Feeds, form: FormData, typed: dict[str, str]) -> tuple[str, str]:
    """Where the catalogue is, and what it is called. What was sent is noted as `kept`."""
    sent = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.filename]
    photos = [one for one in form.getlist("photos") if isinstance(one, UploadFile) and one.filename]
    place = typed["place"]
    if sent:
        content, name = sent[0].file, sent[0].filename or ""
        if photos or name.lower().endswith(ARCHIVE):
            kept = feeds.keep_with_photos(content, name, [(one.filename or "", one.file) for one in photos])
        else:
            kept = feeds.keep(content, name)
        typed |= {"kept": str(kept), "place": ""}
        return str(kept), name
    if photos:
        raise SourceError("Choose the catalogue file as well: the photos are stored beside it.")
    if not place:
        if not typed["kept"]:
            raise SourceError("Choose a catalogue file, or say where it is.")
        place = typed["kept"]
    if "://" in place and place not in {one.source for one in feeds.known()}:
        place = str(feeds.fetch(place))
    return place, shown_name(place)


def _usual_root(feeds: Feeds, catalog: str, source: str) -> str | None:
    """Photos of a catalog that is built again are where they were, unless its file came with them."""
    before = next((one for one in feeds.known() if one.catalog == catalog), None)
    return before.root if before is not None and feeds.keeps(source) else None


def _published_pictures(shop: Shop, found: Rehearsal) -> Mapping[str, object]:
    """Of products that are named and published already; of those that are new the run has its own."""
    result = found.result
    if result is None or result.against is None:
        return {}
    named = [*result.named.get("changed", []), *result.named.get("removed", [])]
    try:
        return first_pictures(shop, result.against, named)
    except VitrineError:  # the build went since
        return {}


async def _large_form(request: Request, limit: int) -> FormData:
    """Raises SourceError for more than `limit` bytes, without reading them when that is said beforehand."""
    length = request.headers.get("Content-Length", "")
    said = int(length) if length.isdigit() else 0
    read: list[FormData] = []

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        if said <= limit + FORM_OVERHEAD:
            read.append(await Request(scope, receive).form(max_files=MOST_FILES, max_fields=20))

    async def unsent(message: Message) -> None:
        """Nothing is answered from in there."""

    allowed = max(limit + FORM_OVERHEAD, said)
    await RequestBodyLimitMiddleware(reading, allowed)(request.scope, request.receive, unsent)
    if not read:
        raise too_large(limit)
    return read[0]
