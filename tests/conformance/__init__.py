"""Backout and its sandbox, checked by other people's software: `make conformance`, and its README."""
