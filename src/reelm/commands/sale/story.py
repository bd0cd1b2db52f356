"""The story of a sale, act by act, by the very commands that operators and authorities run."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelm.commands.prove.journey import make_clip, wait_until
from reelm.commands.sale.cast import Authority, agree, propose
from reelm.commands.sale.gather import gather
from reelm.commands.sale.stage import Run, Say, Side, Stage, Viewer, free_ports
from reelm.foundation.database import embedded
from reelm.foundation.errors import Conflict
from reelm.proofs.dossier import DEMO, PAGE, check_folder, served

PASSWORD = "a password of the show"  # noqa: S105 - of people who are made up
COUNTRY, ORIGIN = "AQ", "BV"  # where nobody lives
VALID_UNTIL = "2099-01-01T00:00:00Z"
LONG_MS = 1_500
# What the software cannot see, a person declares (docs/wind-down.md).
DECLARED = """
[[copy]]
name = "staff-devices"
place = "none: the demo has no staff"
holder = "{holder}"
holds = "nothing"
outcome = "destroyed"
method = "there was none"
attested_by = "the demo, which is no person"
"""


@dataclass
class Show:
    """All that a run of the story has at hand."""

    stage: Stage
    is_licensed: bool
    people: Sequence[str]
    videos: int
    host: Authority
    ministry: Authority
    court: Authority
    exporter: Authority
    viewers: list[Viewer]
    video_ids: list[str]
    scope: Path
    first: Path | None = None
    ban: str = ""

    @property
    def authorities(self) -> list[Authority]:
        """All of them."""
        return [self.host, self.ministry, self.court, self.exporter]


def play(report: Path, run: Run, say: Say, *, is_fast: bool, is_licensed: bool) -> int:
    """Play the sale of a region, and leave the folder of its proofs.

    Args:
        report: new folder for the proofs.
        run: runs `reelm` with arguments.
        say: is told each step.
        is_fast: few people and videos.
        is_licensed: the ranking model may leave its country, and goes along.

    Returns:
        0 if every claim of the report follows from its files, else 1.

    Raises:
        Conflict: something lies at `report` already.
        Unavailable: a step of the story did not go as it has to; says which.
    """
    if report.exists() and any(report.iterdir()):
        raise Conflict(f"{report} is not empty: name a new folder with --report.")
    folder = Path(tempfile.mkdtemp(prefix="reelm-sale-"))
    folder.chmod(0o755)  # as root the databases run as a user of their own
    try:
        show = _set_up(folder, run, say, is_fast=is_fast, is_licensed=is_licensed)
        _serve(show)
        gather(show.stage, show.authorities, show.scope, show.first, report)
    finally:
        for side in ("seller", "buyer"):
            embedded.forget(folder / side)
        shutil.rmtree(folder, ignore_errors=True)
    return _tell(report, say)


def _set_up(folder: Path, run: Run, say: Say, *, is_fast: bool, is_licensed: bool) -> Show:
    first, second = free_ports(2)
    stage = Stage(
        folder,
        Side("seller", f"Demo Seller {DEMO}", folder / "seller", first),
        Side("buyer", f"Demo Buyer {DEMO}", folder / "buyer", second),
        run,
        say,
    )
    people = ["ana", "bo", "chi"] if is_fast else ["ana", "bo", "chi", "dara", "ezra", "fay"]
    show = Show(
        stage=stage,
        is_licensed=is_licensed,
        people=[f"demo_{name}" for name in people],
        videos=3 if is_fast else 8,
        host=Authority(stage, "Demo host authority", ["approve_transfer"], 2),
        ministry=Authority(stage, "Demo ministry", ["order_content", "order_service"]),
        court=Authority(stage, "Demo court", ["supervise"]),
        exporter=Authority(stage, "Demo export authority", ["license_technology"], country=ORIGIN),
        viewers=[],
        video_ids=[],
        scope=folder,
    )
    stage.begin("beginning", "Two operators make a region each; four authorities make keys.")
    for side in (stage.seller, stage.buyer):
        words = ("--jurisdiction", "neutral", "--operator", side.operator, "--name", "Reelm demo")
        stage.reelm(side.operator, "init", side.home, *words)
    return show


def _serve(show: Show) -> None:
    stage = show.stage
    with stage.serving(stage.seller):
        for authority in show.authorities:
            authority.register(stage.seller)
        _viewers(show)
    # As it stops, the ranker stores what it has learned: the scope can name it.
    with stage.serving(stage.seller):
        _banned(show)
        _agree(show)
        _stay(show)
        _freeze(show)
        _cut_over(show)
    with stage.serving(stage.buyer):
        _return(show)
        _old_address(show)
        _wind_down(show)
        _old_address(show)


def _viewers(show: Show) -> None:
    stage = show.stage
    stage.begin(served.VIEWERS, "People sign up, upload and watch; the feed learns.")
    show.viewers = [Viewer(stage, stage.seller, handle) for handle in show.people]
    clip = make_clip(stage.folder)
    for number in range(show.videos):
        person = show.viewers[number % len(show.viewers)]
        caption = f"A clip of the demo, number {number + 1} #demo"
        show.video_ids.append(person.upload(clip, caption=caption, audience="public"))
    for number, video_id in enumerate(show.video_ids):
        show.viewers[number % len(show.viewers)].wait_for_ladder(video_id)
    for viewer in show.viewers:
        _watch(viewer, show.video_ids)
        viewer.ask("POST", f"/api/videos/{show.video_ids[0]}/like")
    _look_at_media(show)
    stage.begin(served.WITHHELD, "The ministry orders a video to be removed.")
    show.ministry.order(stage.seller, "remove", "--video", show.video_ids[0])
    show.viewers[0].fetch(f"/api/videos/{show.video_ids[0]}", show.video_ids[0])


def _watch(viewer: Viewer, video_ids: Sequence[str]) -> None:
    viewer.ask("GET", "/api/feed?limit=5")
    watches = [{"video_id": video_id, "watched_ms": LONG_MS} for video_id in video_ids]
    viewer.ask("POST", "/api/watches", {"watches": watches})


def _look_at_media(show: Show) -> None:
    """Fetch a video's playlist, a file that plays, and its poster."""
    video_id = show.video_ids[-1]
    viewer = show.viewers[0]
    video = json.loads(viewer.fetch(f"/api/videos/{video_id}", "video")[1])
    for name in ("manifest_url", "progressive_url", "poster_url"):
        viewer.fetch(video[name], "media")


