"""Mutants that were counted, kept in memory for the pack in force."""

from dataclasses import dataclass, field

from cds_service.authoring.mutation.run import MutationResult


@dataclass
class Counted:
    """What was counted for one revision of the pack, by rule."""

    revision: str = ""
    results: dict[str, MutationResult] = field(default_factory=dict)

    def of(self, revision: str) -> dict[str, MutationResult]:
        """The results for a revision; those of another are forgotten."""
        if revision != self.revision:
            self.revision, self.results = revision, {}
        return self.results
