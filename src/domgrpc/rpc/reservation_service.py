"""ReservationService: check the shape, make the command, hand it on, shape the answer."""

from domgrpc.core.listings import Page, list_reservations
from domgrpc.core.reservations import Reservation
from domgrpc.core.state import State
from domgrpc.core.values import Revision, TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pages import Listing, ReservationPlace, bounded_page, page_size
from domgrpc.rpc.sizes import reservation_bytes
from domgrpc.rpc.translate_reservations import (
    confirm_reservation,
    fill_reservation,
    fill_reserved,
    get_reservation,
    move_reservation,
    release_reservation,
    reservation_filter,
    reserve_stock,
    settle_reservation,
    update_reservation,
)
from domgrpc.v1 import reservation_pb2

_RESERVATIONS: Listing[ReservationPlace] = Listing("ListReservations", ReservationPlace, (-1, ""))


class ReservationService:
    """Holds on stock and the claims that they become."""

    async def ReserveStock(
        self, message: reservation_pb2.ReserveStockRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """Hold stock until a deadline."""
        reservation, revision = await call.change(
            reserve_stock(message),
            message.request_id,
            Reservation,
            validate_only=message.validate_only,
        )
        answer = reservation_pb2.Reservation()
        fill_reserved(answer, reservation, revision)
        return answer

    async def GetReservation(
        self, message: reservation_pb2.GetReservationRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """Return one reservation."""
        reservation_id = get_reservation(message)
        reading = await call.read(
            lambda state, _: state.reservations.get(reservation_id), message.min_revision
        )
        return _reservation(reading.value, reading.revision)

    async def ListReservations(
        self, message: reservation_pb2.ListReservationsRequest, call: Call
    ) -> reservation_pb2.ListReservationsResponse:
        """List reservations, oldest first."""
        wanted = reservation_filter(message)
        filters = (message.state, message.client_id, message.sku, message.location_id)
        after = _RESERVATIONS.place(message.page_token, filters)
        size = page_size(message.page_size)

        def page(state: State, _now_ms: TimeMs) -> Page[Reservation]:
            return bounded_page(
                lambda most: list_reservations(state, after, most, wanted),
                size,
                reservation_bytes,
            )

        reading = await call.read(page, message.min_revision, Priority.LIST)
        answer = reservation_pb2.ListReservationsResponse(
            next_page_token=_RESERVATIONS.token(reading.value, filters), revision=reading.revision
        )
        for reservation in reading.value.entries:
            fill_reservation(answer.reservations.add(), reservation, reading.revision)
        return answer

    async def UpdateReservation(
        self, message: reservation_pb2.UpdateReservationRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """Change quantities and the deadline of a hold in place."""
        return _reservation(
            *await call.change(
                update_reservation(message),
                message.request_id,
                Reservation,
                validate_only=message.validate_only,
            )
        )

    async def MoveReservation(
        self, message: reservation_pb2.MoveReservationRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """Move units of a hold to another location."""
        return _reservation(
            *await call.change(
                move_reservation(message),
                message.request_id,
                Reservation,
                validate_only=message.validate_only,
            )
        )

    async def ConfirmReservation(
        self, message: reservation_pb2.ConfirmReservationRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """Make a hold a claim without a deadline."""
        command = confirm_reservation(message)
        return _reservation(*await call.change(command, message.request_id, Reservation))

    async def ReleaseReservation(
        self, message: reservation_pb2.ReleaseReservationRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """Give a hold back."""
        command = release_reservation(message)
        return _reservation(*await call.change(command, message.request_id, Reservation))

    async def SettleReservation(
        self, message: reservation_pb2.SettleReservationRequest, call: Call
    ) -> reservation_pb2.Reservation:
        """End the claim of confirmed units."""
        command = settle_reservation(message)
        return _reservation(*await call.change(command, message.request_id, Reservation))


def _reservation(reservation: Reservation, revision: Revision) -> reservation_pb2.Reservation:
    answer = reservation_pb2.Reservation()
    fill_reservation(answer, reservation, revision)
    return answer
