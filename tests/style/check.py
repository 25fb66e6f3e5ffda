#!/usr/bin/env python3
"""What a machine can check of style: room edges, sizes, formatting. One line a finding; exit 1 if any."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Who may include whom. A new edge is a review question, not an accident.
EDGES = {
    "base": {"base"},
    "isolation": {"isolation", "base"},
    "api": {"api", "base"},
    "control": {"control", "api", "base"},
    "nodeagent": {"nodeagent", "api", "isolation", "base"},
    "proxy": {"proxy", "api", "bpf/lb_types.h", "base"},
    "bpf": {"bpf"},
    "lab": {"lab", "isolation", "base"},
    "cli": {"cli", "lab", "proxy", "nodeagent", "control", "api", "isolation", "base"},
    "tests": {"tests", "cli", "lab", "proxy", "nodeagent", "control", "api", "isolation", "bpf", "base"},
}
# The same inside control/: controllers read a View and write through the registry, never the store.
CONTROL_EDGES = {
    "store": {"store"},
    "registry": {"registry", "store"},
    "server": {"server", "registry", "store"},
    "runtime": {"runtime", "registry"},
    "controllers": {"controllers", "runtime", "registry/writer.h"},
    "scheduler": {"scheduler", "runtime", "registry/writer.h"},
}
COLUMNS = 100
FUNCTION_LINES = 70
FILE_LINES = 600
SOURCES = (".cpp", ".h", ".c")
INCLUDE = re.compile(r'#include "((?:base|api|control|nodeagent|isolation|proxy|bpf|lab|cli|tests)/[^"]+)"')


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\n")
    return [pathlib.Path(name) for name in listed if name and (ROOT / name).is_file()]


def allowed(target, edges):
    return any(target == edge or target.startswith(edge + "/") for edge in edges)


def check_includes(path, text, report):
    room = path.parts[0]
    for line_number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        if target.startswith("api/proto/"):
            target = "api/proto"
        if room in EDGES and not allowed(target, EDGES[room]):
            report(path, line_number, f"{room} may not include {target}")
        if room == "control" and target.startswith("control/") and path.parts[1] in CONTROL_EDGES:
            inner = target.removeprefix("control/")
            if not allowed(inner, CONTROL_EDGES[path.parts[1]]):
                report(path, line_number, f"control/{path.parts[1]} may not include {target}")


def check_sizes(path, text, report):
    lines = text.split("\n")
    if len(lines) > FILE_LINES:
        report(path, FILE_LINES, f"file has {len(lines)} lines (at most {FILE_LINES})")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            report(path, number, f"line has {len(line)} columns (at most {COLUMNS})")
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line):
            report(path, number, "a TODO names its issue: TODO(#12)")


def check_functions(path, text, report):
    """A body opens on a line at column 0 (or 1 level in a class) that ends in '{' and closes at that column."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            opens = re.match(r"^(  )?(?!namespace|struct|class|enum|union|extern|const .*=|constexpr|static const|\}|//|#| )\S.*\)?.*\{$", line)
            if opens and ("(" in line or line.startswith(" ")) and not line.rstrip().endswith(("= {", "={")):
                start, indent = number, opens.group(1) or ""
        elif line.startswith(indent + "}"):
            if number - start + 1 > FUNCTION_LINES:
                report(path, start, f"function has {number - start + 1} lines (at most {FUNCTION_LINES})")
            start = None


def check_words(path, text, report):
    if path.parts[0] not in ("tests", "cmake", "tools") and re.search(r"\bif \(testing", text):
        report(path, 1, "no testing branches: use a seam")
    if not text.startswith(("//", "/*", "#!", "# ", '"""')):
        report(path, 1, "the first line says what the file is for")


def check_format(paths, report):
    names = [str(p) for p in paths if p.suffix in SOURCES + (".proto",)]
    if not names:
        return
    done = subprocess.run(["clang-format-16", "--dry-run", "--Werror", *names], cwd=ROOT, capture_output=True,
                          text=True)
    for line in done.stderr.split("\n"):
        match = re.match(r"([^:]+):(\d+):\d+: error: (.*)", line)
        if match:
            report(pathlib.Path(match.group(1)), int(match.group(2)), match.group(3))


def main():
    findings = []

    def report(path, line, what):
        findings.append(f"{path}:{line}: {what}")

    sources = files()
    for path in sources:
        if path.suffix not in SOURCES:
            continue
        text = (ROOT / path).read_text()
        check_includes(path, text, report)
        check_sizes(path, text, report)
        check_functions(path, text, report)
        check_words(path, text, report)
    check_format(sources, report)
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
