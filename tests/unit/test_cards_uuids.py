"""Uuids of cards: version 4, never twice, not even after a fork."""

import os
from uuid import UUID

import pytest

from cds_service.cards.uuids import new_uuid


def test_they_are_version_4_and_different() -> None:
    made = [new_uuid() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {UUID(one).version for one in made} == {4}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_makes_others() -> None:
    new_uuid()  # leaves randomness waiting, which the child inherits
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_uuid().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 64).decode()
    os.close(reader)
    os.close(writer)
    assert theirs not in {new_uuid() for _ in range(300)}
