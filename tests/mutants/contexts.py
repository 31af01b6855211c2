"""A pytest plugin: coverage notes for each line which test ran it."""

from collections.abc import Iterator

import coverage
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Name the test to coverage while it runs."""
    measuring = coverage.Coverage.current()
    if measuring:
        measuring.switch_context(item.nodeid.partition("[")[0])
    return (yield)
