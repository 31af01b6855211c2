"""The part of the build that pyproject.toml cannot say: `hooks/` ships as cds_service/_hooks.

Everything else is in pyproject.toml.
"""

from setuptools import find_namespace_packages, setup

setup(
    # Namespace packages too, so that a folder without __init__.py (database migrations) is
    # not left out in silence.
    packages=[
        *find_namespace_packages(include=["cds_service*"], exclude=["*__pycache__*"]),
        "cds_service._hooks",
    ],
    package_dir={"cds_service._hooks": "hooks"},
    package_data={
        "cds_service": [
            "py.typed",
            "**/*.json",
            "**/templates/*",
            "**/*.html",
            "**/*.css",
            "**/*.js",
            "workbench/static/LICENSES.txt",
            "**/*.ini",
            "**/*.mako",
        ],
        "cds_service._hooks": ["**/*.json", "**/*.tsv"],
    },
)
