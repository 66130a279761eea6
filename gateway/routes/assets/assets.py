"""Assets: media that callers bring and executions make, and the links that lead to them."""

from collections.abc import AsyncIterator
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.media.links import MAX_PAGE, WIDTHS, MediaLink, round_width
from engine.media.pictures.children import CONTENT_TYPE
from engine.media.ranges import ByteRange
from engine.store import Asset, Principal
from engine.store.accounts.rate_limits import UPLOADS
from engine.store.media import AssetSource
from gateway.auth.endpoints import any_key, guessed, operation, requires
from gateway.auth.resource import Resource
from gateway.http.media_responses import MediaBody, send_medium
from gateway.http.query import PageQuery, QueryParameters
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import Content, Moment, RequestBody, View, doc
from gateway.http.uploads import read_upload
from gateway.openapi.examples import ASSET_ID, CREATED
from gateway.services import GatewayRequest, Services

PATH = "/api/assets"


class WidthQuery(QueryParameters):
    """Query of a link to an asset."""

    width: Annotated[
        Annotated[int, Meta(ge=WIDTHS[0], le=WIDTHS[-1])] | None,
        doc("Width of a smaller picture in pixels; rounded up to a width that is made.", 256),
    ] = field(default=None, name="w")


class PictureQuery(WidthQuery):
    """Query of a link to an asset, or to a picture of it."""

    page: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_PAGE)] | None,
        doc("Page of a PDF that the smaller picture shows; the first one without it.", 2),
    ] = None


class LinkQuery(PictureQuery):
    """Query of a signed link; `LinkSigner` reads it."""

    expires: Annotated[int | None, doc("The second, since 1970, at which the link ends.")] = None
    signature: Annotated[str | None, doc("Signature of the installation.")] = None


class AssetView(View, kw_only=True):
    """An asset with a link to it."""

    id: str
    url: str
    content_type: str
    bytes: int
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET
    created_at: Moment
    expires_at: Moment


class AssetPageView(View):
    """A page of assets."""

    rows: list[AssetView]
    next_cursor: str | None
    bytes: Annotated[int, doc("Size of all media of the account.")]
    max_bytes: Annotated[int | None, doc("Most bytes of all media; null: any amount.")]


class AssetForm(RequestBody):
    """A form with a file, read by `read_upload`."""

    media_type = "multipart/form-data"

    file: Annotated[
        str,
        Meta(
            description="The file with its type; its name tells the type of a text. The bytes "
            "alone, under their own type, do as well.",
            extra_json_schema={"contentMediaType": "application/octet-stream"},
        ),
    ]


AssetView.examples = (
    AssetView(
        id=ASSET_ID,
        url=f"https://flows.example.org/media/{ASSET_ID}?expires=1772443800&signature=…",
        content_type="image/png",
        bytes=48_213,
        width=800,
        height=600,
        created_at=CREATED,
        expires_at="2026-03-31T09:30:00.000Z",
    ),
)
AssetPageView.examples = (
    AssetPageView(
        rows=list(AssetView.examples), next_cursor=None, bytes=48_213, max_bytes=21_474_836_480
    ),
)
AssetForm.examples = (AssetForm(file="…"),)
MEDIA = Content(component="Media", kind=str, media_type="*/*", examples=("…",))


@operation(
    body=AssetForm,
    answers={201: AssetView},
    errors=(errors.UnsupportedMediaType, errors.BodyTooLarge),
)
@requires("workflow:run", bucket=UPLOADS)
async def upload_asset(request: GatewayRequest, principal: Principal) -> Response:
    """Store an image, a video, a sound or a file."""
    media_service = request.services.media_service
    upload = await read_upload(request.scope, request.receive)
    asset = await media_service.save(
        principal.account.id,
        upload.declared,
        upload.pieces,
        source=AssetSource.UPLOAD,
        file_name=upload.file_name,
    )
    return json_response(AssetView.from_record(asset, url=media_service.link(asset)), 201)


@operation(query=PageQuery, answers={200: AssetPageView}, errors=(errors.InvalidQuery,))
@any_key
async def list_assets(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's assets, newest first, a page at a time, and the size of all its media."""
    query = PageQuery.parse(request.scope)
    media_service = request.services.media_service
    page = await media_service.page(principal.account.id, limit=query.limit, cursor=query.cursor)
    return json_response(
        AssetPageView(
            rows=[
                AssetView.from_record(asset, url=media_service.link(asset)) for asset in page.assets
            ],
            next_cursor=page.next_cursor,
            bytes=page.stored,
            max_bytes=principal.terms.media_bytes,
        )
    )


@operation(
    query=PictureQuery,
    answers={200: AssetView},
    errors=(errors.InvalidQuery, errors.AssetNotFound, errors.UnsupportedMediaType),
)
@any_key
async def get_asset(request: GatewayRequest, principal: Principal) -> Response:
    """One of the caller's assets, with a fresh link to it or to a smaller picture of it."""
    query = PictureQuery.parse(request.scope)
    width = None if query.width is None else round_width(query.width)
    if width is None and query.page is not None:
        raise errors.InvalidQuery("page", "'page' needs 'w', the width of its picture")
    media_service = request.services.media_service
    asset = await media_service.get(principal.account.id, request.path_params["asset_id"])
    link = media_service.link(asset, width=width, page=query.page or 1)
    return json_response(AssetView.from_record(asset, url=link))


@operation(answers={200: Deleted}, errors=(errors.AssetNotFound,))
@requires("workflow:run")
async def delete_asset(request: GatewayRequest, principal: Principal) -> Response:
    """Delete one of the caller's assets, whatever needs it."""
    media_service = request.services.media_service
    await media_service.delete(principal.account.id, request.path_params["asset_id"])
    return json_response(DELETED)


@operation(
    query=LinkQuery,
    answers={200: MEDIA},
    errors=(errors.AssetNotFound, errors.UnsupportedMediaType, errors.Unavailable),
)
@guessed
async def get_media(request: GatewayRequest) -> Response:
    """The bytes that a signed link leads to."""
    services = request.services
    asset_id: str = request.path_params["asset_id"]
    asset, link = await services.media_service.follow(asset_id, dict(request.query_params))
    if link.width is not None:
        return await send_medium(request, await _picture(services, asset, link, link.width))

    async def stream(part: ByteRange | None) -> AsyncIterator[bytes]:
        return await services.media_service.stream(asset, part)

    medium = MediaBody(
        name=asset.id,
        content_type=asset.content_type,
        size=asset.bytes,
        expires=link.expires,
        open=stream,
    )
    return await send_medium(request, medium)


async def _picture(services: Services, asset: Asset, link: MediaLink, width: int) -> MediaBody:
    data = await services.media_service.picture(asset, width, link.page)

    async def stream(part: ByteRange | None) -> AsyncIterator[bytes]:
        return _one(data if part is None else data[part.start : part.end])

    return MediaBody(
        name=f"{asset.id}-{width}" if link.page == 1 else f"{asset.id}-{width}-{link.page}",
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
