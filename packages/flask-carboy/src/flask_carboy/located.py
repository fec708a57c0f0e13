"""The app by a name that Flask's own command line understands, whatever the form of CARBOY_APP: `located:app`."""

import os

from flask_carboy.loading import load
from flask_carboy.settings import read

_settings = read(os.environ)
app = load(_settings.app, _settings.interface)
