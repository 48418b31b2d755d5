"""Files that a message carries, as every renderer hands them over."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to upload; `comment` says in the thread what it is, `alt` what a picture shows.

    Slack takes no empty one. Its name is unique in the thread: by it an upload is found again.
    """

    name: str
    title: str
    content: str | bytes
    comment: str = ""
    alt: str = ""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Several files in one message; `comment` says what they are. The first one's name is unique."""

    files: tuple[File, ...]
    comment: str
