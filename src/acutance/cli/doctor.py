"""`acutance doctor`: look at this machine and say what is missing and what to do about it."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(as_json: bool) -> None:
    """Look at this machine: versions, cores, memory, engines, weights, disk.

    \b
    Example:
        acutance doctor
    """
    from acutance.training.machine import examine

    findings = examine()
    if as_json:
        rows = [{"what": f.what, "found": f.found, "advice": f.advice} for f in findings]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(f.what) for f in findings)
    for finding in findings:
        click.echo(f"{finding.what:<{width}}  {finding.found}")
        if finding.advice:
            click.echo(f"{'':<{width}}  -> {finding.advice}")
