"""Settings outside the environment file: ``config.yaml`` of user and site, and ``ENVMGR_*``.

For each: what a site locks, else the variable, else the user's, else the
site's, else the default. With no ``config.yaml`` at hand no YAML is imported.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from envmgr.names import IndexName
from envmgr.spec.indexes import IndexSpec
from envmgr.spec.problems import FileUnreadable, VariableInvalid
from envmgr.spec.source import read_source

if TYPE_CHECKING:
    from envmgr.spec.configuration import Configuration

PYPI = "https://pypi.org/simple/"
"""The Python Package Index."""

_APPLICATION = "envmgr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds on this machine for this user."""

    home: Path
    """The root: the user's store and named environments live here."""
    cache: Path
    stores: tuple[Path, ...]
    """The user's own first, then those that are only read."""
    environments: Path
    indexes: tuple[IndexSpec, ...]
    """For files that name none; never empty."""
    pypi: IndexSpec
    """Where a file's ``{name: pypi}`` without ``url`` is asked."""
    offline: bool
    compile: bool
    interpreters: tuple[Path, ...]
    recipes: tuple[Path, ...]
    """Directories of recipes that add to those of envmgr: ``DIRECTORY/runtimes/*.yaml``."""
    expansions: Mapping[str, str] = field(repr=False)
    """The variables that index URLs of environment files may use."""
    origins: Mapping[str, str]
    """Where each setting came from: ``default``, a variable's name, or ``file:line:column``."""
    indexes_locked_by: str | None = None
    """``file:line:column`` of the site's configuration that decides the indexes of all files."""


@dataclass(frozen=True, slots=True)
class ChosenIndexes:
    """The indexes to ask for one file; ``note`` says so where they are not the file's own."""

    indexes: tuple[IndexSpec, ...]
    note: str | None = None


def choose_indexes(written: tuple[IndexSpec, ...], settings: Settings) -> ChosenIndexes:
    """Return the indexes of a file that names ``written``.

    A site's locked ones win; a file that names none takes the settings'; and
    ``{name: pypi}`` without ``url`` is asked where the settings say PyPI is.
    """
    if settings.indexes_locked_by is not None:
        named = {(index.name, index.url) for index in settings.indexes}
        if all((index.name, index.url) in named for index in written):
            return ChosenIndexes(settings.indexes)
        note = f"the indexes are those of {settings.indexes_locked_by}, not the file's own"
        return ChosenIndexes(settings.indexes, note)
    if not written:
        return ChosenIndexes(settings.indexes)
    return ChosenIndexes(tuple(_at_mirror(index, settings.pypi) for index in written))


def _at_mirror(index: IndexSpec, mirror: IndexSpec) -> IndexSpec:
    if index.name != "pypi" or index.url != PYPI:
        return index
    return replace(index, url=mirror.url, shown_url=mirror.shown_url)


def load_settings(environ: Mapping[str, str], home: Path) -> Settings:
    """Read the configurations there are, and ``environ``; ``home`` is the user's directory.

    Raises VariableInvalid, FileUnreadable, ConfigurationInvalid.
    """
    layers = _Layers(environ, _read_user(environ, home), _read_sites(environ, home))
    root = layers.take("root", "ENVMGR_HOME", _absolute, None) or _xdg(environ, "DATA", home)
    cache = layers.take("cache", "ENVMGR_CACHE", _absolute, None) or _xdg(environ, "CACHE", home)
    root, cache = _plain(root), _plain(cache)
    pypi = _pypi(layers)
    return Settings(
        home=root,
        cache=cache,
        stores=_stores(layers, root / "store"),
        environments=root / "environments",
        indexes=_indexes(layers, pypi),
        pypi=pypi,
        offline=layers.take("offline", "ENVMGR_OFFLINE", _flag, default=False),
        compile=layers.take("compile", "ENVMGR_COMPILE", _flag, default=True),
        interpreters=layers.take("interpreters", "ENVMGR_PYTHONS", _absolutes, ()),
        recipes=layers.take("recipes", "ENVMGR_RECIPES", _absolutes, ()),
        expansions=_expansions(layers),
        indexes_locked_by=layers.locked_by("indexes"),
        origins=MappingProxyType(layers.origins),
    )


