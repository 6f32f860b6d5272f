import ast
import re

from tests.house.source import PROJECT, place, tree

SETTINGS = PROJECT / "billing_site" / "settings.py"
COMMANDS = PROJECT / "billing_site" / "management" / "commands"


def _variables_read() -> set[str]:
    """What settings.py reads from the environment: the first argument of every call of `env`."""
    return {
        node.args[0].value
        for node in ast.walk(tree(SETTINGS))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_setting_is_documented_and_nothing_else():
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert documented == _variables_read()


def test_the_environment_is_read_in_one_file():
    """Except where the environment is made: manage.py and the embedded servers, before there are settings."""
    found = [
        place(path)
        for app in ("wallets", "pricing", "metering", "notifications", "billing_site")
        for path in (PROJECT / app).rglob("*.py")
        if re.search(r"os\.environ\.get|os\.getenv|os\.environ\[\"[A-Z_]+\"\](?! =)", path.read_text())
    ]
    assert not found


def test_every_command_is_documented():
    documents = "".join(path.read_text() for path in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")))
    names = {path.stem for path in COMMANDS.glob("*.py")} - {"__init__"}
    assert not {name for name in names if f"manage.py {name}" not in documents and f"make {name}" not in documents}
