"""Packs: read, checked and built, with what profiles and a site change."""
