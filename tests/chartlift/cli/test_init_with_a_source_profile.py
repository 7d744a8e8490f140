"""`init --source-profile`: a file or a name; what cannot be used leaves no workspace behind."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest

from chartlift import workspace
from chartlift.errors import UsageError


def made(home: Path, profile: str, environ: dict[str, str]) -> None:
    workspace.make(
        home,
        tenant="clinic",
        pack="aeronaclinic_to_salesforce",
        source="aeronaclinic",
        source_url="",
        org_url="",
        environ=environ,
        source_profile=profile,
    )


@pytest.fixture
def environ() -> dict[str, str]:

    return {"CHARTLIFT_KEY": base64.b64encode(secrets.token_bytes(32)).decode()}


def test_a_profile_is_kept_in_the_workspace(tmp_path: Path, environ: dict[str, str]) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[entity.patient]\npath = "/v2/people"\n')
    made(tmp_path / "a", str(own), environ)
    assert (tmp_path / "a" / workspace.SOURCE_PROFILE).read_text() == own.read_text()


def test_one_that_comes_along_is_found_by_its_name(tmp_path: Path, environ: dict[str, str]) -> None:
    made(tmp_path / "a", "dentally-like", environ)
    assert 'kind = "bearer"' in (tmp_path / "a" / workspace.SOURCE_PROFILE).read_text()


@pytest.mark.parametrize("given", ["nowhere", "../source", "bad.toml", "latin.toml"])
def test_what_cannot_be_used_leaves_no_workspace(
    given: str, tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("colour = 1")
    Path("latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(UsageError):
        made(tmp_path / "a", given, environ)
    assert not list((tmp_path / "a").glob("*.toml"))


def test_without_one_there_is_none(tmp_path: Path, environ: dict[str, str]) -> None:
    made(tmp_path / "a", "", environ)
    assert not (tmp_path / "a" / workspace.SOURCE_PROFILE).exists()
