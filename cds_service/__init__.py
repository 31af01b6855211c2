"""A CDS Hooks service for leg cramps and the conditions mistaken for them."""


def version() -> str:
    """The installed version; "0.0.0" for a source tree that was never installed."""
    from importlib import metadata

    try:
        return metadata.version("leg-cramps-cds")
    except metadata.PackageNotFoundError:
        return "0.0.0"
