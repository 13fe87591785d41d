"""Models that take files and make other kinds of them: what comes out shows what went in.

The kinds: a picture with transparency, a larger one, pixel art, a drawing in vectors, a mesh (with and
without a picture before it), speech, a film, a text. What goes in is sent in one call or in parts, is
in the body itself, or is what an earlier job made, of any kind that stands for a picture.
"""

import base64
import io
import json
import struct
import wave
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw

from batchgen.output.kinds import kind_of
from batchgen.simulator import clips
from batchgen.simulator.exchange import Effect, Medium
from batchgen.simulator.pictures import file_of, forget, measure, size_of
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings, UnknownInputs, Views
from batchgen.simulator.uploads import Imports
from tests.simulator.caller import GEMINI, GPT, SEEDED, SEEDLESS, VIDEO, Caller, data_of
from tests.simulator.test_uploads import completed, seen

CUT, UPSCALE = "model_birefnet-background-removal", "model_topaz-image-upscale"
CRISP, PIXELATE, VECTORS = "model_recraft-crisp-upscale", "model_sc-pixelate", "model_recraft-vectorize"
TRIPO, RODIN = "model_tripo-v3-1-image-to-3d", "model_rodin-hyper3d-v2-5"
SPEECH, FILM, WRITER = "model_elevenlabs-tts-v3", "model_kling-v2-6-i2v-pro", "model_scenario-llm"
SPEAKER = "model_sync-lipsync-v3-image-to-video"
RED, GROUND = (200, 40, 30), (250, 250, 248)


