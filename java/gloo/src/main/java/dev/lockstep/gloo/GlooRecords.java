package dev.lockstep.gloo;

import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.LatencyHistogram;
import dev.lockstep.comm.Operation;
import dev.lockstep.comm.OperationRecord;
import dev.lockstep.comm.Request;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What a Gloo communicator has done: sums by operation, and the last operations. Thread-safe. */
final class GlooRecords {
  private static final int DEFAULT_KEPT = 256;
  private static final int LARGEST_KEPT = 4_194_304;

  /** From 32 ns to 120 s, four to a power of two. */
  private static final int BUCKETS = 128;

  private final Map<Operation, Sums> sums = new EnumMap<>(Operation.class);
  private final ArrayDeque<OperationRecord> last = new ArrayDeque<>();
  private int kept = DEFAULT_KEPT;
  private long number;

  private static final class Sums {
    private final long[] buckets = new long[BUCKETS];
    private long calls;
    private long failures;
    private long bytes;
    private long nanos;
    private long longest;
  }

  synchronized OperationRecord begin(Request request, long bytes, long submitted) {
    boolean typed = Operation.of(request.operation()) != Operation.BARRIER;
    OperationRecord record =
        new OperationRecord(
            ++number,
            Operation.of(request.operation()),
            typed ? DataType.values()[request.type()] : DataType.U8,
            request.op(),
            request.rootOrPeer(),
            request.count(),
            bytes,
            Algorithm.NONE.text(),
            OperationRecord.State.RUNNING,
            submitted,
            System.nanoTime(),
            0);
    keep(record);
    return record;
  }

  private void keep(OperationRecord record) {
    while (last.size() >= kept) {
      last.removeFirst();
    }
    last.addLast(record);
  }

  synchronized void end(OperationRecord begun, boolean well) {
    long now = System.nanoTime();
    last.removeLastOccurrence(begun);
    keep(
        new OperationRecord(
            begun.number(),
            begun.operation(),
            begun.type(),
            begun.op(),
            begun.rootOrPeer(),
            begun.count(),
            begun.bytes(),
            Algorithm.LIBRARY.text(),
            well ? OperationRecord.State.DONE : OperationRecord.State.FAILED,
            begun.submittedNanos(),
            begun.beganNanos(),
            now));
    Sums row = sums.computeIfAbsent(begun.operation(), key -> new Sums());
    long nanos = now - begun.beganNanos();
    row.calls++;
    row.failures += well ? 0 : 1;
    row.bytes += begun.bytes();
    row.nanos += nanos;
    row.longest = Math.max(row.longest, nanos);
    row.buckets[bucket(nanos)]++;
  }

  /** The inverse of {@link LatencyHistogram#beginNanos}. */
  private static int bucket(long nanos) {
    int bucket = 0;
    while (bucket < BUCKETS - 1 && LatencyHistogram.beginNanos(bucket + 1) <= nanos) {
      bucket++;
    }
    return bucket;
  }

  synchronized CommunicationStats statistics(int rank) {
    List<CommunicationStats.OperationStats> rows = new ArrayList<>();
    sums.forEach(
        (operation, row) -> {
          List<Long> buckets = new ArrayList<>();
          for (long calls : row.buckets) {
            buckets.add(calls);
          }
          rows.add(
              new CommunicationStats.OperationStats(
                  operation,
                  Algorithm.LIBRARY.text(),
                  row.calls,
                  row.failures,
                  row.bytes,
                  row.nanos * 1e-9,
                  0,
                  row.longest * 1e-9,
                  new LatencyHistogram(buckets)));
        });
    return new CommunicationStats(rank, rows, Collections.emptyList());
  }

  synchronized List<OperationRecord> operations() {
    return List.copyOf(last);
  }

  synchronized void keep(int operations) {
    if (operations < 1 || operations > LARGEST_KEPT) {
      throw new IllegalArgumentException(
          operations + " operations cannot be kept; 1 to " + LARGEST_KEPT + " can.");
    }
    kept = operations;
    while (last.size() > kept) {
      last.removeFirst();
    }
  }
}
