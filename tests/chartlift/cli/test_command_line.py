from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chartlift.cli import called
from chartlift.cli.app import app

CLINIC, ORG = "http://127.0.0.1:9", "http://127.0.0.1:9"
KEY = base64.b64encode(b"k" * 32).decode()
Spoken = Callable[..., tuple[int, dict[str, object]]]


@pytest.fixture
def spoken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Spoken:
    """Runs a command line with --json and returns its exit code and its one document."""
    monkeypatch.setenv("CHARTLIFT_KEY", KEY)
    monkeypatch.delenv("CHARTLIFT_CLOCK", raising=False)

    def speak(*words: str) -> tuple[int, dict[str, object]]:
        code = called([*words, "--json"])
        document = json.loads(capsys.readouterr().out)
        assert document["exit_code"] == code
        return code, document

    return speak


@pytest.fixture
def workspace(spoken: Spoken, tmp_path: Path) -> str:
    home = tmp_path / "clinic"
    assert spoken("init", str(home), "--source-url", CLINIC, "--org-url", ORG)[0] == 0
    return str(home)


def said(document: dict[str, object]) -> str:
    error = document["error"]
    assert isinstance(error, dict)
    return f"{error['name']}: {error['message']} {error['hint']}"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["check", "--nope"], "chartlift check --help"),
        (["sample", "--size", "many"], "--size"),
        (["init"], "Missing argument"),
        (["delta", "--hours", "-1"], "--hours"),
        (["delta", "--every", "0"], "--every"),
        (["sandbox"], "chartlift sandbox --help"),
    ],
)
def test_a_word_it_does_not_know_is_a_usage_error_and_a_document(spoken: Spoken, words: list[str], text: str) -> None:
    code, document = spoken(*words)
    assert code == 2
    assert text in said(document)


def test_without_json_an_error_is_words_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert called(["load", "--nope"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("load cannot run: No such option")
    assert "Traceback" not in err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert called([]) == 2
    assert "reconcile" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("foo", "not usable"),
        ("http://example.com", "https://"),
        ("https://", "https://"),
        ("http://127.0.0.1:x", "not usable"),
    ],
)
def test_init_refuses_an_address_and_leaves_nothing(spoken: Spoken, tmp_path: Path, url: str, text: str) -> None:
    code, document = spoken("init", str(tmp_path / "new"), "--source-url", CLINIC, "--org-url", url)
    assert code == 2
    assert text in said(document)
    assert not (tmp_path / "new").exists()


def test_init_twice(spoken: Spoken, workspace: str) -> None:
    code, document = spoken("init", workspace, "--source-url", CLINIC, "--org-url", ORG)
    assert (code, "workspace already" in said(document)) == (2, True)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("abc", "CHARTLIFT_KEY is not base64"),
        ("YWJj", "3 bytes, not 32"),
        (base64.b64encode(b"x" * 32).decode(), "does not open this workspace"),
    ],
)
def test_a_wrong_key(spoken: Spoken, workspace: str, monkeypatch: pytest.MonkeyPatch, key: str, text: str) -> None:
    monkeypatch.setenv("CHARTLIFT_KEY", key)
    code, document = spoken("status", "--workspace", workspace)
    assert code == 2
    assert text in said(document)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"tenant = ", "cannot be read"),
        (b'tenant = "x1"', "half-made"),
        (b"\xff\xfe", "cannot be read"),
        (b'tenant="x1"\npack="p"\n[source]\nplatform="s"\nurl=5\n[destination]\nplatform="s"\nurl="u"', "in quotes"),
        (
            b'tenant="x1"\npack="p"\n[source]\nplatform="s"\nurl="u"\n[destination]\nplatform="s"\nurl="u"\n[policies]\nno=1',
            "no is no policy",
        ),
    ],
)
def test_a_half_made_chartlift_toml(spoken: Spoken, workspace: str, content: bytes, text: str) -> None:
    (Path(workspace) / "chartlift.toml").write_bytes(content)
    code, document = spoken("status", "--workspace", workspace)
    assert code == 2
    assert text in said(document)


