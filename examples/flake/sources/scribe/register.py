"""What lych-scribe needs beyond Python, told to the forge at synthesis time.

LychD calls the same function at run time, with a context that has no `add_system_dependency`.
"""


def register(context):
    if hasattr(context, "add_system_dependency"):
        context.add_system_dependency("ffmpeg")
