"""One prefetch key read from a FHIR server: its query forms, its pages, and what they come to.

A `KeyRead` asks for nothing itself: it names the next target, and takes in the answers. In the end
its pages are put together as one Bundle and read exactly as a prefetched one, so that the same data
gives the same chart whichever way it came. Where a link to the next page may lead: `gather.urls`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from cds_service.facts.chart import Supply
from cds_service.gather import prefetch
from cds_service.gather.limits import Limits
from cds_service.gather.manners import Query
from cds_service.gather.prefetch import Reading
from cds_service.gather.trouble import Trouble
from cds_service.gather.urls import Base, UrlRefused, target_of_link, target_under
from cds_service.protocol.bundles import next_link
from cds_service.protocol.raw import encoded

Json = Any


class Quota:
    """What a call may still take in: pages of each search, entries over all of its keys."""

    def __init__(self, limits: Limits) -> None:
        self.pages = limits.pages
        self._entries = limits.entries

    def cut(self, entries: list[Json]) -> list[Json]:
        """As many of the entries as are allowed; they are counted."""
        kept = entries[: self._entries]
        self._entries -= len(kept)
        return kept


class KeyRead:
    """Reading one key. `target` is what to ask for next, "" when there is nothing more to ask.

    `page` is a first page that came as prefetch: then only the rest is asked for.
    """

    def __init__(
        self,
        key: str,
        base: Base,
        queries: Sequence[Query],
        quota: Quota,
        adapt: Callable[[Sequence[Json]], None],
        page: Json = None,
    ) -> None:
        self.key = key
        self.target = ""
        self.form = ""  # what to send along as the body of a POST
        self.resource_type = queries[0].relative.partition("?")[0].partition("/")[0]
        self._search = "?" in queries[0].relative
        self._by_codes = self.resource_type == "Observation"
        self._base = base
        self._queries = list(queries)
        self._quota = quota
        self._adapt = adapt
        self._pages: list[Json] = []
        self._kept: list[Json] = []  # of a form that did not bring all
        self._more: list[str] = []  # searches of the present form
        self._in_parts = False
        self._seen: set[str] = set()
        self._trouble: Trouble | None = None
        self._lacks = ""
        if page is None:
            self._ask()
        else:
            self._take_page(page, count=False)

    def take(self, value: Json) -> None:
        """Take in the JSON of an answer with status 200."""
        self.target = self.form = ""
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(kind, str) or (self._pages and kind != "Bundle"):
            self.fail(Trouble.NOT_FHIR)
            return
        self._take_page(value)
        if not self.target and self._trouble is None and self._more:
            self._aim(self._more.pop(0))

    def fail(self, trouble: Trouble) -> None:
        """Take in that the target could not be had."""
        self.target = self.form = ""
        if self._queries and self._may_ask_otherwise(trouble):
            self._kept = self._pages or self._kept
            self._pages = []
            self._ask()
            return
        if self._is_missing_type(trouble):
            trouble = Trouble.NOT_OFFERED
        self._pages = self._pages or self._kept
        self._trouble = trouble

    def _is_missing_type(self, trouble: Trouble) -> bool:
        """Whether the server says that it has no such resources at all, as some say of
        MedicationStatement. Of Observations that is never believed: it may be a front's 404."""
        first = self._search and not self._by_codes and not self._pages
        return first and trouble is Trouble.NOT_FOUND

    def _may_ask_otherwise(self, trouble: Trouble) -> bool:
        """Whether it was the way of asking. A list of codes may have been too long for a server
        that says so in no words of its own."""
        if self._pages and not self._in_parts:
            return False
        return trouble is Trouble.QUERY or (self._by_codes and trouble in _OF_LONG_ADDRESSES)

    def give_up(self, trouble: Trouble) -> None:
        """Take in that nothing more will be asked, in no other form either."""
        self._queries.clear()
        if self.target:
            self.fail(trouble)

    def reading(self) -> Reading:
        """What the key holds. To be asked when there is no target any more."""
        if not self._pages:
            return _nothing(self._trouble or Trouble.TIMEOUT)
        merged = self._merged()
        self._adapt([merged])
        reading = prefetch.read(encoded(merged))
        if self._trouble is not None and reading.supply is not Supply.FAILED:
            reading.supply = Supply.INCOMPLETE
            reading.problem = _SAID_OF_PAGES.format(self._trouble.words, self._trouble.value)
        elif self._lacks and reading.supply.complete:
            reading.supply = Supply.INCOMPLETE
            reading.problem = f"{self._lacks} could not be asked for at the FHIR server"
        return reading

    def _ask(self) -> None:
        query = self._queries.pop(0)
        self._lacks = query.lacks
        self._more, self._in_parts = list(query.more), bool(query.more)
        self._aim(query.relative, post=query.post)

    def _aim(self, relative: str, *, post: bool = False) -> None:
        try:
            target = target_under(self._base, relative)
        except UrlRefused:
            self.fail(Trouble.QUERY)
            return
        if post:
            path, _, self.form = target.partition("?")
            target = f"{path}/_search"
        self.target = target
        self._seen.add(target + self.form)

    def _take_page(self, page: Json, count: bool = True) -> None:
        self._pages.append(page)
        entries = page.get("entry")
        if count and isinstance(entries, list):
            kept = self._quota.cut(entries)
            if len(kept) < len(entries):
                self._pages[-1] = page | {"entry": kept}
                self._trouble = Trouble.TOO_MANY_ENTRIES
                return
        link = next_link(page) if page.get("resourceType") == "Bundle" else None
        if link is not None:
            self._follow(link)

    def _follow(self, link: str) -> None:
        try:
            target = target_of_link(self._base, link)
        except UrlRefused:
            self._trouble = Trouble.LINK
            return
        if target in self._seen:
            self._trouble = Trouble.LOOP
        elif len(self._pages) >= self._quota.pages:
            self._trouble = Trouble.TOO_MANY_PAGES
        else:
            self._seen.add(target)
            self.target = target

    def _merged(self) -> Json:
        """All pages as one Bundle without links; a single answer as it is."""
        first = self._pages[0]
        if first.get("resourceType") != "Bundle":
            return first
        totals = [page["total"] for page in self._pages if isinstance(page.get("total"), int)]
        entries: list[Json] = []
        for page in self._pages:
            listed = page.get("entry", [])
            entries.extend(listed if isinstance(listed, list) else [listed])
        merged = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        if self._in_parts:
            return merged  # each part has a total of its own
        return merged | ({"total": totals[0]} if totals else {})


_OF_LONG_ADDRESSES = (Trouble.NOT_FOUND, Trouble.FORBIDDEN, Trouble.STATUS, Trouble.GONE)
_SAID_OF_PAGES = "has pages that could not be read from the FHIR server: {} ({})"


def _nothing(trouble: Trouble) -> Reading:
    if trouble is Trouble.NOT_OFFERED:
        what = f"was not sent, and the FHIR server does not offer it ({trouble.value})"
        return Reading(Supply.MISSING, problem=what)
    return Reading(
        Supply.FAILED,
        problem=f"could not be read from the FHIR server: {trouble.words} ({trouble.value})",
    )
