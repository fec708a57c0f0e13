"""Do something to a module right after somebody else imports it, without importing it ourselves.

An app may start with `gevent.monkey.patch_all()`, which must come before flask, ssl and threads are loaded.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Callable, Dict, List, Optional, Sequence

Action = Callable[[ModuleType], None]


class _Loader(importlib.abc.Loader):
    """The module's own loader, with the actions done at the end."""

    def __init__(self, loader: importlib.abc.Loader, actions: Sequence[Action]) -> None:
        self._loader = loader
        self._actions = actions

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Whoever asks the module for its loader later (resources, source lines) must get the real one.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for action in self._actions:
            action(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self) -> None:
        self.actions: Dict[str, List[Action]] = {}
        self._inside = False

    def find_spec(
        self, name: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name not in self.actions or self._inside:
            return None
        self._inside = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._inside = False
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return None
        assert spec.loader is not None
        spec.loader = _Loader(spec.loader, tuple(self.actions[name]))
        return spec


_finder = _Finder()


def when_imported(name: str, action: Action) -> None:
    """Call `action(module)` when module `name` has been imported; at once if it is there already."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.actions.setdefault(name, []).append(action)
    module = sys.modules.get(name)
    if module is not None:
        action(module)


def forget(name: str, action: Action) -> None:
    """Take back what `when_imported` was told."""
    actions = _finder.actions.get(name, [])
    if action in actions:
        actions.remove(action)
    if not actions:
        _finder.actions.pop(name, None)
