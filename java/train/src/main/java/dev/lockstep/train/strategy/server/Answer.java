package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.PeerFailedException;
import java.nio.LongBuffer;
import java.util.BitSet;

/**
 * What a server says, in front of parameters, in numbers of 64 bits.
 *
 * @param kind whether it is an answer, or something that comes before or instead of one
 * @param rank who is meant by {@link Kind#SILENT} and {@link Kind#GONE}
 * @param next the step to go on with; later ones than the one behind the request's have been taken
 *     without this rank
 * @param agreedAt the step after which all ranks act on {@code words}; −1 for none
 * @param words bits by {@link dev.lockstep.train.memory.ControlWords.Word}
 * @param lost the ranks that are gone
 */
record Answer(Kind kind, int rank, long next, long agreedAt, long words, BitSet lost) {
  /** What is said. */
  enum Kind {
    /** The answer; where parameters are due, they follow. */
    GIVEN,
    /** The server is there, and waits for other ranks. */
    WAITING,
    /** There will be no answer: the server has heard nothing of a rank for its deadline. */
    SILENT,
    /** There will be no answer: a rank is gone, or the server has failed, whose rank it is then. */
    GONE
  }

  static final long NONE = -1;
  private static final int FIXED = 5;

  Answer {
    // A server's set changes while another thread reads its answer.
    lost = (BitSet) lost.clone();
  }

  /** An answer. */
  Answer(long next, long agreedAt, long words, BitSet lost) {
    this(Kind.GIVEN, 0, next, agreedAt, words, lost);
  }

  /** What is no answer. */
  static Answer none(Kind kind, int rank) {
    return new Answer(kind, rank, 0, NONE, 0, new BitSet());
  }

  /**
   * Says why a server does not answer.
   *
   * @param server its rank
   */
  static Answer refusal(RuntimeException why, int server) {
    if (why instanceof CollectiveTimeoutException silent && silent.rank() >= 0) {
      return none(Kind.SILENT, silent.rank());
    }
    return none(Kind.GONE, why instanceof PeerFailedException gone ? gone.rank() : server);
  }

  /** How many numbers an answer has. */
  static int length(int ranks) {
    return FIXED + Request.words(ranks);
  }

  void write(LongBuffer to) {
    to.put(0, kind.ordinal());
    to.put(1, rank);
    to.put(2, next);
    to.put(3, agreedAt);
    to.put(4, words);
    Request.write(lost, to, FIXED);
  }

  static Answer read(LongBuffer from) {
    return new Answer(
        Kind.values()[(int) from.get(0)],
        (int) from.get(1),
        from.get(2),
        from.get(3),
        from.get(4),
        Request.read(from, FIXED));
  }
}
