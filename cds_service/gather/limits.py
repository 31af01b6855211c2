"""How much one call may read from a FHIR server. docs/operators-guide.md lists these by name.

They are constants and no settings of a pack: they protect the service, whatever a site thinks of
ferritin. A call that reaches one goes on with what it has and says what is missing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, counts and bytes for one call; together for all keys unless it says otherwise."""

    deadline: float = 2.5  # seconds for all reading; never longer than the token lives
    request: float = 1.5  # seconds for one request, from the look-up of the name to the last byte
    parallel: int = 4  # requests at a time; athenahealth and others refuse more
    pages: int = 10  # of one search
    entries: int = 5_000
    body_bytes: int = 10_000_000  # after decompression
    medications: int = 20  # Medication resources read one by one
    retries: int = 1  # of one request after 429 or 503, only where Retry-After fits the deadline
    pause: float = 0.25  # seconds before that, where the server names none
    refused_tokens: int = 2  # answers 401 after which nothing more is asked


LIMITS = Limits()

# For the process. A worker has four threads: one stays free for calls that bring their data along.
CALLS_AT_ONCE = 3
CALLS_PER_SERVER = 2
THREADS = 16  # CALLS_AT_ONCE * parallel, and some that a dead name server may hold
