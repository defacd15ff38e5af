package dev.lockstep.monitor;

import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.comm.CommunicationStats.OperationStats;
import dev.lockstep.comm.CommunicationStats.PeerStats;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * A communicator's statistics as Micrometer's counters {@code lockstep.communication.*}, with the
 * tags {@code rank}, {@code operation} and {@code algorithm}, or {@code rank} and {@code peer}. Not
 * thread-safe.
 */
public final class CommunicationMetrics {
  private final MeterRegistry registry;
  private final Map<String, OperationStats> operations = new HashMap<>();
  private final Map<Integer, PeerStats> peers = new HashMap<>();

  /** Registers with {@code registry} what the first {@link #update} finds, and what comes later. */
  public CommunicationMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  /** Takes the latest statistics; the counters show them until the next. */
  public void update(CommunicationStats stats) {
    for (OperationStats row : stats.operations()) {
      String key = row.operation() + " " + row.algorithm();
      if (operations.put(key, row) == null) {
        register(stats.rank(), key, row);
      }
    }
    for (PeerStats row : stats.peers()) {
      if (row.rank() != stats.rank() && peers.put(row.rank(), row) == null) {
        register(stats.rank(), row);
      }
    }
  }

  private void register(int rank, String key, OperationStats row) {
    Tags tags =
        Tags.of(
            "rank",
            Integer.toString(rank),
            "operation",
            row.operation().toString(),
            "algorithm",
            row.algorithm());
    operation("calls", "Operations that ended well", null, tags, key, OperationStats::calls);
    operation("failures", "Operations that failed", null, tags, key, OperationStats::failures);
    operation(
        "payload", "Bytes of the payload of operations", "bytes", tags, key, OperationStats::bytes);
    operation("time", "Seconds inside operations", "seconds", tags, key, OperationStats::seconds);
    operation(
        "waiting",
        "Seconds of them in which this rank waited for others",
        "seconds",
        tags,
        key,
        OperationStats::waitedSeconds);
  }

  private void register(int rank, PeerStats row) {
    Tags tags = Tags.of("rank", Integer.toString(rank), "peer", Integer.toString(row.rank()));
    peer("peer.sent", "Bytes sent to the peer", "bytes", tags, row.rank(), PeerStats::bytesSent);
    peer(
        "peer.received",
        "Bytes received from the peer",
        "bytes",
        tags,
        row.rank(),
        PeerStats::bytesReceived);
    peer(
        "peer.waiting",
        "Seconds in which this rank waited for the peer",
        "seconds",
        tags,
        row.rank(),
        PeerStats::waitedSeconds);
  }

  private void operation(
      String name,
      String description,
      @org.jspecify.annotations.Nullable String unit,
      Tags tags,
      String key,
      ToDoubleFunction<OperationStats> value) {
    FunctionCounter.builder(
            "lockstep.communication." + name, operations, all -> value.applyAsDouble(all.get(key)))
        .description(description)
        .baseUnit(unit)
        .tags(tags)
        .register(registry);
  }

  private void peer(
      String name,
      String description,
      String unit,
      Tags tags,
      int rank,
      ToDoubleFunction<PeerStats> value) {
    FunctionCounter.builder(
            "lockstep.communication." + name, peers, all -> value.applyAsDouble(all.get(rank)))
        .description(description)
        .baseUnit(unit)
        .tags(tags)
        .register(registry);
  }
}
