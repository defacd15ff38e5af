package dev.lockstep.train.strategy.server;

import java.nio.LongBuffer;
import java.util.BitSet;

/**
 * What goes to a server in front of gradients, in numbers of 64 bits.
 *
 * @param kind what is asked
 * @param clock the step that has been finished; to meet, the one to go on with
 * @param words bits by {@link dev.lockstep.train.memory.ControlWords.Word}: what this rank tells
 *     the others
 * @param share of the step's samples that the gradients are of; 0 where none follow
 * @param learningRate of the step
 * @param used the parameters that the gradients are of, by index
 */
record Request(Kind kind, long clock, long words, double share, double learningRate, BitSet used) {
  /** What is asked. */
  enum Kind {
    /** Take these gradients in, and say when the next step may start, with parameters. */
    PUSH,
    /** A rank that only serves has nothing to push, and asks when the next step may start. */
    TICK,
    /** Give the parameters of when all ranks have asked this. */
    MEET
  }

  private static final int FIXED = 5;

  /** How many numbers a request has. */
  static int length(int parameters) {
    return FIXED + words(parameters);
  }

  static int words(int bits) {
    return (bits + Long.SIZE - 1) / Long.SIZE;
  }

  boolean carriesGradients() {
    return share > 0;
  }

  void write(LongBuffer to) {
    to.put(0, kind.ordinal());
    to.put(1, clock);
    to.put(2, words);
    to.put(3, Double.doubleToRawLongBits(share));
    to.put(4, Double.doubleToRawLongBits(learningRate));
    write(used, to, FIXED);
  }

  static Request read(LongBuffer from) {
    return new Request(
        Kind.values()[(int) from.get(0)],
        from.get(1),
        from.get(2),
        Double.longBitsToDouble(from.get(3)),
        Double.longBitsToDouble(from.get(4)),
        read(from, FIXED));
  }

  static void write(BitSet bits, LongBuffer to, int at) {
    long[] longs = bits.toLongArray();
    for (int i = at; i < to.capacity(); i++) {
      to.put(i, i - at < longs.length ? longs[i - at] : 0);
    }
  }

  static BitSet read(LongBuffer from, int at) {
    long[] longs = new long[from.capacity() - at];
    from.get(at, longs);
    return BitSet.valueOf(longs);
  }
}
