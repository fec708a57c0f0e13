"""Where this user's pip gets packages from: uv has settings of its own and does not read pip's."""

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path

# pip's key, pip's variable, uv's variable.
_KEYS = (
    ("index-url", "PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    ("extra-index-url", "PIP_EXTRA_INDEX_URL", "UV_INDEX"),
    ("trusted-host", "PIP_TRUSTED_HOST", "UV_INSECURE_HOST"),
)


def index_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """uv's variables for the indexes that pip's variables and configuration files name; uv's own win."""
    written = dict(_written(environment))
    found: dict[str, str] = {}
    for key, pip_name, uv_name in _KEYS:
        value = environment.get(uv_name) or environment.get(pip_name) or written.get(key)
        if value:
            found[uv_name] = " ".join(value.split())
    return found


def _written(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The keys of pip's files, from the machine's to the user's: what comes later wins."""
    for file in _files(environment):
        config = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            config.read(file, "utf-8")
        except (configparser.Error, UnicodeDecodeError):  # pip itself would complain; here it is only not used
            continue
        for section in ("global", "install"):
            if config.has_section(section):
                yield from config.items(section)


def _files(environment: Mapping[str, str]) -> list[Path]:
    named = environment.get("PIP_CONFIG_FILE")
    if named:
        return [Path(named)]
    home = environment.get("HOME") or environment.get("USERPROFILE")
    files = [Path("/etc/pip.conf")]
    if home:
        configuration = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
        files += [Path(home, ".pip", "pip.conf"), Path(configuration, "pip", "pip.conf")]
        files.append(Path(home, "Library", "Application Support", "pip", "pip.conf"))
    if roaming := environment.get("APPDATA"):
        files.append(Path(roaming, "pip", "pip.ini"))
    return files
