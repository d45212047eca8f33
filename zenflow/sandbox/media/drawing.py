"""From an asset's recipe to its bytes. Runs in a worker thread and touches nothing but its arguments."""

from __future__ import annotations

import random
from collections.abc import Mapping

from PIL import Image

from zenflow.sandbox.assets import Asset, AssetRecipe
from zenflow.sandbox.media import clips, pictures
from zenflow.sandbox.media.captions import captioned
from zenflow.sandbox.offers.catalogue import BY_NAME

_FALLBACK: tuple[int, int] = (1024, 1024)


def drawn(asset: Asset, bodies: Mapping[str, bytes]) -> bytes:
    """The bytes of a generated asset; `bodies` holds those of everything that its recipe refers to."""
    recipe = asset.recipe
    if recipe is None:
        raise ValueError(f"asset {asset.asset_id} was uploaded, not made")
    dice = random.Random(asset.fingerprint)
    size = (asset.width or _FALLBACK[0], asset.height or _FALLBACK[1])
    references = [bodies[name] for name in recipe.references if name in bodies]
    if asset.kind == "video":
        return _clip(asset, recipe, references, size, dice)
    return pictures.saved(_picture(asset, recipe, references, size, dice), asset.media_type)


def _picture(
    asset: Asset, recipe: AssetRecipe, references: list[bytes], size: tuple[int, int], dice: random.Random
) -> Image.Image:
    opened = [picture for body in references if (picture := pictures.opened(body)) is not None]
    if recipe.tool == "upscaler" and opened:
        return pictures.enlarged(opened[0], size)
    if recipe.tool == "faceswap":
        opened.reverse()  # the scene leads, the face is the small print
    picture = pictures.edited(opened, size, dice) if opened else pictures.background(size, dice)
    return captioned(picture, *_caption(asset, recipe))


def _caption(asset: Asset, recipe: AssetRecipe) -> tuple[str, str, str]:
    """Tool, prompt, and model with seed; never an id, so that the same request gives the same picture."""
    offer = BY_NAME[recipe.tool]
    prompt = str(recipe.inputs.get(offer.prompt_field or "", "")) or offer.description
    seed = recipe.inputs.get("seed", int(asset.fingerprint[:8], 16))
    footer = f"{recipe.model or recipe.tool} · seed {seed} · {asset.width}x{asset.height}"
    if recipe.index:
        footer += f" · no. {recipe.index + 1}"
    return f"zenflow sandbox · {recipe.tool}", prompt, footer


def _clip(
    asset: Asset, recipe: AssetRecipe, references: list[bytes], size: tuple[int, int], dice: random.Random
) -> bytes:
    if recipe.tool in ("video2video", "video_upscaler") and references:
        changed = clips.changed(references[0], size, dice, restyle=recipe.tool == "video2video")
        if changed is not None:
            return changed
    opened = [picture for body in references if (picture := poster(body)) is not None]
    scene = opened[0] if opened else pictures.background(size, dice)
    model = BY_NAME[recipe.tool].model_named(recipe.model)
    with_sound = bool(recipe.inputs.get("generate_audio")) or recipe.tool == "lipsync"
    with_sound = with_sound or bool(model and model.notes and "own sound" in model.notes)
    seconds = clips.seconds_of(recipe.inputs, model.seconds if model else 0)
    caption = _caption(asset, recipe)
    return clips.camera_over(scene, size, seconds, with_sound, dice, lambda frame: captioned(frame, *caption))


def poster(body: bytes) -> Image.Image | None:
    """A picture that stands for the bytes: the picture itself, or a clip's first frame."""
    return pictures.opened(body) or clips.first_frame(body)


def preview(asset: Asset, body: bytes) -> bytes:
    """A reduced picture of any asset; sound and foreign clips get a drawn card."""
    picture = poster(body)
    if picture is None:
        plain = pictures.background((512, 320), random.Random(asset.fingerprint))
        picture = captioned(plain, "zenflow sandbox", f"{asset.kind}, no picture to show", asset.media_type)
    return pictures.preview_of(picture)
