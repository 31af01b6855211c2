"""CDS Hooks as data: requests, cards, discovery, feedback. Nothing clinical is decided here."""