def knight(form: str = "PNG", size: tuple[int, int] = (96, 64)) -> bytes:
    """A red figure on a plain ground."""
    picture = Image.new("RGB", size, GROUND)
    wide, high = size
    ImageDraw.Draw(picture).ellipse((wide // 3, high // 6, wide * 2 // 3, high * 5 // 6), fill=RED)
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def sent(caller: Caller, content: bytes) -> str:
    image = base64.b64encode(content).decode()
    asset_id: str = data_of(caller.post("/assets", {"name": "knight", "image": image}))["asset"]["id"]
    return asset_id


def run(caller: Caller, model: str, **inputs: Any) -> list[Any]:
    """Run a job to its end and give its assets in their order."""
    reply = caller.post(f"/generate/custom/{model}", inputs)
    assert reply.status == 200, reply.body
    caller.now += 100
    ids = caller.job(data_of(reply)["job"]["jobId"])["metadata"]["assetIds"]
    return [data_of(caller.get(f"/assets/{one}"))["asset"] for one in ids]


def fetched(caller: Caller, asset: Any) -> bytes:
    reply = caller.download(asset["url"])
    assert reply.status == 200
    assert reply.headers["content-type"] == asset["mimeType"]
    content = reply.body or file_of(reply.medium or Medium(id="", mime="", text=""))
    assert kind_of(content[:4096]).mime == asset["mimeType"], "the bytes are of the kind that is told"
    assert len(content) == asset["properties"]["size"]
    return content


def picture(caller: Caller, asset: Any) -> Image.Image:
    with Image.open(io.BytesIO(fetched(caller, asset))) as opened:
        opened.load()
        assert opened.size == (asset["properties"]["width"], asset["properties"]["height"])
        return opened.convert("RGBA")


def close(one: Any, other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 30 for a, b in zip(one, other, strict=False))


def test_a_cut_out_is_the_picture_without_its_background() -> None:
    caller = Caller()
    [asset] = run(caller, CUT, image=sent(caller, knight()))
    cut = picture(caller, asset)
    assert close(cut.getpixel((48, 32)), RED)
    assert cut.getchannel("A").getextrema() == (0, 254), "what is kept is not quite opaque, as measured"
    assert [cut.getpixel(corner)[3] for corner in ((0, 0), (95, 63), (2, 60))] == [0, 0, 0]  # type: ignore[index]
    assert (asset["kind"], asset["metadata"]["type"]) == ("image", "background-removal")


def test_a_picture_without_a_plain_ground_is_cut_out_all_the_same() -> None:
    caller = Caller()
    [drawn] = run(caller, SEEDED, prompt="an oak", width=128, height=128)
    cut = picture(caller, run(caller, CUT, image=drawn["id"])[0])
    before = picture(caller, drawn)
    alpha = cut.getchannel("A")
    assert alpha.getextrema() == (0, 254)
    assert close(cut.getpixel((64, 64)), before.getpixel((64, 64)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "inputs", "size"),
    [
        (UPSCALE, {}, (192, 128)),
        (UPSCALE, {"upscaleFactor": "6x"}, (576, 384)),
        (UPSCALE, {"upscaleFactor": "None"}, (96, 64)),
        ("model_upscale-v3", {"upscaleFactor": 3}, (288, 192)),
        ("model_upscale-v3", {"upscaleFactor": 16}, (1024, 683)),
        (CRISP, {}, (384, 256)),
        (PIXELATE, {"pixelGridSize": 12, "colorPaletteSize": 8}, (96, 64)),
    ],
)
def test_what_is_enlarged_is_the_picture_so_many_times(
    model: str, inputs: dict[str, Any], size: tuple[int, int]
) -> None:
    caller = Caller()
    [asset] = run(caller, model, image=sent(caller, knight()), **inputs)
    made = picture(caller, asset)
    assert made.size == size
    assert close(made.getpixel((size[0] // 2, size[1] // 2)), RED)
    assert close(made.getpixel((1, 1)), GROUND)


@pytest.mark.parametrize(("edge", "factor", "units"), [(512, "2x", 10), (512, "6x", 30), (1536, "4x", 90)])
def test_an_upscale_is_priced_by_the_pixels_it_makes_of_its_real_input_before_and_after(
    edge: int, factor: str, units: int
) -> None:
    caller = Caller()
    image = sent(caller, knight(size=(edge, edge)))
    body = {"image": image, "upscaleFactor": factor}
    asked = caller.post(f"/generate/custom/{UPSCALE}", body, dryRun="true")
    assert (asked.status, data_of(asked)["creativeUnitsCost"]) == (269, units)
    assert data_of(caller.post(f"/generate/custom/{UPSCALE}", body))["creativeUnitsCost"] == units


def test_a_dry_run_prices_a_file_that_is_not_there_only_if_it_is_told_to_and_a_submit_never_takes_it() -> (
    None
):
    body = {"image": "asset_000000000000000000000000"}
    usual, priced = Caller(), Caller(Settings(prices_unknown_assets=True))
    assert usual.post(f"/generate/custom/{CUT}", body, dryRun="true").status == 404
    asked = priced.post(f"/generate/custom/{CUT}", body, dryRun="true")
    assert (asked.status, data_of(asked)["creativeUnitsCost"]) == (269, 2)
    for caller in (usual, priced):
        assert caller.post(f"/generate/custom/{CUT}", body).status == 404
        assert list(caller.service.submissions) == []


def test_transparency_stays_through_a_chain_and_each_asset_names_its_parent() -> None:
    caller = Caller()
    uploaded = sent(caller, knight())
    [cut] = run(caller, CUT, image=uploaded)
    [big] = run(caller, UPSCALE, image=cut["id"])
    [pixels] = run(caller, PIXELATE, image=big["id"])
    last = picture(caller, pixels)
    assert last.getpixel((2, 2))[3] == 0  # type: ignore[index]
    assert close(last.getpixel((96, 64)), RED)
    assert [one["metadata"]["parentId"] for one in (cut, big, pixels)] == [uploaded, cut["id"], big["id"]]


def test_a_drawing_in_vectors_has_the_colours_of_the_picture() -> None:
    caller = Caller()
    [asset] = run(caller, VECTORS, referenceImage=sent(caller, knight()))
    drawing = ET.fromstring(fetched(caller, asset).decode())
    assert (drawing.get("width"), drawing.get("height")) == ("96", "64")
    fills = [bytes.fromhex(str(one.get("fill"))[1:]) for one in drawing if len(str(one.get("d"))) > 200]
    assert any(close(one, RED) for one in fills)
    [again] = run(caller, CUT, image=asset["id"])
    assert close(picture(caller, again).getpixel((48, 32)), RED), "it stands for what it was drawn from"


def test_a_mesh_is_a_relief_with_the_picture_on_it() -> None:
    caller = Caller()
    [asset] = run(caller, TRIPO, image=sent(caller, knight()))
    assert (asset["kind"], asset["mimeType"]) == ("3d", "model/gltf-binary")
    data = fetched(caller, asset)
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack("<I4s", data[12:20])
    document = json.loads(data[20 : 20 + size])
    rest, other = struct.unpack("<I4s", data[20 + size : 28 + size])
    assert (kind, other, size % 4, rest) == (b"JSON", b"BIN\0", 0, len(data) - 28 - size)
    assert document["buffers"] == [{"byteLength": rest}]
    buffer = data[28 + size :]
    views = document["bufferViews"]
    assert all(one["byteOffset"] % 4 == 0 and one["byteOffset"] + one["byteLength"] <= rest for one in views)
    positions, _, corners = document["accessors"]
    assert positions["count"] == asset["properties"]["vertexCount"]
    assert corners["count"] == 3 * asset["properties"]["faceCount"]
    indices = struct.unpack_from(f"<{corners['count']}H", buffer, views[2]["byteOffset"])
    assert max(indices) == positions["count"] - 1
    places = struct.unpack_from(f"<{3 * positions['count']}f", buffer, views[0]["byteOffset"])
    for axis in range(3):
        low, high = min(places[axis::3]), max(places[axis::3])
        assert positions["min"][axis] <= low + 1e-6
        assert high <= positions["max"][axis] + 1e-6
    texture = buffer[views[3]["byteOffset"] :][: views[3]["byteLength"]]
    assert close(Image.open(io.BytesIO(texture)).convert("RGBA").getpixel((48, 32)), RED)


def test_a_mesh_may_come_with_a_picture_before_it_that_it_names() -> None:
    caller = Caller()
    still, mesh = run(caller, RODIN, images=[sent(caller, knight())])
    assert (still["mimeType"], mesh["mimeType"]) == ("image/webp", "model/gltf-binary")
    assert mesh["thumbnail"]["assetId"] == still["id"]
    assert caller.download(mesh["thumbnail"]["url"]).status == 200
    assert close(picture(caller, still).getpixel((48, 32)), RED)
    assert "thumbnail" not in still
    assert fetched(caller, mesh)[:4] == b"glTF"


def test_speech_is_as_long_as_its_text_and_sounds_like_its_voice() -> None:
    caller = Caller()

    def said(text: str, **inputs: Any) -> tuple[float, bytes]:
        [asset] = run(caller, SPEECH, text=text, **inputs)
        with wave.open(io.BytesIO(fetched(caller, asset))) as sound:
            seconds = sound.getnframes() / sound.getframerate()
            assert abs(seconds - asset["properties"]["duration"]) < 0.05
            assert sound.getframerate() == asset["properties"]["sampleRate"]
            return seconds, sound.readframes(sound.getnframes())

    (short, _), (long, first) = said("A knight."), said("A knight who bows. " * 4)
    assert long > 5 * short
    assert said("A knight who bows. " * 4, publicVoice="Alice")[1] != first
    assert said("A knight who bows. " * 4, speed=0.8)[0] == pytest.approx(long / 0.8, rel=0.02)
    assert said("A knight.", outputFormat="wav_8000")[0] == pytest.approx(short, rel=0.02)


def test_a_film_begins_with_the_picture_and_names_it() -> None:
    caller = Caller()
    uploaded = sent(caller, knight())
    [asset] = run(caller, FILM, image=uploaded, prompt="the knight bows", duration="10")
    assert asset["firstFrame"]["assetId"] == asset["thumbnail"]["assetId"] == uploaded
    data = fetched(caller, asset)
    assert measure("video/mp4", data) == (0, 0, asset["properties"]["duration"])
    assert asset["properties"]["duration"] == 10
    # samples are not packed: broadcast brightness of the ground, and of the figure
    frame = data[data.index(b"mdat") :]
    assert bytes([230]) * 16 in frame
    assert bytes([90]) * 16 in frame
    [words] = run(caller, VIDEO, prompt="an oak", duration=4)
    assert "firstFrame" not in words
    assert words["properties"]["duration"] == 4
    assert fetched(caller, words) != data


def test_a_picture_speaks_for_as_long_as_the_sound_that_was_made_for_it() -> None:
    caller = Caller()
    [voice] = run(caller, SPEECH, text="Who goes there? Nobody passes this gate at night.")
    uploaded = sent(caller, knight())
    [asset] = run(caller, SPEAKER, image=uploaded, audio=voice["id"])
    assert (asset["kind"], asset["firstFrame"]["assetId"]) == ("video", uploaded)
    assert asset["properties"]["duration"] == pytest.approx(voice["properties"]["duration"], abs=0.05)
    assert measure("video/mp4", fetched(caller, asset))[2] == asset["properties"]["duration"]
    silent = caller.post(f"/generate/custom/{SPEAKER}", {"image": uploaded})
    assert (silent.status, len(caller.service.submissions)) == (400, 2)


def test_a_text_is_an_asset_that_shows_what_it_says() -> None:
    caller = Caller()
    first, second = run(caller, WRITER, instruction="Name a knight", textInputs=["Sir Oak"], numOutputs=2)
    text = fetched(caller, first).decode()
    assert "Name a knight" in text
    assert "Sir Oak" in text
    assert (first["kind"], first["metadata"]["type"]) == ("text", "txt2txt")
    assert first["properties"]["preview"] == text
    assert first["properties"]["charCount"] == len(text)
    assert fetched(caller, second).decode() != text


def test_what_a_picture_is_made_of_is_shown_in_it() -> None:
    caller = Caller()
    cut = run(caller, CUT, image=sent(caller, knight()))[0]["id"]
    [sheet] = run(caller, GPT, prompt="a sheet", referenceImages=[cut, cut])
    upper = picture(caller, sheet).convert("RGB").crop((0, 0, 512, 280))
    red = sum(close(colour, RED) for _, colour in upper.getcolors(1 << 20) or ())
    assert red
    assert sheet["metadata"]["referenceImages"] == [cut, cut]


def test_equal_inputs_give_equal_files_and_other_pixels_give_others() -> None:
    def cut(content: bytes) -> bytes:
        forget()
        caller = Caller()
        return fetched(caller, run(caller, CUT, image=sent(caller, content))[0])

    assert cut(knight()) == cut(knight())
    assert cut(knight()) != cut(knight(size=(64, 96)))


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF", "TIFF"])
def test_pictures_of_every_form_are_worked_on_however_they_were_sent(form: str) -> None:
    caller = Caller()
    caller.service = Service(caller.settings, Imports(duration=(0.0, 0.0)))
    content = knight(form)
    upload = completed(caller, content, contentType=f"image/{form.lower()}", fileName="knight")
    in_parts = seen(caller, upload)["entityId"]
    inline = f"data:image/{form.lower()};base64,{base64.b64encode(content).decode()}"
    for image in (in_parts, sent(caller, content), inline):
        [asset] = run(caller, CUT, image=image)
        assert close(picture(caller, asset).getpixel((48, 32)), RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 2), (7, 5)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "CMYK"])
def test_a_picture_of_any_shape_and_mode_is_worked_on(size: tuple[int, int], mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, size, 1).save(out, "TIFF")
    source = Medium(id="asset_0", mime="image/tiff", text="", content=out.getvalue())
    forms = {Effect.TRACED: "image/svg+xml", Effect.RAISED: "model/gltf-binary", Effect.FILMED: "video/mp4"}
    for effect in (Effect.CUT_OUT, Effect.ENLARGED, Effect.PIXELATED, *forms):
        mime = forms.get(effect, "image/webp")
        wide, high = clips.size_of(*size) if effect is Effect.FILMED else size
        medium = Medium(
            id=effect, mime=mime, text="", width=wide, height=high, seconds=0.2, effect=effect,
            options=(("colours", 4), ("cells", 3)),
        )  # fmt: skip
        made = medium.made_of([source])
        content = file_of(made)
        assert kind_of(content[:4096]).mime == mime
        assert len(content) == size_of(made)


@pytest.mark.parametrize(
    "mime", ["image/png", "image/webp", "image/jpeg", "image/svg+xml", "model/gltf-binary"]
)
def test_a_picture_of_mere_noise_still_has_the_size_that_was_said(mime: str) -> None:
    out = io.BytesIO()
    noise = Image.effect_noise((300, 200), 250)
    Image.merge("RGBA", [noise, noise.rotate(90), noise.rotate(180), noise.rotate(270)]).save(out, "PNG")
    source = Medium(id="asset_0", mime="image/png", text="", content=out.getvalue())
    ways = {"image/svg+xml": Effect.TRACED, "model/gltf-binary": Effect.RAISED}
    for effect in {ways.get(mime, Effect.ENLARGED), *({Effect.DRAWN} if mime not in ways else ())}:
        named = Medium(id="asset_1", mime=mime, text="a knight " * 99, width=300, height=200, effect=effect)
        made = named.made_of([source] * 4)
        content = file_of(made)
        assert len(content) == size_of(made)
        assert kind_of(content[:4096]).mime == mime
        if mime not in ways:
            assert Image.open(io.BytesIO(content)).size == (300, 200)


def test_a_picture_that_cannot_be_read_is_drawn_from_its_name_instead() -> None:
    caller = Caller()
    for content in (b"\x89PNG\r\n\x1a\n and so on", knight()[:200]):
        [asset] = run(caller, CUT, image=sent(caller, content))
        assert picture(caller, asset).getchannel("A").getextrema()[1] == 254


def test_jobs_of_an_earlier_life_are_drawn_again_as_far_as_their_files_are_there() -> None:
    caller = Caller()
    [drawn] = run(caller, SEEDLESS, prompt="an oak")
    [cut] = run(caller, CUT, image=drawn["id"])
    before = fetched(caller, cut)
    after = Caller(now=caller.now)
    after.service.restore(caller.service.submissions)
    forget()
    assert fetched(after, data_of(after.get(f"/assets/{cut['id']}"))["asset"]) == before


def test_a_long_chain_is_drawn_without_end_of_the_stack() -> None:
    medium = Medium(id="asset_0", mime="image/png", text="", content=knight(size=(8, 8)))
    for number in range(1, 600):
        step = Medium(id=f"asset_{number}", mime="image/png", text="", width=8, height=8)
        medium = step.made_of([medium])
    assert Image.open(io.BytesIO(file_of(medium))).size == (8, 8)


def glb(caller: Caller) -> str:
    asset_id: str = run(caller, TRIPO, image=sent(caller, knight()))[0]["id"]
    return asset_id


def film(caller: Caller) -> str:
    asset_id: str = run(caller, VIDEO, prompt="an oak")[0]["id"]
    return asset_id


def still(caller: Caller) -> str:
    return sent(caller, knight())


def large(caller: Caller) -> str:
    upload = completed(caller, knight() + bytes(5_300_000))
    caller.now += 10
    asset_id: str = seen(caller, upload)["entityId"]
    return asset_id


def inline_film(_: Caller) -> str:
    return "data:video/mp4;base64,AAAA"


@pytest.mark.parametrize(
    ("model", "name", "given", "reason"),
    [
        (CUT, "image", glb, "Input image must be an asset of kind image, not 3d"),
        (UPSCALE, "image", film, "Input image must be an asset of kind image, not video"),
        (FILM, "lastFrameImage", glb, "Input lastFrameImage must be an asset of kind image, not 3d"),
        (GEMINI, "video", still, "Input video must be an asset of kind video, not image"),
        (VECTORS, "referenceImage", large, "Input referenceImage must be at most 5242880 bytes"),
        (CUT, "image", inline_film, "Input image must be an asset of kind image, not video"),
    ],
)
@pytest.mark.parametrize("query", [{}, {"dryRun": "true"}])
def test_a_file_that_an_input_does_not_take_is_refused_and_costs_nothing(
    model: str, name: str, given: Callable[[Caller], str], reason: str, query: dict[str, str]
) -> None:
    caller = Caller()
    asset = given(caller)
    bought = len(caller.service.submissions)
    words = {"prompt": "x"} if model in {FILM, GEMINI} else {}
    more = {"image": sent(caller, knight())} if model == FILM else {}
    reply = caller.post(f"/generate/custom/{model}", {**words, **more, name: asset}, **query)
    assert (reply.status, data_of(reply)["reason"]) == (400, reason)
    assert len(caller.service.submissions) == bought


def test_an_asset_that_is_not_there_yet_or_never_was_is_not_found() -> None:
    caller = Caller()
    job = data_of(caller.post(f"/generate/custom/{SEEDLESS}", {"prompt": "an oak"}))["job"]["jobId"]
    caller.now += 100
    [ready] = caller.job(job)["metadata"]["assetIds"]
    early = Caller()
    early.post(f"/generate/custom/{SEEDLESS}", {"prompt": "an oak"})
    for asset in (ready, "asset_of_nobody"):
        assert early.post(f"/generate/custom/{CUT}", {"image": asset}).status == 404


@pytest.mark.parametrize(
    ("model", "inputs", "units"),
    [
        (CUT, {}, 2),
        ("model_bria-remove-background", {}, 3),
        ("model_photoroom-background-removal", {}, 3),
        (PIXELATE, {}, 5),
        (CRISP, {}, 2),
        (UPSCALE, {}, 10),
        (UPSCALE, {"upscaleFactor": "4x"}, 10),
        (UPSCALE, {"upscaleFactor": "6x"}, 30),
        ("model_upscale-v3", {}, 10),
        ("model_upscale-v3", {"upscaleFactor": 8}, 40),
        (FILM, {"prompt": "x", "duration": "10"}, 120),
    ],
)
def test_tools_cost_what_was_measured_and_upscales_follow_the_pixels_of_the_output(
    model: str, inputs: dict[str, Any], units: float
) -> None:
    caller = Caller()
    asset = sent(caller, knight(size=(512, 512)))
    reply = caller.post(f"/generate/custom/{model}", {"image": asset, **inputs}, dryRun="true")
    assert (reply.status, data_of(reply)["creativeUnitsCost"]) == (269, units)


@pytest.mark.parametrize(
    ("setting", "tool", "other"),
    [(None, 200, 400), (UnknownInputs.IGNORE, 200, 200), (UnknownInputs.REFUSE, 400, 400)],
)
def test_tools_ignore_inputs_they_do_not_declare_unless_the_service_is_told_otherwise(
    setting: UnknownInputs | None, tool: int, other: int
) -> None:
    caller = Caller(Settings(unknown_inputs=setting))
    image = sent(caller, knight())
    unknown = {"prompt": "a knight", "width": 3, "numOutputs": 4, "seed": 7}
    reply = caller.post(f"/generate/custom/{CUT}", {"image": image, **unknown})
    assert reply.status == tool
    assert caller.post(f"/generate/custom/{SEEDLESS}", {"prompt": "x", "colour": "red"}).status == other
    if tool == 400:
        assert data_of(reply)["reason"] == "Input prompt is not allowed"
        return
    assert data_of(reply)["creativeUnitsCost"] == 2
    caller.now += 100
    job = caller.job(data_of(reply)["job"]["jobId"])
    assert job["metadata"]["input"] == {"modelId": CUT, "image": image, **unknown}
    [asset] = [data_of(caller.get(f"/assets/{one}"))["asset"] for one in job["metadata"]["assetIds"]]
    assert (asset["properties"]["width"], asset["properties"]["height"]) == (96, 64)
    assert "seed" not in asset["metadata"]


def test_pictures_can_have_another_size_than_was_asked_for() -> None:
    caller = Caller(Settings(views=Views(other_sizes=True)))
    [drawn] = run(caller, SEEDED, prompt="an oak", width=192, height=192)
    assert picture(caller, drawn).size == (160, 160)
    [cut] = run(caller, CUT, image=sent(caller, knight()))
    assert picture(caller, cut).size == (80, 53)


def test_sent_files_say_how_large_and_how_long_they_are() -> None:
    caller = Caller()
    caller.service = Service(caller.settings, Imports(duration=(0.0, 0.0)))
    sound = fetched(caller, run(caller, SPEECH, text="A knight.")[0])
    upload = completed(caller, sound, kind="audio", contentType="audio/wav", fileName="a.wav")
    asset = data_of(caller.get(f"/assets/{seen(caller, upload)['entityId']}"))["asset"]
    assert asset["properties"]["duration"] == pytest.approx(9 * 0.065, abs=0.001)
    picture_id = sent(caller, knight())
    shown = data_of(caller.get(f"/assets/{picture_id}"))["asset"]["properties"]
    assert (shown["width"], shown["height"]) == (96, 64)
