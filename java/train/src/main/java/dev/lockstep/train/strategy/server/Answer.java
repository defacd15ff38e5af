package dev.lockstep.train.strategy.server;

import java.nio.LongBuffer;
import java.util.BitSet;

/**
 * What a server says, in front of parameters, in numbers of 64 bits.
 *
 * @param next the step to go on with; later ones than the one behind the request's have been taken
 *     without this rank
 * @param agreedAt the step after which all ranks act on {@code words}; −1 for none
 * @param words bits by {@link dev.lockstep.train.memory.ControlWords.Word}
 * @param lost the ranks that are gone
 */
record Answer(long next, long agreedAt, long words, BitSet lost) {
  static final long NONE = -1;
  private static final int FIXED = 3;

  Answer {
    // A server's set changes while another thread reads its answer.
    lost = (BitSet) lost.clone();
  }

  /** How many numbers an answer has. */
  static int length(int ranks) {
    return FIXED + Request.words(ranks);
  }

  void write(LongBuffer to) {
    to.put(0, next);
    to.put(1, agreedAt);
    to.put(2, words);
    Request.write(lost, to, FIXED);
  }

  static Answer read(LongBuffer from) {
    return new Answer(from.get(0), from.get(1), from.get(2), Request.read(from, FIXED));
  }
}
