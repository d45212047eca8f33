"""The models of each tool, with their prices.

Recorded: names, the `image_editor` quotes (2026-09-16), the picture prices of `by_prompt` and the clip prices of
`videogen` (docs/service.md, “Recorded answers”), `GENERAL_NSFW` as trusted-only default of `image_editor`.
Everything marked "chosen by us" is
not known.
"""

from __future__ import annotations

from zenflow.sandbox.offers.model import OfferedModel

IMAGE_DESCRIPTIONS = {
    "GENERAL_NSFW": "House pipeline for adult material; older, weak at hands.",
    "SDXL_NSFW": "SDXL tuned for adult material.",
    "FLUX_KLEIN_NSFW": "FLUX Klein tuned for adult material; fast.",
    "FLUX_KLEIN_LORA": "FLUX Klein with your own LoRA weights.",
    "QWEN_IMAGE": "Qwen Image: faithful to long prompts, good at lettering.",
    "QWEN_IMAGE_PRO": "Qwen Image Pro: finer detail than QWEN_IMAGE.",
    "SEEDREAM_5": "Seedream 5: photographic, strong at keeping a person's likeness.",
    "SEEDREAM_5_PRO": "Seedream 5 Pro: Seedream at its best.",
    "WAN_2_7_IMAGE": "Wan 2.7 Image: cinematic stills.",
    "WAN_2_7_IMAGE_PRO": "Wan 2.7 Image Pro: cinematic stills with finer detail.",
    "NANO_BANANA": "Gemini image: precise edits and text in images.",
}
_ADULT_NOTE = "Adult model: needs nsfw_allowed, and Trusted Status."
_TRUSTED = {"GENERAL_NSFW", "FLUX_KLEIN_NSFW", "FLUX_KLEIN_LORA", "SDXL_NSFW"}  # SDXL_NSFW: chosen by us


def _pictures(prices: dict[str, int], default: str) -> tuple[OfferedModel, ...]:
    return tuple(
        OfferedModel(
            value=value,
            description=IMAGE_DESCRIPTIONS[value],
            credits=credits,
            is_default=value == default,
            trusted_only=value in _TRUSTED,
            adult="NSFW" in value,
            notes=_ADULT_NOTE if "NSFW" in value else None,
        )
        for value, credits in prices.items()
    )


# The nine rows of the recorded quote, to the credit.
IMAGE_EDITOR = _pictures(
    {
        "GENERAL_NSFW": 1,
        "FLUX_KLEIN_NSFW": 1,
        "FLUX_KLEIN_LORA": 3,
        "QWEN_IMAGE": 1,
        "QWEN_IMAGE_PRO": 2,
        "SEEDREAM_5": 1,
        "WAN_2_7_IMAGE": 1,
        "WAN_2_7_IMAGE_PRO": 2,
        "NANO_BANANA": 4,
    },
    default="GENERAL_NSFW",
)

# GENERAL_NSFW and SDXL_NSFW at 1, and the default: chosen by us.
BY_PROMPT = _pictures(
    {
        "GENERAL_NSFW": 1,
        "SDXL_NSFW": 1,
        "FLUX_KLEIN_NSFW": 2,
        "QWEN_IMAGE": 1,
        "QWEN_IMAGE_PRO": 2,
        "SEEDREAM_5": 1,
        "SEEDREAM_5_PRO": 3,
        "WAN_2_7_IMAGE": 1,
        "WAN_2_7_IMAGE_PRO": 2,
        "NANO_BANANA": 2,
    },
    default="SEEDREAM_5",
)

# by_ref: models and prices chosen by us. faceswap: SEEDREAM_5_PRO was seen, the rest is chosen by us.
BY_REF = _pictures({"QWEN_IMAGE": 1, "SEEDREAM_5": 1, "WAN_2_7_IMAGE": 1, "NANO_BANANA": 4}, default="SEEDREAM_5")
FACESWAP = _pictures({"QWEN_IMAGE_PRO": 2, "SEEDREAM_5_PRO": 3}, default="SEEDREAM_5_PRO")


def _clip(
    value: str, credits: int, seconds: int, resolutions: str, notes: str | None = None, **more: bool
) -> OfferedModel:
    """Resolutions of each video model are chosen by us; 720p is recorded for all of them."""
    return OfferedModel(
        value=value,
        description=f"{value}: {seconds} s from {credits} credits at 720p.",
        credits=credits,
        seconds=seconds,
        resolutions=tuple(resolutions.split()),
        notes=notes,
        **more,
    )


_OWN_SOUND = "Always returns its own sound."

VIDEOGEN = (
    _clip("wan@2.6-flash", 3, 6, "480p 720p 1080p", is_default=True),  # as default: chosen by us
    _clip("seedance_v1_5_pro", 4, 6, "480p 720p 1080p"),
    _clip("minimax@3.0-turbo", 6, 6, "720p", _OWN_SOUND),
    _clip("kling@2.6", 10, 10, "720p 1080p"),
    _clip("minimax@3.0", 12, 6, "720p 1080p", _OWN_SOUND),
    _clip("seedance_2_0_fast", 15, 6, "480p 720p"),
    _clip("seedance_2_0_mini", 15, 6, "480p 720p"),
    _clip("grok@4.1", 18, 6, "480p 720p", _OWN_SOUND),
    _clip("seedance_2_0", 19, 6, "480p 720p 1080p"),
    _clip("wan@2.7", 20, 10, "720p 1080p"),
    _clip("wan@3.0", 29, 6, "720p 1080p", "The queue may take 15 to 55 minutes."),
)

# Seen by name for both video tools, unchecked; its price is chosen by us.
_WAN_ADULT = _clip("wan@2.7-nsfw", 20, 10, "720p", _ADULT_NOTE, trusted_only=True, adult=True)

TEXT_TO_VIDEO = (*(model for model in VIDEOGEN if model.value.startswith(("wan@", "seedance"))), _WAN_ADULT)

# lipsync: names and prices chosen by us.
LIPSYNC = (
    OfferedModel(value="lipsync@1", description="Mouth follows the sound.", credits=5, is_default=True),
    OfferedModel(value="lipsync@1-pro", description="Mouth, jaw and cheeks follow the sound.", credits=10),
)

# run_any_llm: names and prices recorded; which one is the default is chosen by us.
TEXT = (
    OfferedModel(value="grok", description="General text model.", credits=1, is_default=True),
    OfferedModel(value="hermes-3-405b", description="Large open-weights text model.", credits=1),
    OfferedModel(value="euryale-70b", description="Text model for fiction.", credits=1),
)
