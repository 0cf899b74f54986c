"""Whose call may wait for the writer: by deadline, fullness, priority, client and rate."""

import asyncio
import math

import pytest
from hypothesis import given as with_examples
from hypothesis import strategies as st

from domgrpc.core.answers import Answer
from domgrpc.core.values import ClientId
from domgrpc.engine.admission import Admission, Priority, Ticket
from domgrpc.engine.calls import Busy, DeadlinePassed
from domgrpc.engine.engine import Engine
from tests.engine.rooms import Room, ask
from tests.engine.tea_shop import TEA, holds, open_shop

ANY = Ticket()


def ticket(
    client_id: str = "web", priority: Priority = Priority.CHANGE, deadline_seconds: float = math.inf
) -> Ticket:
    return Ticket(ClientId(client_id), priority, deadline_seconds)


def admission(**bounds: float) -> Admission:
    return Admission(queue_max=int(bounds.pop("queue_max", 100)), **bounds)


def learnt(admission: Admission, operation_seconds: float) -> Admission:
    """Let it see many turns in which an operation took so long."""
    for _ in range(200):
        admission.learn(1_000, 1_000 * operation_seconds, 0.0)
        admission.learn(1, operation_seconds, 0.0)
    return admission


def refuses(admission: Admission, ticket: Ticket, operation_count: int = 1) -> bool:
    try:
        admission.admit(ticket, operation_count, 0.0)
    except Busy:
        return True
    return False


def test_a_call_whose_deadline_is_over_is_not_admitted() -> None:
    with pytest.raises(DeadlinePassed):
        admission().admit(ticket(deadline_seconds=5.0), 1, 5.0)
    with pytest.raises(DeadlinePassed):
        admission().admit_read(ticket(deadline_seconds=5.0), 5.0)


def test_a_call_that_would_be_answered_too_late_is_refused_at_once() -> None:
    slow = learnt(admission(), 0.01)
    assert slow.expected_seconds(10) == pytest.approx(0.1, rel=0.1)
    slow.admit(ticket(deadline_seconds=1.0), 10, 0.0)
    assert refuses(slow, ticket(deadline_seconds=0.2), 10)
    assert not refuses(slow, ticket(deadline_seconds=0.3), 10)
    assert slow.queued_count == 20


def test_no_call_waits_behind_others_for_more_than_two_fifths_of_its_time() -> None:
    slow = learnt(admission(), 0.01)
    slow.admit(ANY, 20, 0.0)
    assert refuses(slow, ticket(deadline_seconds=0.48))
    assert not refuses(slow, ticket(deadline_seconds=0.53))
    assert not refuses(learnt(admission(), 0.01), ticket(deadline_seconds=0.3), 20)


def test_a_server_is_overloaded_where_a_good_part_of_all_calls_is_refused() -> None:
    def after(rounds: int, *, refused_each: int, admitted_each: int) -> bool:
        queue = learnt(admission(), 0.01)
        for _ in range(rounds):
            for _ in range(admitted_each):
                queue.admit(ANY, 1, 1.0)
                queue.emptied()
            for _ in range(refused_each):
                with pytest.raises(Busy):
                    queue.admit(ticket(deadline_seconds=1.001), 1, 1.0)
        assert not queue.is_refusing(1.3), "a moment later nobody is refused"
        return queue.is_refusing(1.1)

    assert not after(200, refused_each=1, admitted_each=30)
    assert after(200, refused_each=1, admitted_each=3)
    assert after(1, refused_each=10, admitted_each=0)


def test_what_lies_between_turns_makes_no_operation_dearer() -> None:
    # Else few operations in a turn seem dear, fewer are let in, and in the end hardly any.
    busy = admission()
    for _ in range(200):
        busy.learn(100, 0.01, 0.0, gap_seconds=0.05)
    assert busy.own_seconds(100) == pytest.approx(0.01, rel=0.1)
    assert busy.expected_seconds(100) == pytest.approx(0.01 + 0.05, rel=0.3)
    assert busy.expected_seconds(1_000) == pytest.approx(0.1 + 3 * 0.05, rel=0.1), "three turns"
    for _ in range(200):
        busy.learn(100, 0.01, 0.0)
    assert busy.expected_seconds(100) == pytest.approx(0.01, rel=0.2), "nothing lies between now"


