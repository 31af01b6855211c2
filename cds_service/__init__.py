"""A CDS Hooks service for leg cramps and the conditions mistaken for them."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("leg-cramps-cds")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
