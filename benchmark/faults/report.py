"""The table of the proofs."""

from __future__ import annotations

from typing import Any

from byola_hear.utils.markdown import markdown_table


def report(result: dict[str, Any]) -> str:
    """The table of the proofs, as Markdown.

    Args:
        result: contents of ``prove.json``.
    """
    rows, done, missing, faults, places = [], [], [], [], set()
    for name, proof in result["proofs"].items():
        if proof["not_tried"]:
            missing.append(f"`{name}` was not tried: {proof['not_tried']}.")
            continue
        figures = "; ".join(f"{what} {value:g}" for what, value in proof["figures"].items())
        minutes = f"{proof['took'] / 60:.1f}"
        rows.append([f"`{name}`", f"{proof['tried']:,}", str(len(proof["faults"])), minutes])
        done.append(f"- `{name}`: {proof['what']}" + (f". Measured: {figures}" if figures else ""))
        faults += [f"`{name}`: {fault}" for fault in proof["faults"]]
        source = proof["provenance"]
        places.add(
            f"commit {str(source['commit'])[:12]}, {source['time'][:10]}, seed {source['seed']}, {source['hardware']}"
        )
    parts = [markdown_table(["proof", "tried", "faults", "minutes"], rows), "What was done:\n\n" + "\n".join(done)]
    if faults:
        parts.append("What went wrong:\n\n" + "\n".join(f"- {fault}" for fault in faults))
    parts += ["\n".join(missing)] if missing else []
    parts.append("Measured: " + "; ".join(sorted(places)) + ".")
    return "\n\n".join(part.strip() for part in parts) + "\n"
