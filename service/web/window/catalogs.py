"""Which of the shop's catalogs a page is about, where there are several."""

from dataclasses import dataclass, replace

from service.shop import Shop
from service.web.window.address import Address


@dataclass(frozen=True)
class Door:
    """To a catalog; `here`: one is in it."""

    name: str
    url: str
    here: bool


def in_a_catalog(address: Address, shop: Shop) -> Address:
    """Who names no catalog is in the one that the settings name, else in the eldest."""
    if address.catalog or shop.settings.catalog:
        return address
    names = shop.published()
    return replace(address, catalog=names[0]) if len(names) > 1 else address


def doors_of(shop: Shop, here: Address) -> tuple[Door, ...]:
    """To every catalog, the eldest first; none where there is only one."""
    names = shop.published()
    named = here.catalog or shop.settings.catalog
    return tuple(Door(one, Address(catalog=one).url, one == named) for one in names) if len(names) > 1 else ()