def _banned(show: Show) -> None:
    stage = show.stage
    stage.begin(served.BANNED, "The ministry bans the service: pages, feed and media are shut.")
    show.ban = show.ministry.order(stage.seller, "block_service")
    for path in ("/", "/api/feed", f"/api/videos/{show.video_ids[-1]}"):
        show.viewers[0].fetch(path, "the ban")


def _agree(show: Show) -> None:
    stage, seller, buyer = show.stage, show.stage.seller, show.stage.buyer
    stage.begin("proposal", "The seller proposes to sell the region, its ranking model included.")
    file = stage.folder / "buyer.json"
    stage.reelm(buyer.operator, "transfer", "buyer", "--country", COUNTRY, "--out", file, at=buyer)
    show.scope = propose(stage, "--asset", "model=license")
    _data_room(show)
    if not show.is_licensed:
        stage.begin("licence", "The country of the model's origin refuses to let it go.")
        show.exporter.decide(seller, show.scope, "refuse")
        stage.reelm(seller.operator, "transfer", "approvals", at=seller, status=1)
        reason = ("--reason", "The model may not leave its country.")
        stage.reelm(seller.operator, "transfer", "abort", *reason, at=seller)
        show.first = show.scope
        stage.begin("proposal", "The seller proposes again: the model stays behind.")
        show.scope = propose(stage, "--asset", "model=exclude")
    else:
        stage.begin("licence", "The country of the model's origin lets it go.")
        show.exporter.decide(seller, show.scope, "approve", "--valid-until", VALID_UNTIL)
    stage.begin("approvals", "Seller and buyer sign; the host authority approves, on conditions.")
    for side in (seller, buyer):
        agree(stage, side, show.scope)
    conditions = ["--valid-until", VALID_UNTIL, "--data-country", COUNTRY]
    if not show.is_licensed:
        conditions += ["--excluded-asset", "model"]
    show.host.decide(seller, show.scope, "approve", *conditions)
    stage.reelm(seller.operator, "transfer", "approvals", at=seller)


