"""The files that jobs make: of the form, the size and the kind that was named, and always the same."""

import io

import pytest
from PIL import Image

from batchgen.simulator.exchange import Medium
from batchgen.simulator.outputs import outputs_of
from batchgen.simulator.padding import padded
from batchgen.simulator.pictures import file_of, forget, size_of
from tests.simulator.caller import MATERIAL, SEEDED, SEEDLESS, VIDEO

IMAGES = ("txt2img",)


def medium(**changes: object) -> Medium:
    given = {
        "id": "asset_1",
        "mime": "image/png",
        "text": "an oak in fog",
        "label": "#0",
        "width": 96,
        "height": 64,
    }
    return Medium(**{**given, **changes})  # type: ignore[arg-type]  # the fields of the value


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return picture


@pytest.mark.parametrize(
    ("mime", "form"), [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP")]
)
def test_a_picture_has_the_form_and_the_size_it_is_named_with(mime: str, form: str) -> None:
    data = file_of(medium(mime=mime))
    assert Image.open(io.BytesIO(data)).format == form
    assert opened(data).size == (96, 64)


def test_equal_media_are_equal_files_and_other_ones_are_not() -> None:
    first = file_of(medium())
    forget()
    assert file_of(medium()) == first
    for change in ({"id": "asset_2"}, {"text": "an elm"}, {"label": "#1"}, {"width": 97}):
        assert file_of(medium(**change)) != first


def test_the_prompt_is_written_in_the_picture() -> None:
    written = opened(file_of(medium(width=512, height=512, text="an oak " * 12)))
    lower = written.crop((0, 300, 512, 512)).convert("L")
    shades = lower.histogram()
    assert sum(shades[220:]) > 100, "light letters"
    assert sum(shades[:130]) > 1000, "on a darkened ground"


@pytest.mark.parametrize("text", ["", "x" * 500, "木 🌳 oak\n\tash", "word " * 2000])
@pytest.mark.parametrize("size", [(1, 1), (16, 2048), (300, 20)])
def test_any_prompt_fits_any_size(text: str, size: tuple[int, int]) -> None:
    width, height = size
    assert opened(file_of(medium(text=text, width=width, height=height))).size == size


def test_a_text_is_its_letters() -> None:
    assert file_of(medium(mime="text/plain", text="Eiche ✓")) == "Eiche ✓".encode()


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({}, (512, 512)),
        ({"aspectRatio": "16:9"}, (512, 288)),
        ({"aspectRatio": "3:4"}, (384, 512)),
        ({"aspectRatio": "auto"}, (512, 512)),
        ({"width": 640, "height": 320}, (640, 320)),
        ({"width": 640}, (640, 640)),
        ({"width": 3840, "height": 1920}, (2048, 1024)),
    ],
)
def test_a_picture_is_as_large_as_was_asked_up_to_a_cap(
    inputs: dict[str, object], size: tuple[int, int]
) -> None:
    (output,) = outputs_of(SEEDLESS, IMAGES, inputs)
    assert (output.width, output.height) == size


def test_how_many_outputs_there_are_is_the_models_business() -> None:
    assert len(outputs_of(SEEDED, IMAGES, {"numOutputs": 3})) == 3
    assert len(outputs_of(MATERIAL, IMAGES, {"maps": ["normal", "height"], "numOutputs": 2})) == 6
    assert [one.kind for one in outputs_of(VIDEO, ("txt2video",), {"numOutputs": 3})] == ["video"]


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "video/mp4", "text/plain"])
@pytest.mark.parametrize("text", ["", "an oak", "Wm@#%& " * 60, "木🌳" * 400])
@pytest.mark.parametrize("size", [(1, 1), (17, 300), (300, 17), (288, 160)])
def test_a_file_is_as_long_as_was_said_before_it_was_drawn(
    mime: str, text: str, size: tuple[int, int]
) -> None:
    named = medium(mime=mime, text=text, width=size[0], height=size[1])
    assert len(file_of(named)) == size_of(named)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("more", [12, 14, 22, 65_536, 65_538, 65_540, 65_542, 131_078, 200_000])
def test_a_picture_that_is_filled_up_is_whole_and_the_same_picture(form: str, more: int) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), (40, 90, 140)).save(buffer, format=form)
    content = buffer.getvalue()
    filled = padded(content, f"image/{form.lower()}", len(content) + more)
    assert len(filled) == len(content) + more
    assert opened(filled).tobytes() == opened(content).tobytes()


def test_a_picture_with_too_little_room_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        padded(b"x" * 100, "image/png", 111)
