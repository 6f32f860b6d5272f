from tests.house.source import calls, modules, place

# Seconds of a time-out or a percentage on a page may be floats; amounts and quantities are here.
EXACT = ("wallets", "pricing", "metering")


def test_no_float_arithmetic_near_money():
    """ruff's banned-api knows no builtins."""
    found = [place(path, call) for path in modules(*EXACT) for name, call in calls(path) if name in {"float", "round"}]
    assert not found
