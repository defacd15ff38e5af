package dev.lockstep.comm.profile;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Span;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * How far the clocks of the ranks were from rank 0's at one moment, by the exchange with the
 * shortest round trip (Cristian, "Probabilistic clock synchronization", 1989): the error is at most
 * half of that round trip.
 *
 * @param atNanos rank 0's clock at the measurement of each rank
 * @param offsetNanos by rank: its clock less rank 0's
 */
record ClockOffsets(long[] atNanos, long[] offsetNanos) {
  private static final int EXCHANGES = 50;
  private static final int TAG = 32766;

  /** Collective. @param nanos this rank's clock @return on rank 0 the offsets; elsewhere zeros */
  static ClockOffsets measure(Communicator communicator, LongSupplier nanos) {
    ClockOffsets offsets =
        new ClockOffsets(new long[communicator.size()], new long[communicator.size()]);
    LongBuffer clock =
        ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
    if (communicator.rank() == 0) {
      for (int rank = 1; rank < communicator.size(); rank++) {
        offsets.ask(communicator, rank, clock, nanos);
      }
    } else {
      answer(communicator, clock, nanos);
    }
    communicator.barrier();
    return offsets;
  }

  private void ask(Communicator communicator, int rank, LongBuffer clock, LongSupplier nanos) {
    Span span = Span.of(clock);
    long shortest = Long.MAX_VALUE;
    for (int exchange = 0; exchange < EXCHANGES; exchange++) {
      long asked = nanos.getAsLong();
      communicator.send(span, rank, TAG);
      communicator.receive(span, rank, TAG);
      long answered = nanos.getAsLong();
      if (answered - asked < shortest) {
        shortest = answered - asked;
        atNanos[rank] = asked + shortest / 2;
        offsetNanos[rank] = clock.get(0) - atNanos[rank];
      }
    }
  }

  private static void answer(Communicator communicator, LongBuffer clock, LongSupplier nanos) {
    Span span = Span.of(clock);
    for (int exchange = 0; exchange < EXCHANGES; exchange++) {
      communicator.receive(span, 0, TAG);
      clock.put(0, nanos.getAsLong());
      communicator.send(span, 0, TAG);
    }
  }

  /** A time of a rank's clock as rank 0's clock had it; clocks drift evenly between both. */
  static long onRankZero(ClockOffsets first, ClockOffsets last, int rank, long nanos) {
    double span = last.atNanos[rank] - first.atNanos[rank];
    double drift = span > 0 ? (last.offsetNanos[rank] - first.offsetNanos[rank]) / span : 0;
    long since = nanos - first.offsetNanos[rank] - first.atNanos[rank];
    return nanos - first.offsetNanos[rank] - Math.round(since * drift);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ClockOffsets offsets
        && Arrays.equals(atNanos, offsets.atNanos)
        && Arrays.equals(offsetNanos, offsets.offsetNanos);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(atNanos) * 31 + Arrays.hashCode(offsetNanos);
  }
}
