"""A test report as JUnit XML, which every continuous integration server reads."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from cds_service.ruletests.runner import FileResult, Report


def junit(report: Report, root: Path | None = None) -> bytes:
    """The report as XML; files are named relative to `root`."""
    total = report.cases + sum(len(file.problems) for file in report.files)
    suites = Element("testsuites", tests=str(total), failures=str(report.failures))
    for file in report.files:
        _suite(suites, file, root)
    written: bytes = tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def _suite(suites: Element, file: FileResult, root: Path | None) -> None:
    inside = root is not None and file.path.is_relative_to(root)
    name = str(file.path.relative_to(root)) if root and inside else file.path.name
    failed = len(file.problems) + sum(not case.passed for case in file.cases)
    total = len(file.cases) + len(file.problems)
    suite = SubElement(suites, "testsuite", name=name, tests=str(total), failures=str(failed))
    for problem in file.problems:
        case = SubElement(suite, "testcase", classname=name, name="(file)")
        SubElement(case, "failure", message=_clean(problem))
    for result in file.cases:
        case = SubElement(suite, "testcase", classname=name, name=_clean(result.name))
        if not result.passed:
            failure = SubElement(case, "failure", message=_clean("; ".join(result.problems)))
            failure.text = _clean(result.trace)


def _clean(text: str) -> str:
    """The text without characters that XML does not allow."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff"))
