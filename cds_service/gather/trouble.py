"""What each HTTP status of a FHIR server means; why nothing was read, in words that name nobody.

The value of a `Trouble` is its class as it stands in 412 answers, logs and metrics.
"""

from enum import Enum


class Trouble(Enum):
    """What went wrong, for the integrator and the operator."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    ADDRESS = "address-refused"
    LINK = "link-refused"
    BUSY = "busy"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    NOT_OFFERED = "not-offered"
    GONE = "gone"
    QUERY = "query-refused"
    THROTTLED = "throttled"
    SERVER = "server-error"
    REDIRECT = "redirect"
    STATUS = "unexpected-status"
    NOT_FHIR = "not-fhir"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"
    TOO_MANY_PAGES = "too-many-pages"
    TOO_MANY_ENTRIES = "too-many-entries"
    LOOP = "page-loop"

    @property
    def words(self) -> str:
        """What happened, as the end of "could not be read from the FHIR server: ..."."""
        return _WORDS[self]


_WORDS = {
    Trouble.TIMEOUT: "it did not answer in time",
    Trouble.UNREACHABLE: "no connection",
    Trouble.TLS: "its certificate or its encryption was refused",
    Trouble.ADDRESS: "its name leads to an address that the service does not connect to",
    Trouble.LINK: "the link to the next page leads elsewhere",
    Trouble.BUSY: "too many calls are reading at this moment",
    Trouble.UNAUTHORIZED: "HTTP 401, the access token was refused",
    Trouble.FORBIDDEN: "HTTP 403, the access token does not cover it",
    Trouble.NOT_FOUND: "HTTP 404, it was not found",
    Trouble.NOT_OFFERED: "HTTP 404, the server does not offer it",
    Trouble.GONE: "HTTP 410, it is gone",
    Trouble.QUERY: "the query was refused",
    Trouble.THROTTLED: "HTTP 429 or 503, it asked to come back later",
    Trouble.SERVER: "HTTP 5xx, it failed",
    Trouble.REDIRECT: "it redirected, which is not followed",
    Trouble.STATUS: "it answered with an unexpected HTTP status",
    Trouble.NOT_FHIR: "the answer is no FHIR JSON",
    Trouble.TRUNCATED: "the answer broke off",
    Trouble.TOO_LARGE: "the answers are larger than the service reads",
    Trouble.TOO_MANY_PAGES: "it has more pages than the service reads",
    Trouble.TOO_MANY_ENTRIES: "it has more entries than the service reads",
    Trouble.LOOP: "the link to the next page leads back",
}

_OF_STATUS = {
    400: Trouble.QUERY,
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.NOT_FOUND,
    405: Trouble.QUERY,
    410: Trouble.GONE,
    414: Trouble.QUERY,
    422: Trouble.QUERY,
    429: Trouble.THROTTLED,
    431: Trouble.QUERY,
    501: Trouble.QUERY,
    503: Trouble.THROTTLED,
}


def of_status(status: int) -> Trouble | None:
    """The trouble with an HTTP status; None for 200."""
    if status == 200:
        return None
    if 300 <= status < 400:
        return Trouble.REDIRECT
    return _OF_STATUS.get(status) or (Trouble.SERVER if status >= 500 else Trouble.STATUS)
