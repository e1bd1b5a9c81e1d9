"""Sites read into a folder: begun, followed and cancelled."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from conversation.server.access.admission import require
from conversation.server.context import Authored
from conversation.server.documents.bodies import PageUrl
from conversation.server.documents.folder_bodies import segments
from conversation.server.documents.routes import MayRead
from conversation.server.errors import not_supported
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.library.crawl_jobs import MAX_PAGES, CrawlJob, CrawlStatus
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from kb.document import SiteSource

router = APIRouter(prefix="/v1/convai/knowledge-base/crawl", tags=["knowledge base"])

MayIngest = Annotated[ApiKey, Depends(require("ingest"))]
Pattern = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^(?:[^*]*\*){0,8}[^*]*$")]
"""With eight `*` at most: every page that is found is compared with all of them."""


class NewCrawl(Body):
    """A site to read."""

    url: PageUrl
    max_pages: int = Field(default=100, ge=1, le=10_000)
    """The library holds no more than 1,000 documents, whatever is asked for."""
    pattern: Pattern | None = None
    """Of paths, such as `/help/*`; pages that do not match are left out."""
    exclude_patterns: list[Pattern] = Field(default=[], max_length=100)
    parent_folder_id: str | None = None
    sitemap_urls: list[str] | None = None
    enable_auto_sync: bool | None = None
    auto_remove: bool | None = None
    auto_discover: bool | None = None
    minimum_frequency_days: int | None = None


class BegunCrawl(BaseModel):
    """The job that reads a site."""

    id: str
    type: str = "discovery"
    root_folder_id: str
    status: CrawlStatus
    created_at: int
    folder_path: list[dict[str, Any]] = []


class Crawl(BaseModel):
    """How far a job is. `succeeded`: every page was read, or said why it could not be."""

    id: str
    type: str = "discovery"
    seed_url: str
    pattern: str | None = None
    exclude_patterns: list[str] = []
    max_pages: int
    auto_discover: bool = False
    status: CrawlStatus
    pages_identified: int
    pages_scraped: int
    pages_skipped: int
    """Found, and not handed in: the library was full, or the job was cancelled."""
    pages_failed: int
    root_folder_id: str
    created_at: int
    updated_at: int
    message: str | None = None
    """For a person, when pages were skipped or the site could not be listed."""


class Crawls(BaseModel):
    """One page of jobs, newest first."""

    crawl_jobs: list[Crawl]
    next_cursor: str | None = None


@router.post("", operation_id="create_crawl_job")
def create_crawl(body: NewCrawl, authored: Authored, _key: MayIngest) -> BegunCrawl:
    """Read the pages of a site into a new folder: from its sitemap, or by following links."""
    if body.sitemap_urls:
        raise not_supported("`sitemap_urls`: sitemaps are found by robots.txt or /sitemap.xml.")
    synced = (body.enable_auto_sync, body.auto_remove, body.auto_discover)
    if any(synced) or body.minimum_frequency_days is not None:
        raise not_supported(
            "`enable_auto_sync`, `auto_remove`, `auto_discover`, `minimum_frequency_days`: sites "
            "of an agent file are read again by every ingest; pages of a folder by `refresh`."
        )
    site = SiteSource(
        body.url,
        min(body.max_pages, MAX_PAGES),
        () if body.pattern is None else (body.pattern,),
        tuple(body.exclude_patterns),
    )
    job = authored.crawls.create(site, parent_id=body.parent_folder_id)
    folder_id = str(job.body["folder_id"])
    return BegunCrawl(
        id=job.job_id,
        root_folder_id=folder_id,
        status=job.status,
        created_at=int(job.created_at.timestamp()),
        folder_path=segments(authored.folders.tree(), folder_id),
    )


@router.get("", operation_id="list_crawl_jobs")
def list_crawls(
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
    include_job_ids: Annotated[list[str] | None, Query(max_length=100)] = None,
) -> Crawls:
    """Jobs, newest first; `include_job_ids` narrows them."""
    wanted = [
        job for job in authored.crawls.all() if not include_job_ids or job.job_id in include_job_ids
    ]
    page = page_of(
        wanted,
        sort_key=lambda job: (job.created_at.timestamp(), job.job_id),
        page_size=page_size,
        cursor=cursor,
        descending=True,
    )
    return Crawls(crawl_jobs=[_shown(each) for each in page.items], next_cursor=page.next_cursor)


@router.get("/{crawl_job_id}", operation_id="get_crawl_job")
def get_crawl(crawl_job_id: str, authored: Authored, _key: MayRead) -> Crawl:
    """How far a job is."""
    return _shown(authored.crawls.get(crawl_job_id))


@router.post("/{crawl_job_id}/cancel", operation_id="cancel_crawl_job")
def cancel_crawl(crawl_job_id: str, authored: Authored, _key: MayIngest) -> Crawl:
    """Hand in no more pages; those that were handed in stay."""
    return _shown(authored.crawls.cancel(crawl_job_id))


def _shown(job: CrawlJob) -> Crawl:
    include: list[str] = job.body["include"]
    return Crawl(
        id=job.job_id,
        seed_url=job.body["url"],
        pattern=include[0] if include else None,
        exclude_patterns=job.body["exclude"],
        max_pages=job.body["max_pages"],
        status=job.status,
        pages_identified=job.identified,
        pages_scraped=job.read,
        pages_skipped=job.skipped,
        pages_failed=job.failed,
        root_folder_id=job.body["folder_id"],
        created_at=int(job.created_at.timestamp()),
        updated_at=int(job.updated_at.timestamp()),
        message=job.message,
    )
