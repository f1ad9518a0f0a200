"""What the API answers: a request in, a reply out, without sockets or waiting."""

import hmac
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from didww_async.simulator.bodies import data_of
from didww_async.simulator.errors import (
    RefusedError,
    record_not_found,
    refuse,
    route_not_found,
    too_many_requests,
    unauthorized,
)
from didww_async.simulator.limit import SlidingWindow
from didww_async.simulator.query import Query, decode_pairs, read_query, refuse_query
from didww_async.simulator.render import (
    Renderer,
    Written,
    as_json,
    document,
    listed,
    page_links,
)
from didww_async.simulator.resources import Edition, edition
from didww_async.simulator.schema import Resource
from didww_async.simulator.search import matching, ordered
from didww_async.simulator.tokens import Token, TokenService
from didww_async.simulator.versions import BEARER, V2022, served_version
from didww_async.simulator.world import World

MEDIA_TYPE = "application/vnd.api+json"
_REMEMBERED_LISTS = 64
_FILE_ENDING = ".csv.gz"
_JSON = "application/json"


@attrs.frozen(kw_only=True)
class Incoming:
    """A request as it was read. `path` is the part below /v3."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen(kw_only=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)


class Application:
    """The API of one world. It handles each request at once: requests never interleave."""

    def __init__(self, world: World, *, base_url: str) -> None:
        self.world = world
        self._base_url = world.base_url = base_url
        self._window = SlidingWindow()
        self.tokens = TokenService(world.settings)
        self._lists: dict[Any, Sequence[Any]] = {}
        self._written: dict[str, Written] = {}

    def grant_token(self, request: Incoming) -> Reply:
        """Answer a request to the token service."""
        status, said = self.tokens.answer(
            method=request.method, headers=request.headers, body=request.body
        )
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        if status == 429:
            headers["Retry-After"] = "1"
        return Reply(status=status, headers=headers, body=as_json(said).encode())

    def respond(self, request: Incoming) -> Reply:
        """Carry out a request."""
        token = self.tokens.find(request.headers.get("Authorization", ""))
        version = token.version if token else self._version_asked_for(request)
        try:
            here = edition(version)
            collection, _, record_id = request.path.strip("/").partition("/")
            resource = here.by_path.get(collection)
            self._identify(request, resource, token)
            self._admit(request, resource, version)
            reply = self._operate(request, version, here, resource, record_id)
        except RefusedError as refusal:
            # A path is quoted as it came, maybe with bytes that are no text.
            body = as_json(refusal.document()).encode(errors="replace") if refusal.problems else b""
            reply = Reply(status=refusal.status, body=body)
        headers = {"X-Request-Id": str(uuid.uuid4())}
        if reply.body:
            headers["Content-Type"] = MEDIA_TYPE
        if reply.status == 429 and version == BEARER:
            headers["Retry-After"] = "1"
        return attrs.evolve(reply, headers={**headers, **reply.headers})

    # Who may ask, and how

    def _version_asked_for(self, request: Incoming) -> str:
        asked = request.headers.get("X-DIDWW-API-Version")
        if asked == BEARER:
            return BEARER
        return served_version(asked, default=self.world.settings.default_version)

    def _identify(self, request: Incoming, resource: Resource | None, token: Token | None) -> None:
        """By a bearer token, which selects its version, or up to 2026-04-16 by the key."""
        if token is not None:
            if token.scope == "read" and request.method != "GET":
                raise refuse(403, "Forbidden", "The token's scope is read.")
            return
        if resource is not None and resource.is_public:
            return
        asked = request.headers.get("X-DIDWW-API-Version")
        if "Authorization" in request.headers or asked == BEARER:
            raise RefusedError(401)  # without a body
        key = request.headers.get("Api-Key", "")
        if not hmac.compare_digest(key.encode(), self.world.settings.api_key.encode()):
            raise unauthorized()

    def _admit(self, request: Incoming, resource: Resource | None, version: str) -> None:
        settings = self.world.settings
        if settings.rate_limit is not None and not self._window.grant(
            time.monotonic(), limit=settings.rate_limit
        ):
            raise too_many_requests(version)
        if resource is not None and _asks_for_file(request, resource):
            return
        is_upload = resource is not None and resource.upload and request.method == "POST"
        accepted = {part.strip() for part in request.headers.get("Accept", "").split(",")}
        if not accepted & ({MEDIA_TYPE, _JSON} if is_upload else {MEDIA_TYPE}):
            detail = (
                f"All requests must use the '{MEDIA_TYPE}' Accept without media type parameters."
            )
            raise refuse(406, "Not acceptable", detail)
        if is_upload:
            if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
                detail = "Files must be uploaded as multipart/form-data."
                raise refuse(415, "Unsupported media type", detail)
            return
        has_body = request.method in {"POST", "PATCH"}
        if has_body and request.headers.get("Content-Type") != MEDIA_TYPE:
            detail = f"All requests with a body must use the '{MEDIA_TYPE}' Content-Type."
            raise refuse(415, "Unsupported media type", detail)

    # What is asked for

    def _operate(
        self,
        request: Incoming,
        version: str,
        here: Edition,
        resource: Resource | None,
        record_id: str,
    ) -> Reply:
        if resource is None or "/" in record_id:
            raise route_not_found(request.method, request.path)
        reason = resource.forbidden(self.world.settings)
        if reason is not None:
            raise refuse(403, "Forbidden", reason)
        if request.method == "GET":
            return self._read(request, version, here, resource, record_id)
        if self.world.settings.read_only:
            raise refuse(403, "Forbidden", "The account is in read-only mode.")
        refuse_query(decode_pairs(request.query_string))
        if record_id:
            return self._change(request, version, here, resource, record_id)
        return self._add(request, version, here, resource)

    def _read(
        self, request: Incoming, version: str, here: Edition, resource: Resource, record_id: str
    ) -> Reply:
        if resource.download and _asks_for_file(request, resource):
            file = resource.download(self.world, record_id.removesuffix(_FILE_ENDING))
            return Reply(status=200, body=file, headers={"Content-Type": "application/gzip"})
        pairs = decode_pairs(request.query_string)
        listing = not record_id and not resource.singleton
        if listing and (resource.all or resource.search):
            query = read_query(pairs, resource=resource, catalogue=here.by_type, listing=True)
            return Reply(status=200, body=self._list(resource, query, pairs, here, version))
        if not listing and resource.find and not (resource.singleton and record_id):
            query = read_query(pairs, resource=resource, catalogue=here.by_type, listing=False)
            record = self._found(resource, record_id)
            body = self._single(resource, record, version, here=here, query=query)
            return Reply(status=200, body=body)
        raise route_not_found(request.method, request.path)

    def _add(self, request: Incoming, version: str, here: Edition, resource: Resource) -> Reply:
        if request.method == "POST" and resource.upload:
            return self._uploaded(request, resource, version, here)
        if request.method == "POST" and resource.create:
            data = data_of(request.body, resource, inputs=resource.creates)
            record = resource.create(self.world, data, version)
            return Reply(status=201, body=self._single(resource, record, version, here=here))
        raise route_not_found(request.method, request.path)

    def _change(
        self, request: Incoming, version: str, here: Edition, resource: Resource, record_id: str
    ) -> Reply:
        if request.method == "PATCH" and resource.update:
            record = self._found(resource, record_id)
            data = data_of(request.body, resource, inputs=resource.updates, record_id=record_id)
            record = resource.update(self.world, record, data, version)
            return Reply(status=200, body=self._single(resource, record, version, here=here))
        if request.method == "DELETE" and resource.delete:
            resource.delete(self.world, self._found(resource, record_id))
            return Reply(status=204)
        raise route_not_found(request.method, request.path)

    def _uploaded(
        self, request: Incoming, resource: Resource, version: str, here: Edition
    ) -> Reply:
        """Keep uploaded files; the reply is JSON, and JSON:API only since 2026-04-16."""
        assert resource.upload is not None  # noqa: S101  # the caller has looked
        content_type = request.headers.get("Content-Type", "")
        records = resource.upload(self.world, request.body, content_type, version)
        if version <= V2022:
            body = as_json({"ids": [record.id for record in records]}).encode()
        else:
            body = self._single(resource, records[0], version, here=here)
        return Reply(status=201, body=body, headers={"Content-Type": _JSON})

    def _found(self, resource: Resource, record_id: str) -> Any:
        record = resource.find(self.world, record_id) if resource.find else None
        if record is None:
            raise record_not_found(record_id)
        return record

    # What is answered

    def _single(
        self,
        resource: Resource,
        record: Any,
        version: str,
        *,
        here: Edition,
        query: Query | None = None,
    ) -> bytes:
        include = query.include if query else {}
        renderer = self._renderer(here, version, query)
        [data], included = renderer.objects(resource, [record], include)
        meta = resource.read_meta(self.world) if query and resource.read_meta else {}
        return document(
            data,
            included=included if include else None,
            members={"meta": {**meta, "api_version": version}},
        )

    def _list(
        self,
        resource: Resource,
        query: Query,
        pairs: Sequence[tuple[str, str]],
        here: Edition,
        version: str,
    ) -> bytes:
        meta: dict[str, Any] = {}
        members: dict[str, Any] = {"meta": meta}
        if resource.search is not None:
            records, found = resource.search(self.world, query.filters)
            if query.sort:
                records = ordered(self.world, resource, records, query.sort)
            meta |= found
        else:
            records = self._records(resource, query, version)
        if resource.paging is not None:
            total = meta["total_records"] = len(records)
            start = (query.page_number - 1) * query.page_size
            records = records[start : start + query.page_size]
            members["links"] = page_links(
                f"{self._base_url}/{resource.path}",
                query,
                dict(pairs).get("include"),
                last=max(1, math.ceil(total / query.page_size)),
                with_next=self.world.settings.next_links,
            )
        if resource.read_meta is not None:
            meta |= resource.read_meta(self.world)
        meta["api_version"] = version
        renderer = self._renderer(here, version, query)
        data, included = renderer.objects(resource, records, query.include)
        if resource.bare:
            members = {}
        return document(listed(data), included=included if query.include else None, members=members)

    def _records(self, resource: Resource, query: Query, version: str) -> Sequence[Any]:
        """Filter and sort; lists of coverage are remembered, as walks ask for them page by page."""
        key = (resource.type, version, query.filter_texts, query.sort, self.world.stock.revision)
        records = self._lists.get(key)
        if records is None:
            records = matching(self.world, resource, query.filters)
            records = ordered(self.world, resource, records, query.sort)
            if resource.of_coverage:
                while len(self._lists) >= _REMEMBERED_LISTS:
                    del self._lists[next(iter(self._lists))]
                self._lists[key] = records
        if self.world.settings.unsorted_drifts and not query.sort:
            records = list(records)
            self.world.chance.shuffle(records)
        return records

    def _renderer(self, here: Edition, version: str, query: Query | None) -> Renderer:
        return Renderer(
            world=self.world,
            catalogue=here.by_type,
            base_url=self._base_url,
            written=self._written.setdefault(version, {}),
            fields=query.fields if query else {},
        )


def _asks_for_file(request: Incoming, resource: Resource) -> bool:
    return (
        resource.download is not None
        and request.method == "GET"
        and request.path.endswith(_FILE_ENDING)
    )
