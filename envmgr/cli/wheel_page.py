"""What ``wheel`` and ``recipe`` say when they are done. Pure."""

from envmgr.cli.quantities import render_bytes
from envmgr.pipeline.recipe_build import BuiltWheels
from envmgr.pipeline.wheel_link import LinkedWheel


def render_linked(linked: LinkedWheel) -> str:
    """``wheel link``: each link, then the wheel and what it unpacks to."""
    lines = [f"  {link.path} -> {link.target}" for link in linked.links]
    if not lines:
        lines = ["no library has a second name"]
    unpacked = f"unpacks to {render_bytes(linked.wheel.unpacked)}"
    if linked.unpacked_before != linked.wheel.unpacked:
        unpacked += f" instead of {render_bytes(linked.unpacked_before)}"
    lines.append(f"wrote {linked.wheel.path}, {render_bytes(linked.wheel.size)}, {unpacked}")
    return "\n".join(lines) + "\n"


def render_built(built: BuiltWheels) -> str:
    """``recipe build``: for each wheel its links, and what it is instead of."""
    lines = []
    for each in built.wheels:
        lines += [f"  {link.path} -> {link.target}" for link in each.links]
        lines.append(
            f"wrote {each.wheel.path}, {render_bytes(each.wheel.size)}, unpacks to "
            f"{render_bytes(each.wheel.unpacked)}; {each.origin} unpacks to "
            f"{render_bytes(each.unpacked_before)}"
            if each.origin.endswith(".whl")
            else f"wrote {each.wheel.path}, {render_bytes(each.wheel.size)}, of {each.origin}"
        )
    return "".join(f"{line}\n" for line in lines)
