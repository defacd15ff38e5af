package dev.lockstep.comm;

import java.time.Duration;
import java.util.Optional;

/**
 * Messages between this rank and another one under one tag, beside the collectives of their group.
 *
 * <ul>
 *   <li>Posting never blocks. Any number of sends and receives, in both directions, are under way
 *       at once, posted by any thread, and pass collectives that run meanwhile.
 *   <li>Messages of one tag from one rank arrive in the order in which they were sent.
 *   <li>A send ends when its memory is no longer needed, which says nothing of the receiver. A
 *       message that is longer than what the way between the ranks holds (the buffers of TCP, a
 *       ring of shared memory) ends as the other rank takes it in: inside any call of its channels,
 *       or all the time once it has posted anything itself. So two ranks may both send before they
 *       receive, however long the messages are.
 *   <li>Each wait has a deadline of its own. Running out of it is a result: the message goes on,
 *       the group is whole.
 *   <li>A dead or departed peer is a {@link PeerFailedException} of the messages with that rank
 *       alone. Another type or length than the receive names is a {@link
 *       CollectiveMismatchException} of that receive alone; the message stays for another one.
 *       Channels outlive a failure of their group's collectives, until {@link Communicator#close}.
 * </ul>
 *
 * Thread-safe; costs nothing to make and needs no closing.
 */
public interface Channel {
  /** The other rank, or {@link Communicator#ANY_RANK}. */
  int peer();

  /** From 0 to 32,767. */
  int tag();

  /**
   * Sends all elements of {@code data}, which stay untouched until the work has ended.
   *
   * @throws IllegalArgumentException for a channel to any rank
   */
  Work send(Span data);

  /** Receives a message of exactly {@code into.count()} elements. */
  Work receive(Span into);

  /**
   * Receives a message of at most {@code into.count()} elements; {@link Work#count} tells how many.
   */
  Work receiveUpTo(Span into);

  /** The oldest message that no receive has met, which it does not take. */
  Optional<Incoming> poll();

  /**
   * As {@link #poll()}, waiting for one.
   *
   * @return nothing when none has come within {@code limit}
   * @throws PeerFailedException when none can come any more
   */
  Optional<Incoming> await(Duration limit);
}
