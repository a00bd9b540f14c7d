"""A gRPC server on this machine that speaks Qdrant's protocol over the client's local mode.

It shows what the adapter puts on the wire and how it takes failures; what an engine does, only a real server shows.
Local mode keeps neither graph nor codes nor placement, so those are looked up in `requests`, as they arrived.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import grpc
from qdrant_client import grpc as proto
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.grpc.collections_service_pb2_grpc import add_CollectionsServicer_to_server
from qdrant_client.grpc.points_service_pb2_grpc import add_PointsServicer_to_server
from qdrant_client.http import models
from qdrant_client.local.qdrant_local import QdrantLocal


@dataclass
class Wire:
    """`failures` are what the next calls answer instead, `statuses` what the next looks at a collection find."""

    port: int = 0
    requests: list[Any] = field(default_factory=list)
    failures: list[grpc.StatusCode] = field(default_factory=list)
    statuses: list[models.CollectionStatus] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds that the client would have slept."""
    local: QdrantLocal = field(default_factory=lambda: QdrantLocal(":memory:"))
    """What holds the collections; used under the lock."""
    lock: Lock = field(default_factory=Lock)

    def asked(self, kind: type[Any]) -> list[Any]:
        return [request for request in self.requests if isinstance(request, kind)]


@contextmanager
def serving(credentials: grpc.ServerCredentials | None = None) -> Iterator[Wire]:
    wire = Wire()
    server = grpc.server(ThreadPoolExecutor(4))
    if credentials is None:
        wire.port = server.add_insecure_port("127.0.0.1:0")
    else:
        wire.port = server.add_secure_port("127.0.0.1:0", credentials)
    qdrant = Spoken(wire)
    add_CollectionsServicer_to_server(qdrant.collections(), server)  # type: ignore[no-untyped-call]
    add_PointsServicer_to_server(qdrant.points(), server)  # type: ignore[no-untyped-call]
    server.start()
    try:
        yield wire
    finally:
        server.stop(None).wait()


class Spoken:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._qdrant = wire.local
        self._lock = wire.lock

    def collections(self) -> object:
        return self._services(
            proto.CollectionsStub,
            {
                "Create": self._create,
                "Get": self._describe,
                "Update": self._update,
                "Delete": lambda asked: _done(self._qdrant.delete_collection(asked.collection_name)),
                "CollectionExists": lambda asked: proto.CollectionExistsResponse(
                    result=proto.CollectionExists(exists=self._qdrant.collection_exists(asked.collection_name))
                ),
                "UpdateAliases": lambda asked: _done(
                    self._qdrant.update_collection_aliases(
                        [GrpcToRest.convert_alias_operations(action) for action in asked.actions]
                    )
                ),
                "ListAliases": lambda asked: proto.ListAliasesResponse(
                    aliases=[RestToGrpc.convert_alias_description(a) for a in self._qdrant.get_aliases().aliases]
                ),
            },
        )

    def points(self) -> object:
        return self._services(
            proto.PointsStub,
            {
                "Upsert": lambda asked: _changed(
                    self._qdrant.upsert(
                        asked.collection_name, [GrpcToRest.convert_point_struct(point) for point in asked.points]
                    )
                ),
                "Delete": lambda asked: _changed(
                    self._qdrant.delete(asked.collection_name, GrpcToRest.convert_points_selector(asked.points))
                ),
                "CreateFieldIndex": lambda asked: _changed(
                    models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)
                ),
                "Count": lambda asked: proto.CountResponse(
                    result=RestToGrpc.convert_count_result(self._qdrant.count(asked.collection_name))
                ),
                "Get": self._retrieve,
                "Query": self._query,
            },
        )

    def _services(self, stub: type[Any], methods: dict[str, Callable[[Any], Any]]) -> object:
        def service(method: Callable[[Any], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
            return lambda asked, context: self._answer(method, asked, context)

        names = [name for name in vars(stub(grpc.insecure_channel("127.0.0.1:1"))) if name[0].isupper()]
        missing = {name: service(_absent) for name in names}
        return type("Services", (), missing | {name: staticmethod(service(m)) for name, m in methods.items()})

    def _answer(self, method: Callable[[Any], Any], asked: Any, context: grpc.ServicerContext) -> Any:
        with self._lock:
            self._wire.requests.append(asked)
            self._wire.headers.append(dict(context.invocation_metadata()))
            if self._wire.failures:
                context.abort(self._wire.failures.pop(0), "as the test wants it")
            try:
                return method(asked)
            except ValueError as error:
                missing = "not found" in str(error)
                code = grpc.StatusCode.NOT_FOUND if missing else grpc.StatusCode.INVALID_ARGUMENT
                context.abort(code, str(error))

    def _create(self, asked: Any) -> Any:
        sparse = GrpcToRest.convert_sparse_vector_config(asked.sparse_vectors_config)
        vectors = GrpcToRest.convert_vectors_config(asked.vectors_config)
        metadata = GrpcToRest.convert_payload(asked.metadata)
        return _done(self._qdrant.create_collection(asked.collection_name, vectors, sparse, metadata=metadata))

    def _update(self, asked: Any) -> Any:
        self._qdrant.update_collection(asked.collection_name, metadata=GrpcToRest.convert_payload(asked.metadata))
        return _done(True)

    def _describe(self, asked: Any) -> Any:
        found = self._qdrant.get_collection(asked.collection_name)
        if self._wire.statuses:
            found.status = self._wire.statuses.pop(0)
        return proto.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(found))

    def _retrieve(self, asked: Any) -> Any:
        records = self._qdrant.retrieve(
            asked.collection_name,
            [GrpcToRest.convert_point_id(id) for id in asked.ids],
            GrpcToRest.convert_with_payload_selector(asked.with_payload),
            GrpcToRest.convert_with_vectors_selector(asked.with_vectors),
        )
        return proto.GetResponse(result=[RestToGrpc.convert_retrieved_point(record) for record in records])

    def _query(self, asked: Any) -> Any:
        request: Any = GrpcToRest.convert_query_points(asked)
        found = self._qdrant.query_points(
            asked.collection_name,
            query=request.query,
            using=request.using,
            query_filter=request.filter if asked.HasField("filter") else None,
            limit=asked.limit,
            with_payload=GrpcToRest.convert_with_payload_selector(asked.with_payload),
        )
        return proto.QueryResponse(result=[RestToGrpc.convert_scored_point(point) for point in found.points])


def _absent(asked: Any) -> Any:
    raise NotImplementedError(type(asked).__name__)


def _done(result: bool) -> Any:
    return proto.CollectionOperationResponse(result=result)


def _changed(result: models.UpdateResult) -> Any:
    return proto.PointsOperationResponse(result=RestToGrpc.convert_update_result(result))
