"""`reelm audit`: the log of what was done, for its region, for verifiers and for witnesses."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region, open_region

audit = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""The audit log: export it, prove what is in it, verify it, witness it.

Anyone can verify, without the region and without trust in its operator:

  [bold]reelm audit verify log.jsonl --previous checkpoint-of-last-month[/bold]

A witness keeps what it saw, and signs only what follows from it:

  [bold]reelm audit witness init DIR --name example.org/w1[/bold]

  [bold]reelm audit witness cosign DIR CHECKPOINT --log log.jsonl > cosigned[/bold]

docs/audit.md has the formats.""",
)
witness = typer.Typer(no_args_is_help=True, help="Be a witness, or say whose cosignatures count.")
audit.add_typer(witness, name="witness")

Out = Annotated[
    Path | None, typer.Option("--out", help="Write to this file.", show_default="print")
]


@audit.command()
def checkpoint(
    region: Region,
    size: Annotated[int | None, typer.Option(min=0, help="The one of this size.")] = None,
) -> None:
    """Print the newest checkpoint: the log's size and root, signed, with cosignatures."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.checkpoint(parts, size)


@audit.command()
def key(region: Region) -> None:
    """Print the public key that signs the log now, in one line."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.key(parts)


@audit.command()
def check(region: Region, as_json: AsJson = False) -> None:
    """Check the log in the database: each entry, node and checkpoint; exit status 1 if wrong.

    Finds besides what an export cannot show: entries that were recorded and never came to the log.
    """
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        status = command.check(parts, as_json=as_json)
    raise typer.Exit(status)


@audit.command()
def export(
    file: Annotated[Path, typer.Argument(help="New file, such as log.jsonl.")], region: Region
) -> None:
    """Write the whole log to one file that anyone can verify."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.export(parts, file)


@audit.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An exported log.")],
    origin: Annotated[
        str | None, typer.Option(help="The log it has to be.", show_default=False)
    ] = None,
    witness_key: Annotated[
        list[str] | None,
        typer.Option(help="Key of a witness that has to have cosigned; may be given again."),
    ] = None,
    previous: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint from before that has to agree; may be given again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify an exported log and name the first bad entry; exit status 1 if something is wrong.

    Needs no region and no database. Everything is computed anew from the file.
    """
    from reelm.commands.audit import offline as command

    status = command.verify(
        file,
        origin=origin,
        witness_keys=witness_key or [],
        previous=previous or [],
        as_json=as_json,
    )
    raise typer.Exit(status)


@audit.command()
def prove(
    entry: Annotated[int, typer.Argument(help="Id of an entry.")],
    region: Region,
    size: Annotated[int | None, typer.Option(help="In the log of this size.")] = None,
    out: Out = None,
) -> None:
    """Prove that an entry is in the log."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.prove(parts, entry, size, out)


@audit.command(name="prove-growth")
def prove_growth(
    first: Annotated[int, typer.Argument(help="Size of the earlier checkpoint.")],
    region: Region,
    second: Annotated[
        int | None,
        typer.Argument(help="Size of the later one.", show_default="the newest"),
    ] = None,
    out: Out = None,
) -> None:
    """Prove that the later log begins with the earlier one."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.prove_growth(parts, first, second, out)


@audit.command(name="verify-proof")
def verify_proof(
    file: Annotated[Path, typer.Argument(help="A proof, as prove and prove-growth write it.")],
    log_key: Annotated[
        str | None, typer.Option(help="The log's key, as `reelm audit key` prints it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a proof; exit status 1 if it shows nothing. Needs no region and no database."""
    from reelm.commands.audit import offline as command

    raise typer.Exit(command.verify_proof(file, log_key=log_key, as_json=as_json))


@audit.command(name="open")
def open_entry(
    entry: Annotated[int, typer.Argument(help="Id of a confidential entry.")], region: Region
) -> None:
    """Make a confidential entry public, for ever."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.open_entry(parts, entry)


@audit.command()
def cosign(
    file: Annotated[Path, typer.Argument(help="A checkpoint with cosignatures; - reads stdin.")],
    region: Region,
) -> None:
    """Publish the cosignatures of known witnesses on a checkpoint."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.cosign(parts, file)


@witness.command(name="init")
def witness_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder for the witness.")],
    name: Annotated[str, typer.Option(help="Its name, such as example.org/w1.")],
) -> None:
    """Make a witness, and print the key that others know it by."""
    from reelm.commands.audit import witness as command

    command.init(folder, name)


@witness.command(name="cosign")
def witness_cosign(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The witness's folder.")],
    checkpoint: Annotated[Path, typer.Argument(help="The checkpoint; - reads stdin.")],
    proof: Annotated[
        Path | None, typer.Option(help="Growth from the last one that it saw.")
    ] = None,
    log: Annotated[Path | None, typer.Option(help="The whole exported log instead.")] = None,
    log_key: Annotated[
        str, typer.Option(help="The log's key, where the witness sees it first.")
    ] = "",
    out: Out = None,
) -> None:
    """Cosign a checkpoint that follows from what the witness saw; exit status 1 if it does not."""
    from reelm.commands.audit import witness as command

    raise typer.Exit(
        command.cosign(folder, checkpoint, proof=proof, log=log, log_key=log_key, target=out)
    )


@witness.command(name="seen")
def witness_seen(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The witness's folder.")],
    origin: Annotated[str, typer.Argument(help="Name of a log.")],
) -> None:
    """Print the last checkpoint of a log that the witness saw."""
    from reelm.commands.audit import witness as command

    command.seen(folder, origin)


@witness.command(name="add")
def witness_add(
    key: Annotated[str, typer.Argument(help="The witness's key, as init printed it.")],
    region: Region,
) -> None:
    """Let a region take a witness's cosignatures."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.add_witness(parts, key)


@witness.command(name="remove")
def witness_remove(
    name: Annotated[str, typer.Argument(help="The witness's name.")], region: Region
) -> None:
    """Let a region take no more of a witness's cosignatures; those it gave stay."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.remove_witness(parts, name)


@witness.command(name="list")
def witness_list(region: Region, as_json: AsJson = False) -> None:
    """Print the keys of the witnesses whose cosignatures a region takes."""
    from reelm.commands.audit import region as command

    with open_region(region) as parts:
        command.list_witnesses(parts, as_json=as_json)
