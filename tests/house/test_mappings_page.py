from __future__ import annotations

import importlib.util
from pathlib import Path

from chartlift import packs

ROOT = Path(__file__).parents[2]


def made() -> str:
    spec = importlib.util.spec_from_file_location("mappings_page", ROOT / "scripts/mappings_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.page()


def test_the_page_of_the_mappings_is_what_the_packs_say() -> None:
    page = (ROOT / "docs/mappings.md").read_text(encoding="utf-8")
    assert page == made(), "run: python scripts/mappings_page.py"


def test_no_map_and_no_field_is_missing_on_the_page() -> None:
    text = made()
    for name in packs.available():
        pack = packs.load(name)
        for unit in pack.maps:
            assert f"## {unit.source} → {unit.object}\n" in text
            for rule in unit.fields:
                assert f"| `{rule.target}` | {', '.join(f'`{s}`' for s in rule.sources) or '-'} | {rule.type} |" in text
        for value_map in pack.value_maps.values():
            for label in value_map.values.values():
                assert f"\n| {label} | " in text
