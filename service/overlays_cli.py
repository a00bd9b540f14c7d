"""`vitrine overlays`."""

import sys
from typing import Annotated

import typer

from indexer.cli.options import AsJson, OfCatalog


def overlays(
    catalog: OfCatalog = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="Photos listed at most, the surest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List photos of the published build that somebody seems to have written on, where the encoder sees words.

    How well it does is measured first, on some of the photos with words drawn on them. About one in twenty photos
    without words is listed too.
    """
    from indexer.bootstrap import encoder_of, load_settings, open_catalogue
    from indexer.builds.embeddings import Embeddings
    from indexer.builds.live import published_build, read_layout
    from indexer.images.decoders import DecoderPool
    from indexer.printing import print_rows
    from service.overlays.finding import Finder
    from service.photos import CataloguePhotos

    settings = load_settings()
    database = open_catalogue(settings)
    manifest, _ = read_layout(database, published_build(database, catalog or settings.catalog)[1])
    embeddings = Embeddings(settings.home, manifest.encoder, settings.embeddings.url)
    with DecoderPool.of(settings.images) as decoders:
        photos = CataloguePhotos(database, decoders)
        found = Finder(database, embeddings, encoder_of(manifest, settings), photos).find(manifest, most)
    if as_json:
        print(found.model_dump_json(indent=2))
        return
    if found.found is None:
        said = f"only {found.sampled} of its photos can be had, too few to learn from."
    else:
        said = f"of photos that words were drawn on, {found.found:.0%} are found" + (
            "." if found.usable else ", too few."
        )
    print(f"vitrine: {manifest.catalog}, {found.photos:,} photos: {said}", file=sys.stderr)
    if found.usable:
        print_rows([one.model_dump() for one in found.suspects])
