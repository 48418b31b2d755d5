"""The way every part of the emulated Google says no."""

import grpc


class Rejection(Exception):
    """An RPC answered with `code` and `detail`, before it had any effect."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(f"{code.name}: {detail}")
        self.code = code
        self.detail = detail


def invalid(detail: str) -> Rejection:
    """Return an INVALID_ARGUMENT, for the caller to raise."""
    return Rejection(grpc.StatusCode.INVALID_ARGUMENT, detail)


def not_found(detail: str) -> Rejection:
    """Return a NOT_FOUND, for the caller to raise."""
    return Rejection(grpc.StatusCode.NOT_FOUND, detail)


def denied(detail: str) -> Rejection:
    """Return a PERMISSION_DENIED, for the caller to raise."""
    return Rejection(grpc.StatusCode.PERMISSION_DENIED, detail)
