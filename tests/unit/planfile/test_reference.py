"""The pages that are made from the code: whole, in both languages, and told when stale."""

import re
from pathlib import Path

import pytest

from carboy.planfile.keys import all_keys
from carboy.workflows.explain import variable_of
from tools import gendocs


@pytest.mark.requirement("U4")
def test_every_setting_stands_in_both_languages() -> None:
    """Each key has its row in the English and in the Chinese page, and no text is left untranslated."""
    pages = gendocs.pages()
    variables = [variable_of(key) for key in all_keys().values()]
    for name in ("settings.md", "settings.zh-CN.md"):
        text = pages[gendocs.REFERENCE / name]
        assert [variable for variable in variables if f"`{variable}`" not in text] == []
    assert gendocs.untranslated() == []
    rows = [line for line in pages[gendocs.REFERENCE / "settings.zh-CN.md"].splitlines() if line.startswith("| `")]
    assert [row for row in rows if not re.search("[\u4e00-\u9fff]", row)] == []


@pytest.mark.requirement("U4")
def test_a_stale_page_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is missing or differs from the code is named by `--check`."""
    monkeypatch.setattr(gendocs, "REFERENCE", tmp_path)
    pages = gendocs.pages()
    assert gendocs.stale() == list(pages)
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert gendocs.stale() == []
    (tmp_path / "settings.md").write_text("old", encoding="utf-8")
    assert gendocs.stale() == [tmp_path / "settings.md"]