T = TypeVar("T")


class _Layers:
    """The places a setting can come from, and where each one taken so far did."""

    def __init__(
        self,
        environ: Mapping[str, str],
        user: "Configuration | None",
        sites: "tuple[Configuration, ...]",
    ) -> None:
        self.environ = environ
        self.sites = sites
        self.files = ((user,) if user is not None else ()) + sites
        self.origins: dict[str, str] = {}

    def take(self, key: str, variable: str, parse: Callable[[str, str], T], default: T) -> T:
        """Return the value that wins; ``parse`` is given the variable's name and text."""
        text = self.environ.get(variable, "")
        locking = self.locking(key)
        if text and locking is None:
            self.origins[key] = variable
            return parse(variable, text)
        for file in self.files if locking is None else (locking,):
            value: T | None = getattr(file, key)
            if value is not None:
                self.origins[key] = _where(file, key)
                return value
        self.origins[key] = "default"
        return default

    def locking(self, key: str) -> "Configuration | None":
        """Return the site's configuration that locks a key."""
        return next((site for site in self.sites if key in site.locked), None)

    def locked_by(self, key: str) -> str | None:
        """Return where a key is locked, if it is."""
        site = self.locking(key)
        return None if site is None else _place(site, key)


def _place(file: "Configuration", key: str) -> str:
    at = file.places[key]
    return f"{file.file}:{at.line}:{at.column}"


def _where(file: "Configuration", key: str) -> str:
    return f"{_place(file, key)}{' (locked)' if key in file.locked else ''}"


def _stores(layers: _Layers, own: Path) -> tuple[Path, ...]:
    """Return the user's own, then those of ENVMGR_STORES, else of every configuration."""
    nothing: tuple[Path, ...] = ()
    taken = layers.take("stores", "ENVMGR_STORES", _absolutes, nothing)
    if layers.origins["stores"] not in {"default", "ENVMGR_STORES"}:
        locking = layers.locking("stores")
        files = [file for file in layers.files if file.stores is not None]
        if locking is None:
            taken = tuple(store for file in files for store in file.stores or ())
            layers.origins["stores"] = ", ".join(_where(file, "stores") for file in files)
    return tuple(dict.fromkeys((own, *map(_plain, taken))))


def _pypi(layers: _Layers) -> IndexSpec:
    """Where PyPI is asked: ENVMGR_INDEX_URL, or what a configuration calls ``pypi``."""
    url = layers.environ.get("ENVMGR_INDEX_URL")
    if url:
        return _index_of_variable("ENVMGR_INDEX_URL", url)
    indexes = (index for file in layers.files for index in file.indexes or ())
    default = IndexSpec(name=IndexName("pypi"), url=PYPI, shown_url=PYPI)
    return next((index for index in indexes if index.name == "pypi"), default)


def _indexes(layers: _Layers, pypi: IndexSpec) -> tuple[IndexSpec, ...]:
    locking = layers.locking("indexes")
    for file in layers.files if locking is None else (locking,):
        if file.indexes is not None:
            layers.origins["indexes"] = _where(file, "indexes")
            if locking is not None:
                return file.indexes
            return tuple(
                replace(index, url=pypi.url, shown_url=pypi.shown_url)
                if index.name == pypi.name
                else index
                for index in file.indexes
            )
    mirrored = bool(layers.environ.get("ENVMGR_INDEX_URL"))
    layers.origins["indexes"] = "ENVMGR_INDEX_URL" if mirrored else "default"
    return (pypi,)


def _index_of_variable(variable: str, text: str) -> IndexSpec:
    from envmgr.spec.addresses import AddressInvalid, parse_address, without_credentials

    if "://" not in text and not text.startswith("/"):
        raise VariableInvalid(variable, "holds no URL", "set it to an address, https://...")
    try:
        url, _ = parse_address(f"${{{variable}}}", Path("/"), {variable: text})
    except AddressInvalid as error:
        raise VariableInvalid(variable, f"cannot be used: {error.reason}", error.hint) from None
    return IndexSpec(name=IndexName("pypi"), url=url, shown_url=without_credentials(url))


