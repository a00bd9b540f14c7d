"""The stores that the settings name. What FAISS and a Qdrant server need is imported when it is asked for."""

from indexer.breaker import Breaker
from indexer.settings import Settings
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.keeping import Stores
from indexer.stores.memory_keeping import MemoryStores


def open_stores(settings: Settings, breaker: Breaker | None = None) -> Stores:
    """Nothing is opened or connected yet. `breaker` is a service's, for stores that are somewhere else.

    Raises SettingsError when a kind's package is not installed.
    """
    match settings.store.kind:
        case "edge":
            return EdgeStores(settings.home)
        case "memory":
            return MemoryStores()
        case "faiss":
            from indexer.stores.faiss_keeping import FaissStores

            return FaissStores(settings.home, settings.store.faiss)
        case "qdrant":
            from indexer.stores.qdrant_keeping import QdrantStores

            return QdrantStores(settings.store.qdrant, breaker=breaker)
