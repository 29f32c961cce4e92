"""Use case: check comments whose requests may come again, and tell later what was decided."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import IntegrityError

from service.checking import Checker, CheckRequest
from service.stores.checks import StoredCheck
from service.stores.keys import Key


class RequestChanged(Exception):
    """The client gave one name to two different requests.

    Parameters
    ----------
    place : int
        Which of the requests it is, counted from 0.
    """

    def __init__(self, place: int) -> None:
        super().__init__(f"request {place} has the name of another one")
        self.place = place


@dataclass(frozen=True, slots=True)
class Told:
    """What a client is told of one request.

    Attributes
    ----------
    check : StoredCheck
    is_repeated : bool
        Whether it was there before.
    """

    check: StoredCheck
    is_repeated: bool


class StoredChecks(Protocol):
    """Where checks are found again."""

    def find(self, guids: Iterable[str]) -> dict[str, StoredCheck]: ...

    def find_named(self, key_id: int, request_hashes: Iterable[str]) -> dict[str, StoredCheck]: ...


class Verdicts:
    """Checks that can be asked for again: by the client's name for the request, and by the check's own."""

    def __init__(self, checker: Checker, stored: StoredChecks) -> None:
        self._checker = checker
        self._stored = stored

    def check(self, requests: Sequence[CheckRequest], *, key: Key) -> list[Told]:
        """Decide on comments and record them, all or none; what was decided before under its name stays.

        Raises
        ------
        RequestChanged
            If one has the name of another request; nothing is recorded then.
        ModelUnavailable, sqlalchemy.exc.SQLAlchemyError
            If they cannot be judged or recorded.
        """
        try:
            return self._check(requests, key)
        except IntegrityError:
            # The same request may have come twice at once: now the other one's check is there to be found.
            return self._check(requests, key)

    def find(self, guid: str, *, key: Key) -> StoredCheck | None:
        """Return a check by its name; None if it is not there or not for this key to see.

        See ``Key.sees``.
        """
        check = self._stored.find([guid]).get(guid)
        return check if check is not None and key.sees(check.site, check.key_id) else None

    def _check(self, requests: Sequence[CheckRequest], key: Key) -> list[Told]:
        names = [request.name for request in requests]
        known = self._stored.find_named(key.id, {name.request_hash for name in names if name is not None})
        said = {name: str(check.values["request_content_hash"]) for name, check in known.items()}
        guid_of = {name: check.guid for name, check in known.items()}
        new: dict[str, CheckRequest] = {}
        told: list[tuple[str, bool]] = []
        for place, request in enumerate(requests):
            name, guid = request.name, None
            if name is not None:
                if said.setdefault(name.request_hash, name.content_hash) != name.content_hash:
                    raise RequestChanged(place)
                guid = guid_of.get(name.request_hash)
            told.append((guid or uuid.uuid4().hex, guid is not None))
            if guid is None:
                guid = told[-1][0]
                new[guid] = request
                if name is not None:
                    guid_of[name.request_hash] = guid
        if new:
            self._checker.check_all(new, key=key)
        found = self._stored.find({guid for guid, _ in told})
        return [Told(found[guid], is_repeated) for guid, is_repeated in told]
