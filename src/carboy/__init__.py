"""Carboy takes a Flask project, as it is, to production."""

__version__ = "0.1.0"
