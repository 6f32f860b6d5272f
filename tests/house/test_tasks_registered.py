import ast

from billing_site.celery import BEAT, app
from tests.house.source import modules, place, tree


def _tasks_in_the_source() -> dict[str, str]:
    found = {}
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                decorators = {ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list}
                if decorators & {"shared_task", "app.task"}:
                    module = place(path).removesuffix(".py").replace("/", ".")
                    found[f"{module}.{node.name}"] = place(path, node)
    return found


def test_every_task_in_the_source_is_registered():
    """Celery looks into <app>/tasks.py only: a task elsewhere is never found, and nothing says so."""
    app.loader.import_default_modules()
    lost = {name: where for name, where in _tasks_in_the_source().items() if name not in app.tasks}
    assert not lost


def test_every_row_of_the_beat_table_names_a_task():
    assert not {row.task for row in BEAT.values()} - set(_tasks_in_the_source())


def test_every_row_of_the_beat_table_says_why():
    assert all(row.why for row in BEAT.values())