def test_a_slow_moment_is_forgotten_while_nobody_waits() -> None:
    slow = learnt(admission(), 1.0)
    slow.check_time(ticket(deadline_seconds=5.3), 1, 3.0)
    with pytest.raises(Busy):
        slow.check_time(ticket(deadline_seconds=3.1), 1, 3.0)
    slow.check_time(ticket(deadline_seconds=4.0 + 0.2), 1, 4.0)
    slow.admit(ANY, 1, 4.0)
    # Whoever comes now is behind it, and counts as it is remembered.
    with pytest.raises(Busy, match="125 ms"):
        slow.check_time(ticket(deadline_seconds=4.0 + 0.15), 1, 4.0)


def test_callers_after_one_long_turn_wait_for_it_to_be_forgotten_once() -> None:
    hung = admission()
    hung.learn(1, 30.0, 0.0)
    for number in range(20):
        now_seconds = 2.0 + 0.05 * number
        hung.admit(ticket(deadline_seconds=now_seconds + 2.0), 1, now_seconds)
        hung.emptied()
        hung.learn(1, 0.001, now_seconds)


def test_a_refused_call_does_not_count_as_waiting() -> None:
    full = admission(queue_max=10)
    full.admit(ANY, 10, 0.0)
    assert refuses(full, ANY)
    assert full.queued_count == 10


def test_the_fuller_the_queue_the_fewer_kinds_of_calls_are_admitted() -> None:
    admitted: dict[int, list[Priority]] = {}
    for percent in (39, 41, 61, 81, 100):
        for kind in Priority:
            queue = admission()
            queue.admit(ticket("other"), percent, 0.0)
            admitted.setdefault(percent, [])
            if not refuses(queue, ticket("web", kind)):
                admitted[percent].append(kind)
    finish, change, read, every = Priority.FINISH, Priority.CHANGE, Priority.READ, list(Priority)
    assert admitted == {
        39: every,
        41: [finish, change, read],
        61: [finish, change],
        81: [finish],
        100: [],
    }


def test_a_queue_is_full_by_time_too() -> None:
    slow = learnt(admission(queue_max=1_000, queue_seconds_max=0.1), 0.01)
    slow.admit(ticket("other"), 9, 0.0)
    assert refuses(slow, ticket())
    assert not refuses(slow, ticket(priority=Priority.FINISH))


@pytest.mark.parametrize(("greedy_count", "left"), [(1, 5_000), (2, 3_333), (5, 1_667)])
def test_who_sends_without_end_beside_others_leaves_a_part_of_the_queue(
    greedy_count: int, left: int
) -> None:
    queue = learnt(admission(queue_max=10_000), 1e-7)
    greedy = [ticket(f"greedy-{number}", Priority.FINISH) for number in range(greedy_count)]
    modest = ticket("modest", Priority.FINISH)
    queue.admit(modest, 1, 0.0)
    while sum(not refuses(queue, each) for each in greedy):
        pass
    assert 10_000 - queue.queued_count == pytest.approx(left, abs=greedy_count + 1)
    assert not refuses(queue, modest, left // 2)
    assert refuses(queue, greedy[0])
    queue.emptied()
    assert not refuses(queue, greedy[0])


@pytest.mark.parametrize("greedy_seconds", [0.5, 2.0, 30.0])
def test_who_sends_without_end_leaves_others_a_part_of_the_time_to_wait(
    greedy_seconds: float,
) -> None:
    slow = learnt(admission(queue_max=10_000), 0.01)
    modest = ticket("modest", Priority.LIST, deadline_seconds=0.5)
    slow.admit(modest, 1, 0.0)
    while not refuses(slow, ticket("greedy", deadline_seconds=greedy_seconds)):
        pass
    assert 10 <= slow.queued_count <= 15, "of 25 that fit into half of half a second"
    assert not refuses(slow, modest, 10)


def test_who_is_alone_may_fill_the_queue_and_no_more_when_somebody_comes() -> None:
    queue = admission()
    while not refuses(queue, ticket("greedy", Priority.FINISH)):
        pass
    assert queue.queued_count == 100
    assert refuses(queue, ticket("modest", Priority.FINISH)), "there is no room for anybody"
    queue.emptied()
    while not refuses(queue, ticket("greedy", Priority.FINISH)):
        pass
    assert queue.queued_count == 50
    queue.emptied()
    queue.admit(ticket("greedy", deadline_seconds=math.inf), 1, 5.0)
    queue.admit(ticket("greedy", Priority.FINISH), 98, 5.0)


def test_some_late_calls_among_many_good_ones_are_no_overload() -> None:
    queue = learnt(admission(), 0.01)
    for number in range(1_000):
        now_seconds = number / 1_000
        queue.admit_read(ticket(priority=Priority.READ), now_seconds)
        if number % 50 == 0:
            with pytest.raises(DeadlinePassed):
                queue.admit_read(ticket(deadline_seconds=0.0), now_seconds)
        assert not queue.is_refusing(now_seconds)


def test_a_server_that_stood_still_between_two_turns_soon_forgets_it() -> None:
    stopped = admission()
    stopped.learn(1, 0.001, 0.0, gap_seconds=30.0)
    assert stopped.expected_seconds(1) < 0.05


def test_what_had_no_room_in_its_turn_counts_for_its_client_still() -> None:
    queue = admission()
    queue.admit(ticket("modest"), 1, 0.0)
    queue.emptied()
    queue.put_back(ClientId("greedy"), 50)
    assert refuses(queue, ticket("greedy", Priority.FINISH))
    assert not refuses(queue, ticket("modest", Priority.FINISH))


def test_a_client_may_not_go_above_its_rate_for_long() -> None:
    queue = admission(queue_max=1_000_000, client_rate_max=100.0)
    admitted = {"fast": 0, "slow": 0}
    for tick in range(10_000):
        now_seconds = tick / 1_000
        for client_id in ("fast", "slow") if tick % 50 == 0 else ("fast",):
            try:
                queue.admit(ticket(client_id), 1, now_seconds)
                admitted[client_id] += 1
            except Busy:
                assert client_id == "fast"
        queue.emptied()
    assert admitted["slow"] == 200
    assert admitted["fast"] == pytest.approx(100 + 10 * 100, abs=2)


@with_examples(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(Priority), st.integers(1, 60)),
        max_size=40,
    )
)
def test_the_queue_never_exceeds_its_bound_unless_one_call_alone_does(
    calls: list[tuple[str, Priority, int]],
) -> None:
    queue = admission(queue_max=50)
    counts: list[int] = []
    for client_id, priority, operation_count in calls:
        if not refuses(queue, ticket(client_id, priority), operation_count):
            counts.append(operation_count)
        assert queue.queued_count == sum(counts)
        assert queue.queued_count <= 50 or len(counts) == 1


