"""A changed site folder goes live: watching, judging, sharing verdicts, the pack in force."""
