"""Backout: incident command during canary deployments on Google Cloud Run."""

__version__ = "0.1.0"
