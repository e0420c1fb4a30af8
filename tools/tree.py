"""The files of the tree: what git tracks, and what it would."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tree(*patterns: str) -> list[str]:
    """Their names from the root, sorted; of those that match a pattern, if any is given."""
    words = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(
        [*words, "--", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())
