"""What a resource is known by: its id, and the fullUrl of the entry that brought it.

A reference names either, as a relative or an absolute address or a URN, with a version or without
one (FHIR R4, Bundle.entry.fullUrl and References). Two servers do not share a patient's ids in one
call, so an address whose base nobody knows still counts by its last two parts.
"""


def of_resource(kind: str, identifier: str, url: str) -> set[str]:
    """All that a resource can be referred to by."""
    names: set[str] = set()
    if identifier:
        names |= {f"{kind}/{identifier}", f"urn:uuid:{identifier}".lower()}
    if url:
        names.update(of_reference(url))
    return names


def of_reference(text: str) -> tuple[str, ...]:
    """What a reference names, the most exact first; nothing for one without a type or scheme."""
    plain = without_version(text)
    if plain[:4].lower() == "urn:":  # in either case (RFC 8141)
        return (plain.lower(),)
    parts = plain.split("/")
    if len(parts) < 2 or not all(parts[-2:]):
        return ()
    short = "/".join(parts[-2:])
    return (short,) if short == plain else (plain, short)


def without_version(text: str) -> str:
    """A reference or address without "/_history/2" at its end."""
    return text.strip().partition("/_history")[0].rstrip("/")


def id_in(url: str, kind: str) -> str:
    """The id at the end of an address of a resource of this type; "" where there is none."""
    parts = without_version(url).split("/")
    return parts[-1] if len(parts) > 1 and parts[-2] == kind else ""
