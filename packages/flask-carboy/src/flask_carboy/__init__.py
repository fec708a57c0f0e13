"""Flask-Carboy: what a Flask app needs in production."""

__version__ = "0.1.0"
