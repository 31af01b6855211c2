"""Values: small immutable objects that one call makes by the dozen, and their identifiers."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform
from uuid import uuid4

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def value(cls: type[_T]) -> type[_T]:
    """A dataclass that is never changed once it is made, and can be a key.

    Who keeps to that is the type checker. A frozen dataclass would guard it at run time too, and
    making one takes three times as long: with some hundred of them in a call, that is felt.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


def new_uuid() -> str:
    """A random uuid (version 4), as text."""
    return str(uuid4())
