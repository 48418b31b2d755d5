"""An edition of the playbook is kept as JSON and comes back as it was."""

import json

import pytest

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.domain.edition import digest, document, edition_of, from_document
from bot.domain.playbook import Playbook
from tests.values import NOON, a_playbook

BOOKS = [a_playbook(), read_playbook(DEFAULT)]


@pytest.mark.parametrize("book", BOOKS, ids=["small", "guide"])
def test_an_edition_comes_back_as_it_was(book: Playbook) -> None:
    kept = json.loads(json.dumps(document(book)))

    assert from_document(kept) == book
    assert digest(from_document(kept)) == digest(book)


def test_an_edition_comes_back_whatever_the_order_of_its_keys() -> None:
    kept = json.loads(json.dumps(document(BOOKS[1]), sort_keys=True))

    assert digest(from_document(kept)) == digest(BOOKS[1])


def test_the_same_playbook_has_the_same_digest_and_another_one_another() -> None:
    assert digest(a_playbook()) == digest(a_playbook())
    assert digest(a_playbook()) != digest(a_playbook(name="Phase 5"))
    assert len(digest(a_playbook())) == 64


def test_an_edition_carries_the_teams_own_word_for_it() -> None:
    edition = edition_of(BOOKS[1], at=NOON)

    assert (edition.version, edition.id, edition.created_at) == ("2025-10-21", digest(BOOKS[1]), NOON)
