"""What an app uploads: bytes as they are, or inside a form."""

import pytest

from bot.sandbox.slack.uploads import uploaded_bytes

CONTENT = b"a\r\n--b\r\n\r\n\x00\xff"


def a_form(boundary: bytes, content: bytes) -> bytes:
    head = b'--%b\r\nContent-Disposition: form-data; name="body"; filename="x"\r\n\r\n' % boundary
    return head + content + b"\r\n--%b--\r\n" % boundary


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/markdown; charset=utf-8"])
def test_a_plain_upload_is_the_file(content_type: str) -> None:
    assert uploaded_bytes(content_type, CONTENT) == CONTENT


@pytest.mark.parametrize("boundary", ["----form-0815", '"----form-0815"'])
def test_a_form_carries_the_file_in_its_first_part(boundary: str) -> None:
    form = a_form(b"----form-0815", CONTENT)

    assert uploaded_bytes(f"Multipart/Form-Data; boundary={boundary}", form) == CONTENT


def test_a_form_without_a_boundary_is_taken_as_it_is() -> None:
    assert uploaded_bytes("multipart/form-data", CONTENT) == CONTENT
