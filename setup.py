"""The part of the build that pyproject.toml cannot say: folders that ship under another name.

`hooks/` is cds_service/_hooks in a wheel, `fixtures/requests/` is cds_service/_samples.
"""

from setuptools import find_namespace_packages, setup

setup(
    # Namespace packages too, so that a folder without __init__.py (database migrations) is
    # not left out in silence.
    packages=[
        *find_namespace_packages(include=["cds_service*"], exclude=["*__pycache__*"]),
        "cds_service._hooks",
        "cds_service._samples",
    ],
    package_dir={"cds_service._hooks": "hooks", "cds_service._samples": "fixtures/requests"},
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
        "cds_service._samples": ["**/*.json"],
    },
)
