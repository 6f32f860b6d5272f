"""One operation made of many, for the squashed migrations. Run one by one, each operation has Django build the classes of all
models that are related to its own again (ProjectState.reload_model), which for a hundred tables takes most of the time of a
first `migrate`. Here the state is changed first, as a whole, and the tables are made from where it ends."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AtOnce(Operation):
    """These operations, of which none may need the state between two others: new models with all their fields, then what is
    added to them."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = list(operations)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """As an import path and arguments, for the migration writer."""
        return self.__class__.__name__, [self.operations], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models of the end, their classes not yet built."""
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState) -> None:
        """Each table, constraint, index and trigger from the models of the end."""
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState) -> None:
        """All of them again, the last first."""
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """For `migrate --plan`."""
        return f"{len(self.operations)} operations at once"

    def references_model(self, name: str, app_label: str) -> bool:
        """Whether any of them does."""
        return any(operation.references_model(name, app_label) for operation in self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)
