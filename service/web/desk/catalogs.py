"""Which catalog a page is about."""

from service.shop import Shop


def published_catalogs(shop: Shop) -> list[str]:
    return [name for name, build in shop.catalogs().items() if build is not None]


def chosen_catalog(shop: Shop, asked: str) -> str | None:
    """The one that is asked for, else the setting, else the first that is published; None: nothing is."""
    return asked or shop.settings.catalog or next(iter(published_catalogs(shop)), None)
