"""`reelm evaluate`: measure the ranker on a log, for people and for programs."""

import sys
from pathlib import Path
from typing import TypedDict, Unpack

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reelm.feed.evaluate import Evaluation, FolderReplay, Found, Log, OwnReplay, Replay, Report
from reelm.feed.ranker.ranker import Ranker
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts


class Options(TypedDict):
    """What is to be printed and written."""

    report: str | None
    predictions: Path | None
    plot: Path | None


# Name in the report, and how people call it.
MEASURES = (
    ("recall_at_20", "recall@20"),
    ("ndcg_at_10", "NDCG@10"),
    ("auc", "AUC"),
    ("log_loss", "log loss"),
    ("xauc", "XAUC"),
)
# Where the output is not a terminal there is no width to fit into.
WIDE = 120
CHOOSE = (
    "Give --score-from, the time in ms since 1970 before which events are only learned from;"
    " those from then on are predicted and scored."
)


def run_on_folder(folder: Path, score_from_ms: int | None, **options: Unpack[Options]) -> None:
    """Evaluate on the log of a folder.

    Raises:
        Invalid: the folder holds no such log, or an option is wrong or missing.
    """
    log = Log(folder)
    if score_from_ms is None:
        first_ms = next(log.events()).time_ms
        example = first_ms + (log.last_time_ms - first_ms) // 10
        raise Invalid(
            f"{CHOOSE} This log goes from {first_ms} to {log.last_time_ms}: try"
            f" --score-from {example}, which is a tenth of the way."
        )
    _run(FolderReplay(log), score_from_ms, **options)


def run_on_own_log(parts: Parts, score_from_ms: int | None, **options: Unpack[Options]) -> None:
    """Evaluate on the region's own log.

    Raises:
        Missing: the log is empty.
        Invalid: an option is wrong or missing.
    """
    if score_from_ms is None:
        raise Invalid(CHOOSE)
    _run(OwnReplay(parts), score_from_ms, **options)


def _run(
    replay: Replay,
    score_from_ms: int,
    *,
    report: str | None,
    predictions: Path | None,
    plot: Path | None,
) -> None:
    if report not in (None, "json"):
        raise Invalid(f"--report {report} is not known; the only one is json.")
    evaluation = Evaluation(Ranker(), replay, score_from_ms)
    with _progress() as progress:
        task = progress.add_task("replaying", total=evaluation.size)
        for done in evaluation.steps(predictions=predictions, plot=plot):
            progress.update(task, completed=done)
    if report is None:
        _show(evaluation.report)
    sys.stdout.write(msgspec.json.encode(evaluation.report).decode() + "\n")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _show(report: Report) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    table = Table("", box=None, pad_edge=False)
    for _, title in MEASURES:
        table.add_column(title, justify="right")
    table.add_column("events/s", justify="right")
    named: dict[str, Found] = {"ranker": report, **report.baselines}
    for name, found in named.items():
        values = (getattr(found, measure) for measure, _ in MEASURES)
        cells = ("none" if value is None else f"{value:.4f}" for value in values)
        table.add_row(name.replace("_", " "), *cells, f"{found.events_per_s:,.0f}")
    console.print(table)
    console.print(
        f"{report.events:,} events, {report.warmup_events:,} of them to warm up;"
        f" {report.ranked_events:,} long views ranked; {report.total_seconds:.1f} s in all.",
        highlight=False,
    )
