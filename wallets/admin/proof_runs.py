"""The history of the nightly proof: what was proved when, and what it found."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.admin.read_only import ReadOnlyAdmin
from wallets.ledger.proof_models import ProofRun


@admin.register(ProofRun)
class ProofRunAdmin(ReadOnlyAdmin):
    """Runs, the latest first."""

    list_display = ("at", "outcome_column", "checked", "seconds_column", "frozen_column")
    ordering = ("-at", "-id")
    fields = ("at", "outcome_column", "proofs", "checked", "seconds_column", "frozen_column", "findings_column")
    readonly_fields = fields

    @display(description="Outcome", label={"all hold": "success"})
    def outcome_column(self, run: ProofRun) -> str:
        """Whether all held."""
        return run.outcome

    @display(description="Seconds")
    def seconds_column(self, run: ProofRun) -> str:
        """How long it took."""
        return f"{run.took_ms / 1000:,.1f}"

    @display(description="Frozen")
    def frozen_column(self, run: ProofRun) -> str:
        """Which wallets were frozen for it."""
        return ", ".join(run.frozen)

    @display(description="Found")
    def findings_column(self, run: ProofRun) -> SafeString | str:
        """What differs, the first of each proof."""
        rows = [(one["invariant"], one["name"], f"{one['faults']:,}", line) for one in run.lines for line in one["offenders"]]
        if not rows:
            return "Nothing."
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        head = "<tr><th>Invariant</th><th>Proof</th><th>Wrong</th><th>What differs</th></tr>"
        return format_html("<table><thead>" + head + "</thead><tbody>{}</tbody></table>", body)
