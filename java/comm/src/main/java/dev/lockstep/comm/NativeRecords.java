package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;

/** Reads the rows that {@code lockstep/statistics.h} describes. */
final class NativeRecords {
  /** Room for rows that come while they are read. */
  private static final int SLACK = 4096;

  private NativeRecords() {}

  /** As the natives do: writes what fits, and says how much there is. */
  private interface Source {
    long read(long address, long length);
  }

  static CommunicationStats statistics(long communicator, int rank) {
    List<CommunicationStats.OperationStats> operations = new ArrayList<>();
    for (LongBuffer row :
        rows(Native.OPERATION_ROW(), (at, n) -> Native.read_statistics(communicator, at, n))) {
      operations.add(operation(row));
    }
    List<CommunicationStats.PeerStats> peers = new ArrayList<>();
    for (LongBuffer row :
        rows(Native.PEER_ROW(), (at, n) -> Native.read_peer_statistics(communicator, at, n))) {
      peers.add(
          new CommunicationStats.PeerStats(
              peers.size(), row.get(), row.get(), row.get(), row.get(), seconds(row)));
    }
    return new CommunicationStats(rank, operations, peers);
  }

  static List<OperationRecord> log(long communicator) {
    List<OperationRecord> records = new ArrayList<>();
    for (LongBuffer row :
        rows(Native.LOG_ROW(), (at, n) -> Native.read_operation_log(communicator, at, n))) {
      records.add(record(row));
    }
    return records;
  }

  private static CommunicationStats.OperationStats operation(LongBuffer row) {
    Operation operation = Operation.of(row.get());
    String algorithm = algorithm(row);
    long calls = row.get();
    long failures = row.get();
    long bytes = row.get();
    double seconds = seconds(row);
    double waited = seconds(row);
    double longest = seconds(row);
    List<Long> buckets = new ArrayList<>();
    while (row.hasRemaining()) {
      buckets.add(row.get());
    }
    return new CommunicationStats.OperationStats(
        operation,
        algorithm,
        calls,
        failures,
        bytes,
        seconds,
        waited,
        longest,
        new LatencyHistogram(buckets));
  }

  private static OperationRecord record(LongBuffer row) {
    long number = row.get();
    Operation operation = Operation.of(row.get());
    DataType type = DataType.values()[(int) row.get()];
    ReduceOp op = ReduceOp.values()[(int) row.get()];
    int rootOrPeer = (int) row.get();
    long count = row.get();
    long bytes = row.get();
    String algorithm = algorithm(row);
    OperationRecord.State state = OperationRecord.State.values()[(int) row.get()];
    row.get(); // whether it was queued, which the times say too
    return new OperationRecord(
        number,
        operation,
        type,
        op,
        rootOrPeer,
        count,
        bytes,
        algorithm,
        state,
        row.get(),
        row.get(),
        row.get());
  }

  private static String algorithm(LongBuffer row) {
    try (org.bytedeco.javacpp.BytePointer name = Native.algorithm_name((int) row.get())) {
      return name.getString();
    }
  }

  private static double seconds(LongBuffer row) {
    return row.get() * 1e-9;
  }

  private static List<LongBuffer> rows(int width, Source source) {
    try {
      long needed = source.read(0, 0);
      while (true) {
        int room = Math.toIntExact(needed + SLACK);
        LongBuffer all =
            ByteBuffer.allocateDirect(Math.multiplyExact(room, Long.BYTES))
                .order(ByteOrder.nativeOrder())
                .asLongBuffer();
        needed = source.read(Span.of(all).address(), room);
        if (needed <= room) {
          List<LongBuffer> rows = new ArrayList<>();
          for (int at = 0; at < needed; at += width) {
            rows.add(all.slice(at, width));
          }
          return rows;
        }
      }
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
  }
}
