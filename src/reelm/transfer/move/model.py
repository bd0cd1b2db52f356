"""The model where it goes along: made by the seller after the freeze, not trusted by the buyer.

docs/transfer.md says what is refused, and what no check can find.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection
from sqlalchemy.orm import Session

from reelm import feed
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.proofs.closing import ClosedAsset, Closing
from reelm.proofs.sale import GOES_ALONG, Asset, Scope
from reelm.transfer.bundle.contents import MODEL
from reelm.transfer.bundle.model import read_model
from reelm.transfer.bundle.opened import Opened


def made_model(parts: Parts, scope: Scope, folder: Path) -> tuple[Path | None, str]:
    """Write the model of the frozen region into a folder where it goes along.

    Without any snapshot it is made of the whole log.

    Returns:
        Its file and digest; None and an empty text where it stays.
    """
    if not _goes_along(scope):
        return None, ""
    path = folder / "model"
    return path, feed.export_model(parts, path).digest


def closed_assets(session: Session, scope: Scope, model_digest: str) -> list[ClosedAsset]:
    """Return what the closing manifest says of the assets: of the model as it is now.

    Args:
        session: of the seller's database.
        scope: the scope of the sale.
        model_digest: of the model's file; empty where it stays, or is not made.
    """
    kept = feed.trained_model(session)
    digest = model_digest
    if kept is not None and not _goes_along(scope):
        digest = kept.digest  # of the last snapshot, which stays
    return [
        ClosedAsset(one.name, one.kind, digest if _is_model(one) else one.digest, one.disposition)
        for one in scope.technology
    ]


def check_assets(scope: Scope, manifest: Closing) -> None:
    """Check the assets of a closing manifest against the scope that both sides signed.

    Raises:
        Invalid: they are others; names one.
    """
    told = {one.name: one for one in manifest.assets}
    for one in scope.technology:
        closed = told.pop(one.name, None)
        digest = closed.digest if closed and _is_model(one) else one.digest
        if closed != ClosedAsset(one.name, one.kind, digest, one.disposition):
            raise Invalid(f"The manifest closes the asset {one.name} otherwise than the scope.")
    if told or len(manifest.assets) != len(scope.technology):
        raise Invalid("The manifest closes other technology assets than the scope names.")
    if _goes_along(scope) and not manifest.model_digest:
        raise Invalid(f"{MODEL} of the bundle is missing, and the scope says that it goes along.")


def opened_model(opened: Opened, folder: Path) -> Path | None:
    """Return the model of a bundle, in the clear and checked as hostile input; None of none.

    Raises:
        Invalid: it is damaged, not what was closed, or no model that this release can run.
    """
    if opened.contents.model is None:
        return None
    path = folder / "model"
    with path.open("wb") as file:
        read_model(opened, file.write)
    with _naming():
        feed.check_model(path, opened.manifest.model_digest)
    return path


def install(connection: Connection[Any], parts: Parts, opened: Opened, model: Path | None) -> None:
    """Let the region start with this model alone, in the transaction of the import.

    Raises:
        Invalid: it learned from signals that the imported log does not have.
    """
    feed.uninstall_models(connection)
    if model is not None:
        with _naming():
            feed.install_model(connection, parts.store, model, opened.manifest.model_digest)


@contextmanager
def _naming() -> Iterator[None]:
    """Let what is wrong with a model name its file."""
    try:
        yield
    except Invalid as error:
        raise Invalid(f"{MODEL} of the bundle is refused. {error.sentence}") from None


def _goes_along(scope: Scope) -> bool:
    return any(_is_model(one) and one.disposition in GOES_ALONG for one in scope.technology)


def _is_model(asset: Asset) -> bool:
    return asset.kind == "model"
