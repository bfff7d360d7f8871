"""``dista``, the same as ``python -m dista``: train, evaluate, ablate, record and open the explorer."""

from __future__ import annotations

import sys

import typer

from dista.cli import about, checkpoints, conditions, measured, results, serve, ship, sweep, train
from dista.cli.answers import stopped
from dista.engine.threads import wait_briefly

app = typer.Typer(
    help="See a spiking transformer think, step by step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("train")(train.train)
app.command("sweep")(sweep.sweep)
app.command("results")(results.results)
app.command("noise")(conditions.noise)
app.command("cuts")(conditions.cuts)
app.command("ship")(ship.ship)
app.command("eval")(checkpoints.evaluate)
app.command("record")(checkpoints.record)
app.command("ablate")(checkpoints.ablate)
app.command("energy")(measured.energy)
app.command("cue")(measured.cue)
app.command("presets")(about.list_presets)
app.command("info")(about.info)
app.command("compile")(about.compile_loops)
app.command("bench")(about.bench)
app.command("app")(serve.open_app)


def main() -> None:
    """Run the command line; an error of ours is one clear line and exit code 1."""
    wait_briefly()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(stopped(KeyboardInterrupt()))
    except (ValueError, KeyError, OSError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"dista: {message}", file=sys.stderr)
        sys.exit(1)