# --- in the engine


def test_a_call_whose_deadline_passes_in_the_queue_has_no_effect() -> None:
    room = Room(commit_wait_ms_max=5.0)

    async def wait_too_long(engine: Engine) -> list[object]:
        await open_shop(engine)
        deadline_seconds = engine.seconds() + 1.0
        calls = [
            asyncio.ensure_future(engine.submit(request, ticket(deadline_seconds=deadline_seconds)))
            for request in holds(2)
        ]
        await asyncio.sleep(0)
        room.clock.now_seconds += 1.0
        return list(await asyncio.gather(*calls, return_exceptions=True))

    refused = room.live(wait_too_long)
    assert all(isinstance(each, DeadlinePassed) for each in refused)
    assert len(room.records()) == 2


def test_a_disk_that_hung_once_is_not_held_against_calls_for_ever() -> None:
    room = Room()

    async def hang_and_go_on(engine: Engine) -> Answer:
        await open_shop(engine)
        first, second = holds(2)

        def hang() -> None:
            room.disk.interruption = None
            room.clock.now_seconds += 60.0

        room.disk.interruption = hang
        await engine.submit(first)
        soon = ticket(deadline_seconds=engine.seconds() + 2.0)
        with pytest.raises(Busy):
            await engine.submit(second, soon)
        await asyncio.sleep(3.0)
        return await engine.submit(second, ticket(deadline_seconds=engine.seconds() + 2.0))

    room.live(hang_and_go_on)
    assert len(room.records()) == 2 + 2


def test_reads_are_refused_when_the_queue_is_full_and_changes_are_not() -> None:
    room = Room(queue_max=10, commit_wait_ms_max=5.0)

    async def crowd(engine: Engine) -> list[Answer]:
        await open_shop(engine)
        listing = ticket(priority=Priority.LIST)
        changes = [asyncio.ensure_future(engine.submit(request)) for request in holds(7)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await engine.read(lambda state, _: state.revision, listing)
        answers = list(await asyncio.gather(*changes))
        await engine.read(lambda state, _: state.revision, listing)
        return answers

    assert len(room.live(crowd)) == 7
    assert len(room.records()) == 2 + 7


def test_a_turn_that_is_called_for_comes_although_calls_keep_arriving() -> None:
    async def flood(engine: Engine) -> int:
        await open_shop(engine)
        first = asyncio.ensure_future(engine.execute(holds(300)))
        more: list[asyncio.Future[Answer]] = []
        for number in range(50):
            await asyncio.sleep(0)
            more.append(asyncio.ensure_future(engine.submit(ask(TEA, f"more-{number}"))))
            if first.done():
                break
        await asyncio.gather(first, *more)
        return len(more)

    assert Room(queue_max=10_000).live(flood) < 5
