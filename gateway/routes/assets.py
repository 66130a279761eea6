"""Assets: media that callers bring and executions make, and the links that lead to them."""

from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.routing import Route

from engine.media.links import WIDTHS, Link, round_width
from engine.media.ranges import ByteRange
from engine.media.thumbnails import CONTENT_TYPE
from engine.store import Asset, Principal
from engine.store.assets import Source
from engine.store.limits import UPLOADS
from gateway.endpoints import Resource, any_key, guessed, requires, takes
from gateway.query import Query, cursor_refused
from gateway.services import GatewayRequest, Services
from gateway.serving import Medium, send_medium
from gateway.uploads import read_upload
from gateway.wire import asset_shape, json_response

PATH = "/api/assets"


@requires("workflow:run", bucket=UPLOADS)
async def upload_asset(request: GatewayRequest, principal: Principal) -> Response:
    """Store an image, a video or a sound."""
    library = request.state["services"].library
    upload = await read_upload(request.scope, request.receive)
    asset = await library.keep(
        principal.account.id, upload.declared, upload.pieces, source=Source.UPLOAD
    )
    return json_response(asset_shape(asset, library.link(asset)), 201)


@takes("limit", "cursor")
@any_key
async def list_assets(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's assets, newest first, a page at a time, and what all its media take."""
    query = Query(request.scope)
    limit = query.limit()
    cursor = query.text("cursor")
    library = request.state["services"].library
    with cursor_refused():
        page = await library.page(principal.account.id, limit=limit, cursor=cursor)
    return json_response(
        {
            "rows": [asset_shape(asset, library.link(asset)) for asset in page.assets],
            "nextCursor": page.next_cursor,
            "bytes": page.stored,
            "maxBytes": principal.terms.media_bytes,
        }
    )


@takes("w")
@any_key
async def get_asset(request: GatewayRequest, principal: Principal) -> Response:
    """One of the caller's assets, with a fresh link to it or to a smaller picture of it."""
    width = Query(request.scope).optional_integer("w", low=WIDTHS[0], high=WIDTHS[-1])
    library = request.state["services"].library
    asset = await library.get(principal.account.id, request.path_params["asset_id"])
    link = library.link(asset, width=None if width is None else round_width(width))
    return json_response(asset_shape(asset, link))


@requires("workflow:run")
async def delete_asset(request: GatewayRequest, principal: Principal) -> Response:
    """Delete one of the caller's assets, whatever needs it."""
    library = request.state["services"].library
    await library.delete(principal.account.id, request.path_params["asset_id"])
    return json_response({"success": True})


@takes("expires", "signature", "w")
@guessed
async def get_media(request: GatewayRequest) -> Response:
    """The bytes that a signed link leads to."""
    services = request.state["services"]
    asset_id: str = request.path_params["asset_id"]
    asset, link = await services.library.follow(asset_id, dict(request.query_params))
    if link.width is not None:
        return await send_medium(request, await _thumbnail(services, asset, link, link.width))

    async def stream(part: ByteRange | None) -> AsyncIterator[bytes]:
        return await services.library.stream(asset, part)

    medium = Medium(
        name=asset.id,
        content_type=asset.content_type,
        size=asset.bytes,
        expires=link.expires,
        open=stream,
    )
    return await send_medium(request, medium)


async def _thumbnail(services: Services, asset: Asset, link: Link, width: int) -> Medium:
    data = await services.library.thumbnail(asset, width)

    async def stream(part: ByteRange | None) -> AsyncIterator[bytes]:
        return _one(data if part is None else data[part.start : part.end])

    return Medium(
        name=f"{asset.id}-{width}",
        content_type=CONTENT_TYPE,
        size=len(data),
        expires=link.expires,
        open=stream,
    )


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


routes = [
    Route(PATH, Resource(GET=list_assets, POST=upload_asset)),
    Route("/api/assets/{asset_id}", Resource(GET=get_asset, DELETE=delete_asset)),
    Route("/media/{asset_id}", Resource(GET=get_media)),
]
