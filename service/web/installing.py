"""All installed pages, put into the service's application."""

from fastapi import FastAPI

from indexer.settings import Settings
from service.access import Access
from service.api.assembling import put_into
from service.web import media, reference, signing
from service.web.routing import problem
from service.web.site import Site, installed_pages
from service.web.thumbnails import Thumbnails


def install_pages(app: FastAPI, settings: Settings, access: Access) -> None:
    """After the routes for programs, which none of the pages' may shadow."""
    page_sets = installed_pages()
    app.state.site = Site(settings, access, page_sets)
    app.state.thumbnails = Thumbnails(settings.home / "thumbnails", settings.pages.thumbnail_bytes)
    app.state.problem_page = problem
    for router in (signing.router, reference.router, media.router, *(one.router for one in page_sets)):
        put_into(app.router, router)
