"""Making and searching the terminology of a pack: build, import, expand, find, list."""
