package dev.lockstep.gloo;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.Operation;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Request;
import dev.lockstep.jni.Native;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What each rank tells every other before a collective, so that ranks that disagree find out before
 * Gloo does, whose answer to a wrong length is to end the process. A rank that leaves after an
 * error says a last one, with the reason.
 *
 * @param operation code of the operation, or {@link #GOODBYE}
 * @param sequence collectives of this group so far
 * @param type code of the elements' type; of a goodbye, the {@code Native} error code
 * @param op code of the reduction
 * @param root root of a rooted collective; of a goodbye, the rank at fault
 * @param count elements of this rank
 * @param counts hash of the counts by rank, 0 where all are alike
 * @param flags {@link #HAS_NAN}
 */
record GlooHeader(
    long operation,
    long sequence,
    long type,
    long op,
    long root,
    long count,
    long counts,
    long flags) {
  static final int LONGS = 8;
  static final long GOODBYE = -1;

  /** This rank's input of a minimum or maximum holds NaN, which Gloo may lose. */
  static final long HAS_NAN = 1;

  static GlooHeader of(Request request, long sequence, boolean hasNan) {
    return new GlooHeader(
        request.operation(),
        sequence,
        request.operation() == Native.BARRIER ? 0 : request.type(),
        request.op().code(),
        request.rootOrPeer(),
        request.count(),
        request.counts() == null ? 0 : hash(request.counts()),
        hasNan ? HAS_NAN : 0);
  }

  static GlooHeader goodbye(int errorCode, int rankAtFault) {
    return new GlooHeader(GOODBYE, 0, errorCode, 0, rankAtFault, 0, 0, 0);
  }

  static GlooHeader read(LongBuffer from) {
    return new GlooHeader(
        from.get(0),
        from.get(1),
        from.get(2),
        from.get(3),
        from.get(4),
        from.get(5),
        from.get(6),
        from.get(7));
  }

  void write(LongBuffer to) {
    to.put(0, operation).put(1, sequence).put(2, type).put(3, op);
    to.put(4, root).put(5, count).put(6, counts).put(7, flags);
  }

  private static long hash(LongBuffer counts) {
    long[] values = new long[counts.remaining()];
    counts.get(counts.position(), values);
    return 1L << 32 | Integer.toUnsignedLong(Arrays.hashCode(values));
  }

  boolean isGoodbye() {
    return operation == GOODBYE;
  }

  boolean hasNan() {
    return (flags & HAS_NAN) != 0;
  }

  /** The first rank whose header does not fit this rank's, or -1. */
  static int mismatch(GlooHeader[] headers, int rank, @Nullable LongBuffer counts) {
    GlooHeader own = headers[rank];
    boolean rooted = own.operation == Native.SCATTER || own.operation == Native.GATHER;
    for (int other = 0; other < headers.length; other++) {
      GlooHeader theirs = headers[other];
      boolean alike =
          theirs.operation == own.operation
              && theirs.sequence == own.sequence
              && theirs.type == own.type
              && theirs.op == own.op
              && theirs.root == own.root;
      if (!alike || !(rooted ? own.fits(headers, other, counts) : own.fits(theirs))) {
        return other;
      }
    }
    return -1;
  }

  private boolean fits(GlooHeader theirs) {
    return theirs.counts == counts && (counts != 0 || theirs.count == count);
  }

  /** Only the root knows the counts of scatter and gather; it says no when they are not kept. */
  private boolean fits(GlooHeader[] headers, int other, @Nullable LongBuffer rootsCounts) {
    if (rootsCounts != null) {
      return headers[other].count == rootsCounts.get(other);
    }
    return headers[(int) root].counts != 0 || headers[other].count == count;
  }

  /** As in "all-reduce of 3 f64 by SUM". */
  String text() {
    Operation what = Operation.of(operation);
    if (what == Operation.BARRIER) {
      return what.toString();
    }
    StringBuilder text = new StringBuilder(what + " of " + count + " ");
    text.append(DataType.values()[(int) type].name().toLowerCase(Locale.ROOT));
    switch (what) {
      case REDUCE, REDUCE_SCATTER, ALL_REDUCE ->
          text.append(" by ").append(ReduceOp.values()[(int) op]);
      default -> {}
    }
    return text + " (collective " + sequence + (root > 0 ? ", root " + root : "") + ")";
  }
}