def _data_room(show: Show) -> None:
    """Let the buyer look into schema, inventory, aggregates and synthetic rows."""
    stage, seller = show.stage, show.stage.seller
    stage.begin("data room", "The buyer looks before it signs: no row of anybody is shown.")
    said = stage.reelm(seller.operator, "transfer", "room", "open", "--json", at=seller)
    token = json.loads(said)["token"]
    room = stage.folder / "room"
    room.mkdir()
    for name in ("schema", "sbom", "aggregates", "synthetic"):
        data = stage.ask(stage.buyer.operator, seller, f"/api/transfers/room/{name}", token=token)
        (room / f"{name}.json").write_bytes(data)
    stage.reelm(seller.operator, "transfer", "room", "close", at=seller)


def _stay(show: Show) -> None:
    stage, seller = show.stage, show.stage.seller
    stage.begin("stay", "A court stays the sale: no step is taken until it lifts the stay.")
    stay = show.court.order(seller, "stay_transfer")
    rehearse = ("transfer", "rehearse", "--exchange", stage.exchange)
    stage.reelm(seller.operator, *rehearse, at=seller, status=2)
    show.court.order(seller, "lift", about=stay)
    stage.begin("announcement", "Everybody is told of the sale; then it is rehearsed.")
    stage.reelm(seller.operator, "transfer", "announce", at=seller)
    stage.reelm(seller.operator, *rehearse, at=seller)


def _freeze(show: Show) -> None:
    stage, seller = show.stage, show.stage.seller
    stage.begin("freeze", "The region is frozen: nothing is written any more that goes along.")
    stage.reelm(seller.operator, "transfer", "freeze", at=seller)
    viewer = show.viewers[0]
    stage.act = served.FROZEN_WRITE
    told = {"current_password": PASSWORD, "new_password": "another password"}
    viewer.try_call("PUT", "/api/me/password", json.dumps(told).encode())
    stage.act = served.FROZEN_READ
    for path in ("/api/me", "/api/me/export", "/transfer"):
        viewer.fetch(path, "the freeze")
    stage.begin("order in the freeze", "An order arrives meanwhile, and is carried out.")
    show.ministry.order(seller, "remove", "--video", show.video_ids[1])


def _cut_over(show: Show) -> None:
    stage, seller, buyer = show.stage, show.stage.seller, show.stage.buyer
    stage.begin("move", "The seller seals the region for the buyer, who verifies and imports it.")
    exchange = ("--exchange", stage.exchange)
    stage.reelm(seller.operator, "transfer", "seal", *exchange, at=seller)
    stage.reelm(buyer.operator, "transfer", "verify", *exchange, at=buyer)
    closing = ("--out", stage.folder / "closing.dsse")
    stage.reelm(buyer.operator, "transfer", "manifest", *exchange, *closing, at=buyer)
    stage.begin("cutover", "Both sign one document: the seller's tenure ends, the buyer's begins.")
    stage.reelm(seller.operator, "transfer", "cutover", *exchange, at=seller)
    stage.reelm(buyer.operator, "transfer", "cutover", *exchange, at=buyer)
    stage.reelm(seller.operator, "transfer", "cutover", *exchange, at=seller)