def test_a_folder_that_is_no_workspace_and_one_without_keys(spoken: Spoken, workspace: str, tmp_path: Path) -> None:
    code, document = spoken("status", "--workspace", str(tmp_path))
    assert (code, str(tmp_path) in said(document)) == (2, True)
    (Path(workspace) / "keys.json").unlink()
    code, document = spoken("status", "--workspace", workspace)
    assert (code, "keys.json" in said(document)) == (2, True)


def test_a_fresh_workspace_can_be_looked_at(spoken: Spoken, workspace: str) -> None:
    assert spoken("audit", "--verify", "--workspace", workspace)[1]["sound"] is True
    code, document = spoken("status", "--workspace", workspace)
    assert (code, document["next"], document["unknown"]) == (0, "check", 0)


@pytest.mark.parametrize(
    "step",
    [
        "profile",
        "propose",
        "people",
        "confirm --by X",
        "schema",
        "sample",
        "load --go",
        "reconcile",
        "rollback",
        "estimate",
        "rebuild",
    ],
)
def test_a_step_out_of_turn_waits_for_a_person(spoken: Spoken, workspace: str, step: str) -> None:
    code, document = spoken(*step.split(" "), "--workspace", workspace)
    assert code == 3
    assert "chartlift " in said(document)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("sample --size 5", "100 to 300"),
        ("sample --accept --reject --by X", "one of --go, --accept and --reject"),
        ("confirm", "--by NAME"),
        ("matches --all maybe", "--all link or --all new"),
        ("matches --decide nowhere.csv", "no file nowhere.csv"),
        ("schema --export nowhere/x.zip", "cannot be written"),
        ("rebuild --export nowhere/x.csv", "cannot be written"),
        ("rebuild --export list.txt", ".csv or .json"),
    ],
)
def test_options_that_make_no_sense(spoken: Spoken, workspace: str, words: str, text: str) -> None:
    code, document = spoken(*words.split(" "), "--workspace", workspace)
    assert code == 2
    assert text in said(document)


def test_a_second_instance_stops(spoken: Spoken, workspace: str) -> None:
    code = (
        "import sys; from pathlib import Path; from chartlift.store.lease import Lease; "
        "lease = Lease(Path(sys.argv[1])); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, workspace], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert spoken("profile", "--workspace", workspace)[1]["error"]["name"] == "Busy"  # type: ignore[index]
        assert spoken("status", "--workspace", workspace)[0] == 0
        other.communicate("\n", timeout=10)
    assert spoken("profile", "--workspace", workspace)[1]["error"]["name"] == "NotConfirmed"  # type: ignore[index]


def test_the_demo_keeps_off_other_folders(spoken: Spoken, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    code, document = spoken("demo", "--home", str(tmp_path))
    assert (code, "not a demo's folder" in said(document)) == (2, True)
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert spoken("demo", "--patients", "3")[0] == 2


def test_sandbox_env_is_for_a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"clinic_url": CLINIC, "org_url": ORG, "fallback_email": "m@x.example", "env": {"CHARTLIFT_KEY": "a'b $c"}}
    (tmp_path / "s.json").write_text(json.dumps(line))
    assert called(["sandbox", "env", str(tmp_path / "s.json")]) == 0
    script = capsys.readouterr().out + 'printf %s "$CHARTLIFT_KEY|$SANDBOX_MANAGER"'
    done = subprocess.run([shutil.which("sh") or "sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "a'b $c|m@x.example"
    (tmp_path / "s.json").write_text("")
    assert called(["sandbox", "env", str(tmp_path / "s.json")]) == 2


def test_help_needs_neither_rich_nor_a_store() -> None:
    heavy = "{'rich', 'pydantic', 'duckdb', 'pyarrow', 'httpx2', 'sqlcipher3', 'jinja2', 'chartlift.workspace'}"
    code = (
        f"import sys; from chartlift.cli import called; called(['--help']); print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert "Traceback" not in done.stderr


def test_no_summary_is_cut_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert called(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(app.registered_commands) > 15
    assert [line for line in lines if line.startswith("  ") and (line.endswith("...") or len(line) > 80)] == []
