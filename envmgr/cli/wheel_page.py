"""What ``wheel`` says when it is done. Pure."""

from envmgr.cli.quantities import render_bytes
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