def _return(show: Show) -> None:
    stage, buyer = show.stage, show.stage.buyer
    stage.begin("lifted", "The ministry lifts the ban: the service is there again.")
    show.ministry.order(buyer, "lift", about=show.ban)
    stage.begin(served.RETURN, "People come back: old passwords, old addresses, same bytes.")
    for viewer in show.viewers:
        viewer.sign_in(buyer, PASSWORD)
    wait_until(lambda: show.viewers[0].ask("GET", "/api/feed?limit=5")["videos"] or None,
               "the buyer's feed has videos")  # fmt: skip
    _look_at_media(show)
    stage.act = served.WITHHELD
    for video_id in show.video_ids[:2]:
        show.viewers[0].fetch(f"/api/videos/{video_id}", video_id)
    stage.begin(served.LEARNED, "The buyer's ranker learns from the region's own log.")
    for viewer in show.viewers:
        _watch(viewer, show.video_ids[2:])
    said = wait_until(lambda: _model(show), "the buyer's model serves")
    stage.ask("anybody", buyer, "/api/region", said=said)


def _model(show: Show) -> str | None:
    """Return what the buyer's region says of its model, once one serves."""
    told: Any = json.loads(show.stage.look(show.stage.buyer, "/api/region"))["model"]
    return None if told is None or told["state"] == "retraining" else str(told["sentence"])


def _old_address(show: Show) -> None:
    stage = show.stage
    stage.begin(served.OLD, "The old address tells who runs the service now, and where.")
    with stage.serving(stage.seller):
        for path in ("/", "/api/feed", f"/api/videos/{show.video_ids[-1]}"):
            stage.ask("a visitor", stage.seller, path)


def _wind_down(show: Show) -> None:
    stage, seller, buyer = show.stage, show.stage.seller, show.stage.buyer
    stage.begin("wind-down", "The seller destroys every copy and key, and looks for them after.")
    declared = stage.folder / "copies.toml"
    declared.write_text(DECLARED.format(holder=seller.operator), "utf-8")
    exchange = ("--exchange", stage.exchange)
    stage.reelm(
        seller.operator, "transfer", "wind-down", *exchange, "--declared", declared, "--yes",
        at=seller,
    )  # fmt: skip
    stage.reelm(seller.operator, "transfer", "certificate", *exchange, at=seller)
    stage.begin("certificate", "Buyer and host authority sign the certificate of the wind-down.")
    certificate = stage.exchange / "certificate.dsse"
    papers = (
        *("--scope", stage.exchange / "scope.json"),
        *("--cutover", stage.exchange / "cutover.dsse"),
    )
    for who, key in [
        (buyer.operator, buyer.home / "keys" / "operator-ed25519.pem"),
        *((show.host.name, key) for key in show.host.keys),
    ]:
        stage.reelm(who, "transfer", "sign-certificate", certificate, *papers, "--key", key)
    keys = [word for key in show.host.public for word in ("--authority-key", key)]
    journal = ("--journal", stage.exchange / "winding-down.jsonl")
    stage.reelm("anybody", "transfer", "check-certificate", certificate, *papers, *keys, *journal)
    stage.reelm(buyer.operator, "transfer", "record-certificate", certificate, at=buyer)


def _tell(report: Path, say: Say) -> int:
    """Check the report as anybody would, and say what came of it."""
    checked = check_folder(report)
    say("")
    for claim in checked.claims:
        say(f"  {claim.sentence}")
    for fault in checked.faults:
        say(f"  {fault.file}: {fault.sentence}")
    if checked.faults:
        say(f"\nThe report in {report} does not hold.")
        return 1
    say(f"\n{len(checked.claims)} claims follow from the files in {report}. Open {report / PAGE},")
    say(f"and compute all of it again: reelm transfer check {report}")
    return 0
