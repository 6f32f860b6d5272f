"""A file on an action page. It is kept when the form is first sent; from then on the form carries its id, so that the page that
shows what will happen and the confirmation need not be given the file again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.forms import Field, HiddenInput, ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminFileFieldWidget

from wallets.accounts.models import User
from wallets.adjustments.attach import MOST_BYTES, FileRefused, keep_attachment, loose_attachment
from wallets.adjustments.models import Attachment
from wallets.clock import now
from wallets.errors import NotFound


class AttachmentWidget(UnfoldAdminFileFieldWidget):
    """Chooses a file, or keeps the one that was chosen."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The chooser; beside it the id of what was chosen before."""
        chooser: SafeString = super().render(name, None, attrs, renderer)
        if not isinstance(value, str) or not value:
            return chooser
        return format_html('{}<input type="hidden" name="{}" value="{}">', chooser, name, value)

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        """A new file goes before one that was chosen earlier."""
        return files.get(name) or data.get(name) or None


class AttachmentField(Field):
    """A file (or none); cleaned, an Attachment that is kept and belongs to nothing yet. `by`: whose it is."""

    widget = AttachmentWidget
    hidden_widget = HiddenInput
    by: User

    def clean(self, value: Any) -> Attachment | None:
        """Keep a new file; find one that was kept."""
        if value in self.empty_values:
            return super().clean(None)  # type: ignore[no-any-return]
        try:
            if not isinstance(value, UploadedFile):
                return loose_attachment(public_id=str(value), by=self.by)
            return keep_attachment(name=value.name or "", content=value.read(MOST_BYTES + 1), by=self.by, at=now())
        except FileRefused as refusal:
            raise ValidationError(f"Choose {refusal.fields['attachment']}.") from refusal
        except NotFound as refusal:
            raise ValidationError(refusal.message) from refusal
