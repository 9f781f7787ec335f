"""`python -m appliance.cli` is the `inglenook` command."""

from appliance.cli import main

main(prog_name="inglenook")
