import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenflow.artifacts.base import ArtifactError
from zenflow.artifacts.naming import MOST_BYTES, MOST_CHARACTERS, PART_PREFIX, portable_path
from zenflow.media.types import ending_for


@pytest.mark.parametrize(
    ("given_name", "portable"),
    [
        ("hero", "hero"),
        ("a/b/c", "a/b/c"),
        ('a<b>c:d"e\\f|g?h*i', "a-b-c-d-e-f-g-h-i"),
        ("two\nlines\tand\x00nul\x7f", "two-lines-and-nul-"),
        ("ends with dots...", "ends with dots"),
        ("  spaces  / around ", "spaces/around"),
        ("CON", "CON_"),
        ("nul.tar", "nul_.tar"),
        ("com1/lpt9.x/COM¹", "com1_/lpt9_.x/COM¹_"),
        ("console", "console"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("evil\u202egnp.exe", "evil-gnp.exe"),
        ("half \ud83d character", "half - character"),
        ("🦊 fox", "🦊 fox"),
        (".hidden", ".hidden"),
        (PART_PREFIX + "x", "_" + PART_PREFIX[1:] + "x"),
        ("x" * 300, "x" * MOST_CHARACTERS),
        ("漢" * 300, "漢" * (MOST_BYTES // 3)),
        ("v1.2", "v1.2"),
        ("~/x", "~/x"),
        ("a. /b", "a/b"),
    ],
)
def test_a_name_is_made_portable_part_by_part(given_name: str, portable: str) -> None:
    assert portable_path(given_name) == portable


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/etc/passwd", "ZF870"),
        ("C:/x", "ZF870"),
        ("c:\\x", "ZF870"),
        ("\\\\server\\share", "ZF870"),
        ("..", "ZF871"),
        ("a/../b", "ZF871"),
        ("a/ .. /b", "ZF871"),
        ("", "ZF872"),
        ("a//b", "ZF872"),
        ("a/", "ZF872"),
        ("./a", "ZF872"),
        ("   ", "ZF872"),
        ("...", "ZF872"),
        ("/".join("a" * 17), "ZF873"),
    ],
)
def test_a_name_that_leads_elsewhere_or_nowhere_is_an_error(name: str, code: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        portable_path(name)
    assert caught.value.code == code
    assert caught.value.hint and not caught.value.retry


@given(st.text(max_size=300) | st.text(alphabet="aé漢🦊 ./\\:-_~\u200d\ufe0f\x00", max_size=300))
def test_whatever_is_rendered_gives_a_portable_path_or_an_error(text: str) -> None:
    try:
        path = portable_path(text)
    except ArtifactError:
        return
    assert portable_path(path) == path  # a second look changes nothing
    for part in path.split("/"):
        assert part not in ("", ".", "..")
        assert len(part) <= MOST_CHARACTERS + 1 and len(part.encode()) <= MOST_BYTES + 1
        assert not set(part) & set('<>:"\\|?*') and part == part.strip(" ").rstrip(".")
        assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in part)
        assert unicodedata.is_normalized("NFC", part)


@pytest.mark.parametrize(
    ("media_type", "ending"),
    [
        ("image/png", "png"),
        ("image/jpeg", "jpg"),
        ("image/jpg", "jpg"),
        ("image/webp", "webp"),
        ("image/heic", "heic"),
        ("image/heif", "heif"),
        ("video/mp4", "mp4"),
        ("video/mov", "mov"),
        ("video/quicktime", "mov"),
        ("audio/mpeg", "mp3"),
        ("audio/mp3", "mp3"),
        ("audio/wav", "wav"),
        ("audio/x-wav", "wav"),
        ("audio/x-m4a", "m4a"),
        ("image/gif", "gif"),
        ("image/avif", "avif"),
        ("video/webm", "webm"),
        ("audio/ogg", "ogg"),
        ("application/json; charset=utf-8", "json"),
        ("TEXT/Plain", "txt"),
        ("model/gltf-binary", "bin"),
        ("", "bin"),
    ],
)
def test_the_ending_comes_from_the_media_type(media_type: str, ending: str) -> None:
    assert ending_for(media_type) == ending
