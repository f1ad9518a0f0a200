"""Account: the prepaid balance. Source: doc.didww.com/api3, balance."""

from decimal import Decimal
from typing import ClassVar

from didww_async.resources.base import Resource, attribute, value

__all__ = ["Balance"]


@value
class Balance(Resource):
    """The account's money: `total_balance` = `balance` + `credit`, what orders are paid from."""

    type: ClassVar[str] = "balances"
    paged: ClassVar[bool] = False

    balance: Decimal = attribute()
    credit: Decimal = attribute()
    total_balance: Decimal = attribute()
