# ruff: noqa: INP001 - stands in the folder of somebody else's program
"""In the folder of the LiteLLM proxy's config.yaml."""

import os

from metering.gate.client.gate import Gate
from metering.gate.client.litellm_callback import PrepaidBilling

billing = PrepaidBilling(
    Gate(
        redis_url=os.environ["BILLING_REDIS_URL"],
        api_url=os.environ["BILLING_URL"],
        api_key=os.environ["BILLING_KEY"],  # scopes events:write, gate:check
        spool="/var/spool/prepaid",
        top_up_url=os.environ["BILLING_URL"] + "/top-up/{account}",
    ),
    # A key's team is its account; its user where it has no team. Another rule:
    # account_of=lambda known: known.get("end_user"),
)
