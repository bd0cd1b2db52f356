"""Whatever viewers are shown of videos goes through the one rule of who sees what."""

import ast
from pathlib import Path

import pytest

import reelm

ROOMS = ("social", "feed", "search", "web")
SRC = Path(reelm.__file__).parent
# Files that may select from Video without the rule, each with its reason.
ALLOWED = {
    "social/visibility.py": "it is the rule",
    "social/comment.py": "asks who may delete a comment; shows nothing",
}


def violations(source: str) -> list[int]:
    """Return the lines that select columns of Video by a plain `select` or `Session.get`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else name
        # Of a join the first argument is what is joined, the second only says how.
        asked = node.args[:1] if called in {"join", "outerjoin"} else node.args
        if called in {"select", "get", "select_from", "join", "outerjoin", "query"}:
            found += [node.lineno for arg in asked if _names_video(arg)]
    return found


def _names_video(node: ast.AST) -> bool:
    inside = (n for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute))
    names = {n.id if isinstance(n, ast.Name) else n.attr for n in inside}
    return "Video" in names


def _files() -> list[Path]:
    return [path for room in ROOMS for path in (SRC / room).rglob("*.py")]


def test_no_query_of_a_viewers_room_goes_around_the_rule():
    guilty = {
        f"{path.relative_to(SRC)}:{line}"
        for path in _files()
        if str(path.relative_to(SRC)) not in ALLOWED
        for line in violations(path.read_text("utf-8"))
    }
    assert not guilty, "select these by social.visible_to or social.watchable_by"


def test_the_allowed_files_are_there():
    assert {str(path.relative_to(SRC)) for path in _files()} >= set(ALLOWED)


@pytest.mark.parametrize("planted", [
    "session.scalars(select(Video.id))",
    "session.get(Video, video_id)",
    "select(Comment.id).join(Video, Video.id == Comment.video_id)",
    "select(func.count(models.Video.id))",
    "select(Impression.id).select_from(Video)",
])  # fmt: skip
def test_a_planted_query_is_found(planted):
    assert violations(planted)


def test_asking_the_rule_is_no_violation():
    assert not violations("visible_to(me, Video.id).where(Video.account_id == me)")
    assert not violations("visible_to(None, Video.id).join(Impression, Video.id == x)")
