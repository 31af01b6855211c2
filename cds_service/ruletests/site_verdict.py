"""What checks and tests said of a changed site folder; passes between processes as JSON."""

import json
from dataclasses import asdict, dataclass

from cds_service.errors import Problem


@dataclass(frozen=True)
class Verdict:
    """What checks and tests said of one state of the site's folder."""

    content: str  # digest of the folder (live.snapshot)
    revision: str  # of the pack that it makes
    problems: tuple[Problem, ...] = ()  # errors only; none: accepted

    def to_json(self) -> str:
        """As one worker leaves it for the others."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Verdict":
        """Read again. Raises ValueError, KeyError or TypeError for anything else."""
        data = json.loads(text)
        problems = tuple(Problem(**entry) for entry in data["problems"])
        return Verdict(data["content"], data["revision"], problems)