def _expansions(layers: _Layers) -> Mapping[str, str]:
    """Every ENVMGR_* variable, and those that a configuration allows."""
    locking = layers.locking("expand")
    files = layers.files if locking is None else (locking,)
    allowed = {name for file in files for name in file.expand or ()}
    places = [_where(file, "expand") for file in files if file.expand is not None]
    layers.origins["expand"] = ", ".join(places) or "default"
    return MappingProxyType(
        {
            name: value
            for name, value in layers.environ.items()
            if value and (name.startswith("ENVMGR_") or name in allowed)
        }
    )


def _absolute(variable: str, text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise VariableInvalid(variable, f"holds {text!r}, which is no absolute path", _FROM_ROOT)
    return path


def _plain(path: Path) -> Path:
    """Remove ``..`` and keep links, as of paths on the command line.

    What stands below would name a directory on the way that may go some day.
    """
    return Path(os.path.normpath(path))


_FROM_ROOT = "write it from / on"


def _absolutes(variable: str, text: str) -> tuple[Path, ...]:
    return tuple(_absolute(variable, part) for part in text.split(os.pathsep) if part)


_FLAGS = {"1": True, "true": True, "yes": True, "on": True}
_FLAGS |= {"0": False, "false": False, "no": False, "off": False}


def _flag(variable: str, text: str) -> bool:
    value = _FLAGS.get(text.lower())
    if value is None:
        raise VariableInvalid(variable, f"holds {text!r}", "set it to 1 or 0")
    return value


_XDG_DEFAULTS = {"CONFIG": ".config", "DATA": ".local/share", "CACHE": ".cache"}


def _xdg(environ: Mapping[str, str], kind: str, home: Path) -> Path:
    """Our directory by the XDG Base Directory Specification, which ignores relative paths."""
    text = environ.get(f"XDG_{kind}_HOME", "")
    if text.startswith("/"):
        return Path(text, _APPLICATION)
    if not home.is_absolute():
        raise _homeless(environ)
    return home / _XDG_DEFAULTS[kind] / _APPLICATION


def _homeless(environ: Mapping[str, str]) -> VariableInvalid:
    """Say that there is no directory of the user: where one stands is no place for a root."""
    text = environ.get("HOME")
    if text is None:
        reason = "is not set, and the system knows no home directory of this user"
        return VariableInvalid("HOME", reason, "set it")
    return VariableInvalid("HOME", f"holds {text!r}, which is no absolute path", _FROM_ROOT)


def _read_user(environ: Mapping[str, str], home: Path) -> "Configuration | None":
    file = _xdg(environ, "CONFIG", home) / "config.yaml"
    return _read_configuration(file, environ, home, site=False)


def _read_sites(environ: Mapping[str, str], home: Path) -> "tuple[Configuration, ...]":
    """Read the configurations of the site, the weightiest first."""
    files = [
        Path(directory, _APPLICATION, "config.yaml")
        for directory in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
        if directory.startswith("/")
    ]
    named = environ.get("ENVMGR_SITE_CONFIG")
    if named:
        file = _absolute("ENVMGR_SITE_CONFIG", named)
        if not _is_file(file):
            raise VariableInvalid("ENVMGR_SITE_CONFIG", f"names {named!r}, which is no file")
        files.insert(0, file)
    found = (_read_configuration(file, environ, home, site=True) for file in dict.fromkeys(files))
    return tuple(configuration for configuration in found if configuration is not None)


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError as error:
        raise FileUnreadable(file, (error.strerror or str(error)).lower()) from None


def _read_configuration(
    file: Path, environ: Mapping[str, str], home: Path, *, site: bool
) -> "Configuration | None":
    try:
        data = read_source(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileUnreadable(file, (error.strerror or str(error)).lower()) from None
    from envmgr.spec.configuration import parse_configuration

    return parse_configuration(data, file, environ, home, site=site)
