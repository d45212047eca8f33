"""Texts that come with a tool or a model: how to write for it, how to choose, what to ask. All of them are ours."""

from __future__ import annotations

TOOL_CHOICE = """## Which tool?
- a new picture from words: `by_prompt`
- change or combine pictures that exist: `image_editor`
- a picture in the manner of another: `by_ref`
- put one face into another picture: `faceswap`
- a larger, finer picture: `upscaler`
- a clip from a picture: `videogen`; from words: `text_to_video`; from a clip: `video2video`
- a larger clip: `video_upscaler`
- a speaking portrait: `lipsync`
- text: `run_any_llm`"""

PICTURE_GUIDE = (
    "Say subject, action, setting, light and lens in one or two sentences. Name what must stay. "
    "No negative prompts: say what you want to see."
)
EDIT_GUIDE = (
    "Say first what changes, then what stays. Refer to pictures by their place: image 1, image 2. "
    "The first picture leads composition and style."
)
CLIP_GUIDE = "Describe one movement of the subject and one of the camera. The first frame is given; do not describe it."
CHOICE_GUIDE = "Likeness of a person: SEEDREAM_5. Lettering: QWEN_IMAGE or NANO_BANANA. Cinema: WAN_2_7_IMAGE."
CLIP_CHOICE_GUIDE = "Draft with wan@2.6-flash; finish with seedance_2_0 or kling@2.6. wan@3.0 may queue for long."

PICTURE_QUESTIONS = ("How many pictures?", "Which aspect ratio?", "Safe for work or adult?", "A model in mind?")
CLIP_QUESTIONS = ("How many seconds?", "Which resolution?", "With sound?", "A model in mind?")


def _guide(model: str, manner: str, length: str, example: str) -> str:
    return (
        f"# {model}\n\n## Template\n{manner}\n\n## Length\n{length}\n\n## Key rules\n- One scene per prompt.\n"
        "- Concrete nouns before adjectives.\n- Name light and lens.\n\n"
        "## Anti-patterns\n- Keyword soup, weights in brackets.\n- Negative phrases.\n\n"
        "## NSFW technique\nThe sandbox draws nothing of the kind.\n\n## Example\n" + example
    )


MODEL_GUIDES = {
    "SEEDREAM_5": _guide(
        "SEEDREAM_5",
        "[subject], [action], [setting], [light], [lens]",
        "30 to 80 words.",
        "A woman in a grey coat crossing a wet street at dusk, neon reflections, 50 mm, shallow depth of field.",
    ),
    "QWEN_IMAGE": _guide(
        "QWEN_IMAGE",
        "Full sentences; lettering in double quotes.",
        "40 to 150 words.",
        'A shop window with the words "OPEN LATE" in red enamel, rain on the glass, evening light.',
    ),
    "WAN_2_7_IMAGE": _guide(
        "WAN_2_7_IMAGE",
        "[shot], [subject], [movement frozen], [film stock]",
        "20 to 60 words.",
        "Wide shot, a cyclist at the crest of a dune, sand in the air, late sun, 35 mm film.",
    ),
    "NANO_BANANA": _guide(
        "NANO_BANANA",
        "An instruction: change X to Y, keep everything else.",
        "10 to 40 words.",
        "Replace the background of image 1 with a sunlit library, keep pose, clothing and face.",
    ),
}
