"""Inputs by declared type, out of words, files, folders and CSV, and what is wrong with them (rules 6–8)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zenflow.errors import InvalidRecipe
from zenflow.media.sniff import type_of
from zenflow.media.types import FILE_LIMIT_BYTES
from zenflow.problems import Problem, Problems
from zenflow.recipe.inputs.bind import BoundInputs, bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 32 + b"\xff\xd9"
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 12 + b"\0\0\0\x08moov"
WAV = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + b"\0" * 16 + b"data\0\0\0\0"
UUID = "0f0e0d0c-0b0a-4908-8706-050403020100"


@pytest.fixture
def recipe_with(tmp_path: Path) -> Callable[[str], Recipe]:
    def make(inputs: str) -> Recipe:
        folder = tmp_path / "book"
        folder.mkdir(exist_ok=True)
        path = folder / "r.yaml"
        path.write_text(f"zenflow: 1\nname: t\ninputs:\n{inputs}\nsteps:\n  s: {{uses: x}}\n")
        problems = Problems()
        recipe = load_recipe(path, problems)
        assert recipe is not None, list(problems)
        return recipe

    return make


def bound(recipe: Recipe, base: Path, *words: str, files: tuple[Path, ...] = ()) -> BoundInputs:
    pairs = [(word.partition("=")[0], word.partition("=")[2]) for word in words]
    return bind_inputs(recipe, [*files, *pairs], base)


def refused(recipe: Recipe, base: Path, *words: str, files: tuple[Path, ...] = ()) -> list[Problem]:
    with pytest.raises(InvalidRecipe) as caught:
        bound(recipe, base, *words, files=files)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("declared", "word", "value"),
    [
        ("string", "007", "007"),
        ("string", "yes", "yes"),
        ("string", "", ""),
        ("string", "@@home", "@home"),
        ("string", "a=b", "a=b"),
        ("integer", "007", 7),
        ("integer", "1e3", 1000),
        ("number", "0.5", 0.5),
        ("number", "2.0", 2),
        ("boolean", "true", True),
        ("boolean", "FALSE", False),
        ("{type: array, items: {type: string}}", "[a, 'b c']", ["a", "b c"]),
        ("{type: array, items: {type: integer}}", "[1, 2]", [1, 2]),
        ("{type: array}", "[]", []),
        ("{type: object}", "{a: 1}", {"a": 1}),
        ("image", UUID, UUID),
        ("image", "https://example.com/a.png", "https://example.com/a.png"),
        ("{type: integer, default: null}", "", None),
    ],
)
def test_the_declared_type_decides_how_a_word_is_read(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, declared: str, word: str, value: Any
) -> None:
    found = bound(recipe_with(f"  a: {declared}"), tmp_path, f"a={word}").values["a"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("declared", "word", "says"),
    [
        ("integer", "two", 'expected an integer, found text "two"'),
        ("integer", "1.5", "expected an integer"),
        ("integer", "true", "expected an integer"),
        ("boolean", "yes", "expected true or false"),
        ("{type: integer, minimum: 1}", "0", "at least 1"),
        ("{type: integer, maximum: 4}", "5", "at most 4"),
        ("{type: string, enum: [png, jpeg]}", "pgn", "not one of"),
        ("{type: string, minLength: 1}", "", "empty"),
        ("{type: string, pattern: '^a'}", "b", "pattern"),
        ("{type: array, items: {type: integer}}", "[1, x]", "expected an integer"),
        ("{type: array, maxItems: 1}", "[1, 2]", "at most 1"),
        ("{type: array}", "a", "expected a list"),
        ("{type: object, required: [k], properties: {k: {type: string}}}", "{}", "`k` is missing"),
        ("image", "ftp://x/y.png", "http(s)"),
        ("image", "file:///x.png", "http(s)"),
        ("image", "https://", "no complete URL"),
        ("image", "data:text/plain,hi", "text/plain"),
        ("image", "data:image/png;base64,%%%", "base64"),
        ("image", "data:image/png;base64,", "empty"),
        ("image", "data:image/png", "comma"),
        ("string", "@none.txt", "there is no file"),
        ("{type: array}", "@none.json", "there is no file"),
        ("image", "@x.png", "takes the path itself"),
    ],
)
def test_a_word_that_does_not_fit_is_a_problem(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, declared: str, word: str, says: str
) -> None:
    (problem,) = refused(recipe_with(f"  a: {declared}"), tmp_path, f"a={word}")
    assert says in problem.message and problem.code.startswith("ZF5")


def test_all_that_is_wrong_is_said_at_once(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    recipe = recipe_with("  photo: image\n  n: integer\n  m: {type: integer, default: 2}")
    problems = refused(recipe, tmp_path, "n=x", "foto=a.png", "m=y")
    assert {problem.code for problem in problems} == {"ZF501", "ZF502", "ZF503"}
    unknown = next(problem for problem in problems if problem.code == "ZF501")
    assert "`photo`" in str(unknown.hint)


def test_later_words_win_over_earlier_ones_and_over_files(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str], Path]
) -> None:
    recipe = recipe_with("  a: integer\n  b: integer\n  c: {type: integer, default: 9}")
    first, second = write("one.yaml", "a: 1\nb: 1\n"), write("two.yaml", "b: 2\n")
    assert bound(recipe, tmp_path, "a=3", "a=4", files=(first, second)).values == {"a": 4, "b": 2, "c": 9}


def test_an_optional_input_is_null_when_nothing_is_given(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    assert bound(recipe_with("  a: {type: image, default: null}"), tmp_path).values == {"a": None}


def test_rows_come_from_csv_by_the_columns_types(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str | bytes], Path]
) -> None:
    write("in/mug.png", PNG)
    write("in/rows.csv", 'name,shots,photo,note\r\n"a, b",007,mug.png,\r\nyes,1e1,' + UUID + ",x\r\n")
    recipe = recipe_with(
        "  rows: {type: array, items: {type: object, properties: "
        "{name: {type: string}, shots: {type: integer}, photo: {type: image}, note: {type: string}}}}"
    )
    found = bound(recipe, tmp_path, "rows=@in/rows.csv")
    assert found.values["rows"] == [
        {"name": "a, b", "shots": 7, "photo": str(tmp_path / "in/mug.png"), "note": None},
        {"name": "yes", "shots": 10, "photo": UUID, "note": "x"},
    ]
    assert found.named_paths == {tmp_path / "in/mug.png"}


@pytest.mark.parametrize(
    ("content", "says", "line"),
    [
        ("name;shots\na;1\n", "unknown column", 1),
        ("nmae,shots\na,1\n", "unknown column `nmae`", 1),
        ("name,name\na,1\n", "named twice", 1),
        ("name,shots\na\n", "1 cells", 2),
        ("name,shots\na,x\n", "expected an integer", 2),
        ("", "no header", 1),
    ],
)
def test_a_wrong_csv_says_its_line(
    recipe_with: Callable[[str], Recipe],
    tmp_path: Path,
    write: Callable[[str, str], Path],
    content: str,
    says: str,
    line: int,
) -> None:
    write("rows.csv", content)
    recipe = recipe_with(
        "  rows: {type: array, items: {type: object, properties: {name: {type: string}, shots: {type: integer}}}}"
    )
    problem = refused(recipe, tmp_path, "rows=@rows.csv")[0]
    assert says in problem.message and problem.place is not None and problem.place.line == line


def test_lists_and_objects_come_from_json_json_lines_and_yaml(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str], Path]
) -> None:
    recipe = recipe_with("  a: {type: array}\n  b: {type: array}\n  c: {type: object}\n  d: string")
    write("a.json", "[1, 2.0]")
    write("b.jsonl", '{"x": 1}\n\n{"x": 2}\n')
    write("c.yaml", "k: no\n")
    write("d.txt", "\ufeffhello\n")
    found = bound(recipe, tmp_path, "a=@a.json", "b=@b.jsonl", "c=@c.yaml", "d=@d.txt").values
    assert found == {"a": [1, 2], "b": [{"x": 1}, {"x": 2}], "c": {"k": "no"}, "d": "hello\n"}


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.json", "[1,\n x]", 2),
        ("a.json", '{"a": 1, "a": 2}', 1),
        ("a.json", "[NaN]", 1),
        ("a.jsonl", "1\n{\n", 2),
        ("a.yaml", "a: [\n", 1),
        ("a.txt", "1", None),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    recipe_with: Callable[[str], Recipe],
    tmp_path: Path,
    write: Callable[[str, str], Path],
    name: str,
    content: str,
    line: int | None,
) -> None:
    write(name, content)
    problem = refused(recipe_with("  a: {type: array}"), tmp_path, f"a=@{name}")[0]
    assert (None if problem.place is None else problem.place.line) == line


def test_a_problem_in_a_file_of_inputs_has_its_place(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str], Path]
) -> None:
    path = write("in.yaml", "a: 1\nb:\n  - 1\n  - x\ncc: 3\n")
    recipe = recipe_with("  a: string\n  b: {type: array, items: {type: integer}}\n  c: {type: integer, default: 1}")
    problems = refused(recipe, tmp_path, files=(path,))
    places = {(problem.code, problem.place.line, problem.place.column) for problem in problems if problem.place}
    assert places == {("ZF503", 1, 4), ("ZF503", 4, 5), ("ZF501", 5, 1)}


def test_a_file_of_inputs_is_a_mapping(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str], Path]
) -> None:
    problems = refused(recipe_with("  a: {type: string, default: x}"), tmp_path, files=(write("in.yaml", "- a\n"),))
    assert [problem.code for problem in problems] == ["ZF504"]


def test_relative_paths_begin_where_they_are_written(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str | bytes], Path]
) -> None:
    write("book/own.png", PNG)
    write("here/mine.png", PNG)
    write("lists/theirs.png", PNG)
    path = write("lists/in.yaml", "b: theirs.png\n")
    recipe = recipe_with("  a: image\n  b: image\n  c: {type: image, default: own.png}")
    found = bound(recipe, tmp_path / "here", "a=mine.png", files=(path,))
    assert found.values == {
        "a": str(tmp_path / "here/mine.png"),
        "b": str(tmp_path / "lists/theirs.png"),
        "c": str(tmp_path / "book/own.png"),
    }
    assert found.named_paths == {tmp_path / "here/mine.png", tmp_path / "lists/theirs.png"}


@pytest.mark.parametrize(
    ("word", "names"), [("shots", ["a.png", "b.JPG"]), ("shots/*.png", ["a.png"]), ("shots/a.png", ["a.png"])]
)
def test_a_list_of_media_takes_a_folder_or_a_glob(
    recipe_with: Callable[[str], Recipe],
    tmp_path: Path,
    write: Callable[[str, str | bytes], Path],
    word: str,
    names: list[str],
) -> None:
    for name, content in (
        ("a.png", PNG),
        ("b.JPG", JPEG),
        ("notes.txt", b"hi"),
        (".hidden.png", PNG),
        ("clip.mp4", MP4),
    ):
        write(f"shots/{name}", content)
    recipe = recipe_with("  a: {type: array, items: {type: image}}")
    found = bound(recipe, tmp_path, f"a={word}").values["a"]
    assert found == [str(tmp_path / "shots" / name) for name in names]


def test_a_folder_without_media_is_a_problem(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    recipe = recipe_with("  a: {type: array, items: {type: image}}")
    assert [problem.code for problem in refused(recipe, tmp_path, "a=empty")] == ["ZF517"]
    assert [problem.code for problem in refused(recipe, tmp_path, "a=nothing/*.png")] == ["ZF517"]


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("missing.png", None, "ZF510", "there is no file"),
        ("folder", "folder", "ZF511", "is a folder"),
        ("empty.png", b"", "ZF513", "is empty"),
        ("text.png", b"hello, this is text", "ZF515", "a text file"),
        ("page.jpg", b"<!DOCTYPE html><html>", "ZF515", "HTML"),
        ("anim.png", b"GIF89a\x01\0", "ZF515", "a GIF"),
        ("photo.avif", b"\0\0\0\x18ftypavif\0\0\0\0", "ZF515", "an AVIF picture"),
        ("photo.jpg", b"\0\0\0\x18ftypavif\0\0\0\0", "ZF515", "an AVIF picture"),
        ("raw.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "ZF515", "a raw photo"),
        ("map.jpg", b"\0\0\0\x0cjP  \r\n\x87\n", "ZF515", "a JPEG 2000 picture"),
        ("cut.jpg", JPEG[:-2], "ZF519", "damaged"),
        ("cut.png", PNG[:-2], "ZF519", "its end is missing"),
        ("clip.png", MP4, "ZF515", "a video (video/mp4)"),
        ("voice.png", WAV, "ZF515", "a sound (audio/wav)"),
    ],
)
def test_refuses_a_file_that_is_no_picture_before_the_run(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, name: str, content: bytes | str | None, code: str, says: str
) -> None:
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    (problem,) = refused(recipe_with("  a: image"), tmp_path, f"a={name}")
    assert problem.code == code and says in problem.message
    if code == "ZF515":
        assert "The service takes png, jpeg" in str(problem.hint)


@pytest.mark.parametrize(("name", "kind"), [("raw.cr3", "video"), ("film.3gp", "video"), ("photo.avif", "video")])
def test_a_container_alone_makes_no_video(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, name: str, kind: str
) -> None:
    brand = {"raw.cr3": b"crx ", "film.3gp": b"3gp4", "photo.avif": b"avif"}[name]
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0" * 12 + b"\0\0\0\x08moov")
    (problem,) = refused(recipe_with(f"  a: {kind}"), tmp_path, f"a={name}")
    assert problem.code == "ZF515" and "The service takes mp4, mov" in str(problem.hint)


def test_a_picture_with_something_behind_its_end_is_whole(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    """Motion photos keep a clip there, some programs a line of text."""
    from PIL import Image

    for name, form in (("a.jpg", "JPEG"), ("b.png", "PNG")):
        Image.effect_noise((64, 64), 60).save(tmp_path / name, form)
        with (tmp_path / name).open("ab") as file:
            file.write(b"appended by a camera")
        assert bound(recipe_with("  a: image"), tmp_path, f"a={name}").values["a"] == str(tmp_path / name)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_half_a_picture_is_damaged(recipe_with: Callable[[str], Recipe], tmp_path: Path, form: str) -> None:
    from PIL import Image

    path = tmp_path / f"half.{form.lower()}"
    Image.effect_noise((200, 200), 60).save(path, form)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (problem,) = refused(recipe_with("  a: image"), tmp_path, f"a={path.name}")
    assert problem.code == "ZF519"


def test_a_phones_sound_is_one(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    (tmp_path / "memo.m4a").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 12 + b"\0\0\0\x08moov")
    assert bound(recipe_with("  a: audio"), tmp_path, "a=memo.m4a").values["a"]


def test_a_file_over_18_mb_is_refused(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(FILE_LIMIT_BYTES + 1)
    (problem,) = refused(recipe_with("  a: image"), tmp_path, "a=big.png")
    assert problem.code == "ZF514" and "up to 18 MB" in problem.message
    assert "public http(s) address" in str(problem.hint) and "asset id" in str(problem.hint)


def test_a_near_name_is_suggested_for_a_missing_file(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str | bytes], Path]
) -> None:
    write("portrait.jpg", JPEG)
    (problem,) = refused(recipe_with("  a: image"), tmp_path, "a=potrait.jpg")
    assert "`portrait.jpg`" in str(problem.hint)


def test_a_default_that_leads_out_through_a_link_is_refused(
    recipe_with: Callable[[str], Recipe], tmp_path: Path, write: Callable[[str, str | bytes], Path]
) -> None:
    write("secret.png", PNG)
    recipe = recipe_with("  a: {type: image, default: link.png}")
    (tmp_path / "book/link.png").symlink_to(tmp_path / "secret.png")
    assert [problem.code for problem in refused(recipe, tmp_path)] == ["ZF518"]


def test_data_urls_are_recorded_by_their_digest(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    found = bound(recipe_with("  a: image\n  b: {type: string, default: x}"), tmp_path, f"a={url}")
    assert found.values["a"] == url
    assert found.recorded["a"].startswith("data:image/png;sha256=") and len(found.recorded["a"]) == 86
    assert found.recorded["b"] == "x"


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (PNG, "x", "image/png"),
        (JPEG, "x.png", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "x", "image/webp"),
        (b"\0\0\0\x18ftypheic", "x", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "x", "image/heif"),
        (MP4, "x", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "x", "video/quicktime"),
        (b"ID3\x03\0", "x", "audio/mpeg"),
        (b"\xff\xfb\x90\0", "x", "audio/mpeg"),
        (WAV, "x", "audio/wav"),
        (b"\0\0\0\x18ftypM4A ", "x", "audio/x-m4a"),
        (b"\x01\x02\x03\x04\xf0", "x.mov", "video/quicktime"),
        (b"\x01\x02\x03\x04\xf0", "x.bin", None),
        (b"GIF89a", "x.png", "image/gif"),
        (b"%PDF-1.7", "x.jpg", "application/pdf"),
        (JPEG, "x.jfif", "image/jpeg"),
        (b"\x01\x02\x03\x04\xf0", "x.JPE", "image/jpeg"),
        (b"\x01\x02\x03\x04\xf0", "x.mpga", "audio/mpeg"),
        (b"\0\0\0\x18ftypM4V ", "x.m4v", "video/mp4"),
        (b"\0\0\0\x18ftypmp42", "voice.m4a", "audio/x-m4a"),
        (b"\0\0\0\x18ftypisom", "voice.M4A", "audio/x-m4a"),
        (b"\0\0\0\x18ftypavif", "x.jpg", "image/avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0avifmiaf", "x.heic", "image/avif"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw.mp4", "image/x-raw"),
        (b"\0\0\0\x14ftyp3gp5", "x.mp4", "video/3gpp"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "x.png", "image/jp2"),
        (b"II*\0", "x.nef", "image/x-raw"),
        (b"II*\0", "x.jpg", "image/tiff"),
        (b"", "x.jpg", "image/jpeg"),
    ],
)
def test_media_types_are_told_by_the_first_bytes(head: bytes, name: str, media_type: str | None) -> None:
    assert type_of(head, name) == media_type


def test_json_may_escape_a_character_in_two_halves(recipe_with: Callable[[str], Recipe], tmp_path: Path) -> None:
    recipe = recipe_with("  a: {type: array, items: {type: string}}")
    text = '["a cat \\ud83d\\ude3a", "no", "007", "\\\\ud83d"]'
    expected = ["a cat \N{SMILING CAT FACE WITH OPEN MOUTH}", "no", "007", "\\ud83d"]
    assert bound(recipe, tmp_path, f"a={text}").values["a"] == expected
    (tmp_path / "in.json").write_text('{"a": ' + text + "}")
    assert bound(recipe, tmp_path, files=(Path("in.json"),)).values["a"] == expected
    (tmp_path / "l.json").write_text('["fine", "\\ud83d cut"]')
    (problem,) = refused(recipe, tmp_path, "a=@l.json")
    assert problem.code == "ZF503" and "a[1]" in problem.message and "half a character" in problem.message
