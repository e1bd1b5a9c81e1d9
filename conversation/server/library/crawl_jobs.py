"""Sites that are read into a folder of the library, in the background.

A job lists the pages of a site, as `sites` of an agent file are listed, and hands each in. From
then on the pages are documents like any other; the job counts them.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from conversation.server.errors import IN_THE_WAY, ApiError, not_found
from conversation.server.library.folders import Folders
from conversation.server.library.library import Library
from conversation.server.records import ApiRecord, RecordStore
from conversation.store.ownership import is_gone, this_process
from kb.config import KnowledgeBaseConfig
from kb.document import SiteSource
from kb.errors import KnowledgeBaseError
from kb.ingest.site_listing import list_pages

_log = logging.getLogger(__name__)

CrawlStatus = Literal["queued", "processing", "succeeded", "failed", "cancelled"]
MAX_PAGES = 1_000
MAX_RUNNING = 10
"""Jobs that wait or run; they run one after the other."""
_OPEN = ("queued", "processing")


@dataclass(frozen=True, slots=True)
class CrawlJob:
    """One job."""

    job_id: str
    body: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    status: CrawlStatus
    identified: int = 0
    read: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def message(self) -> str | None:
        """For a person, when pages were left out or the site could not be listed."""
        return self.body.get("message")


class CrawlJobs:
    """The jobs of one deployment; those of this process run on a thread of it."""

    def __init__(
        self,
        records: RecordStore,
        library: Library,
        folders: Folders,
        *,
        clock: Callable[[], datetime],
        place: Callable[[str, str], object],
        wake: Callable[[], object],
        list_site: Callable[[SiteSource, KnowledgeBaseConfig], Sequence[str]] = list_pages,
    ) -> None:
        """Join the parts.

        Args:
            records: Where jobs are kept.
            library: What pages are handed in to.
            folders: Where theirs are made.
            clock: The time.
            place: Puts a document into a folder.
            wake: Told when there is something to read.
            list_site: Lists the pages of a site.
        """
        self._records = records
        self._library = library
        self._folders = folders
        self._clock = clock
        self._place = place
        self._wake = wake
        self._list_site = list_site
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin no more; what is under way adds nothing any more."""
        self._stopping.set()

    def create(self, site: SiteSource, *, parent_id: str | None) -> CrawlJob:
        """Begin to read a site into a new folder.

        Raises:
            ApiError: There is no such parent, or too many jobs wait.
        """
        if sum(each.status in _OPEN and each.read == 0 for each in self.all()) >= MAX_RUNNING:
            raise ApiError(
                IN_THE_WAY, "too_many_crawl_jobs", f"{MAX_RUNNING} sites are being listed. Wait."
            )
        now = self._clock()
        folder = self._folders.create(site.url[:200], parent_id, now=now)
        body = {
            "url": site.url,
            "max_pages": site.max_pages,
            "include": list(site.include),
            "exclude": list(site.exclude),
            "folder_id": folder.folder_id,
            "status": "queued",
            "owner": this_process(),
            "pages": [],
            "skipped": 0,
        }
        record = self._records.add("crawl", body, now=now)
        work = threading.Thread(
            target=self._run, args=(record.record_id, site), name="crawl", daemon=True
        )
        work.start()
        return self._job(record, {})

    def all(self) -> list[CrawlJob]:
        """Every job, oldest first."""
        statuses = self._statuses()
        return [self._job(each, statuses) for each in self._records.all("crawl")]

    def get(self, job_id: str) -> CrawlJob:
        """One job.

        Raises:
            ApiError: 404.
        """
        record = self._records.get("crawl", job_id)
        if record is None:
            raise not_found("crawl_job", job_id[:100])
        return self._job(record, self._statuses())

    def cancel(self, job_id: str) -> CrawlJob:
        """Hand in no more pages of a site; those that were handed in stay.

        Raises:
            ApiError: There is no such job, or it is over.
        """
        job = self.get(job_id)
        if job.status not in _OPEN:
            raise ApiError(IN_THE_WAY, "crawl_job_over", f"This job is over: {job.status}.")
        self._change(job_id, status="cancelled")
        return self.get(job_id)

    def _run(self, job_id: str, site: SiteSource) -> None:
        with self._one_at_a_time:
            if not self._is_wanted(job_id):
                return
            self._change(job_id, status="processing")
            try:
                pages = self._list_site(site, self._library.index.config)
                self._hand_in(job_id, pages)
            except KnowledgeBaseError as error:
                self._change(job_id, status="failed", message=str(error))
            except Exception as error:  # told to whoever asks for the job
                _log.error("crawl job %s failed with %s", job_id, type(error).__name__)
                self._change(job_id, status="failed", message="The server failed; see its log.")

    def _hand_in(self, job_id: str, pages: Sequence[str]) -> None:
        folder_id = self._records_of(job_id)["folder_id"]
        ids: list[str] = []
        message = None
        for page in pages:
            if not self._is_wanted(job_id):
                break
            try:
                document = self._library.add_url(page, name=None, now=self._clock())
                ids.append(document.document_id)
                self._place(document.document_id, folder_id)
            # The library is full, an agent that answers from the folder is, or it was deleted.
            except ApiError as error:
                message = error.message
                break
        self._change(job_id, pages=ids, listed=len(pages), message=message)
        self._wake()

    def _is_wanted(self, job_id: str) -> bool:
        return not self._stopping.is_set() and self._records_of(job_id)["status"] != "cancelled"

    def _records_of(self, job_id: str) -> Mapping[str, Any]:
        record = self._records.get("crawl", job_id)
        return {"status": "cancelled", "folder_id": ""} if record is None else record.body

    def _change(self, job_id: str, **values: Any) -> None:
        def made(body: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
            if body is None:
                return None
            over = body["status"] == "cancelled" and "status" in values
            return None if over else {**body, **values}

        self._records.change("crawl", job_id, made, now=self._clock())

    def _statuses(self) -> dict[str, str]:
        return {each.document_id: each.status for each in self._library.documents()}

    def _job(self, record: ApiRecord, statuses: Mapping[str, str]) -> CrawlJob:
        body = record.body
        states = [statuses[each] for each in body["pages"] if each in statuses]
        listed = body.get("listed")
        return CrawlJob(
            record.record_id,
            body,
            record.created_at,
            record.updated_at,
            status=_status(body, states),
            identified=len(body["pages"]) if listed is None else listed,
            read=states.count("succeeded"),
            skipped=0 if listed is None else listed - len(body["pages"]),
            failed=states.count("failed"),
        )


def _status(body: Mapping[str, Any], states: Sequence[str]) -> CrawlStatus:
    """A job is over when every page was read, or could not be."""
    status: CrawlStatus = body["status"]
    if status not in _OPEN:
        return status
    if body.get("listed") is None:
        return "failed" if is_gone(body["owner"], asked_by=this_process()) else status
    waits = any(each in ("created", "processing") for each in states)
    return "processing" if waits else "succeeded"
