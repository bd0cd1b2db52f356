"""What became of the former operator's ranking model when the region was sold to this one."""

import msgspec
from sqlalchemy.orm import Session

from reelm import regions
from reelm.proofs.sale import GOES_ALONG, Disposition
from reelm.transfer.current import transfers
from reelm.transfer.technology import MODEL


class FormerModel(msgspec.Struct, frozen=True):
    """The former operator, and the disposition of its model in the sale."""

    operator: str
    disposition: Disposition

    @property
    def stayed(self) -> bool:
        """Whether nothing of it came along."""
        return self.disposition not in GOES_ALONG


def former_model(session: Session) -> FormerModel | None:
    """Return what became of the model in the sale by which the operator in charge came.

    It follows from the tenure and from the scope that both sides signed; None in a region's first
    tenure.
    """
    tenure = regions.current_tenure(session)
    if tenure.epoch == 1:
        return None
    for one in transfers(session):
        scope = one.scope
        is_of_it = (scope.buyer.public_key, scope.seller.epoch + 1) == (
            tenure.public_key,
            tenure.epoch,
        )
        if is_of_it and one.ending != "aborted":
            for asset in scope.technology:
                if asset.name == MODEL:
                    return FormerModel(scope.seller.operator, asset.disposition)
    return None
