package dev.lockstep.comm.profile;

import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.comm.CommunicationStats.OperationStats;
import dev.lockstep.comm.CommunicationStats.PeerStats;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.LatencyHistogram;
import java.util.ArrayList;
import java.util.Collection;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * The {@link CommunicationStats} of all ranks of a group, as a table.
 *
 * @param ranks by rank
 */
public record CommunicationProfile(List<CommunicationStats> ranks) {
  private static final String OPERATION_ROW = "%-15s %-19s %9s %11s %24s %10s %10s %10s %10s %9s%n";
  private static final String PEER_ROW = "%4s → %-4s %12s %12s %12s %12s %10s%n";

  public CommunicationProfile {
    ranks = List.copyOf(ranks);
  }

  /** Brings the statistics together; collective. @return empty on all ranks but rank 0 */
  public static Optional<CommunicationProfile> gather(Communicator communicator) {
    List<CommunicationStats> all =
        GatheredJson.gather(communicator, communicator.statistics(), CommunicationStats.class);
    return communicator.rank() == 0 ? Optional.of(new CommunicationProfile(all)) : Optional.empty();
  }

  /** Lines for the console: operations over all ranks, then what each rank exchanged with each. */
  public String table() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "Communication of %d rank%s: seconds in operations %s, waiting %s (min/avg/max)%n",
            ranks.size(),
            ranks.size() == 1 ? "" : "s",
            spread(ranks, CommunicationStats::seconds),
            spread(ranks, CommunicationStats::waitedSeconds)));
    text.append(
        String.format(
            Locale.ROOT,
            OPERATION_ROW,
            "operation",
            "algorithm",
            "calls",
            "bytes/rank",
            "seconds min/avg/max",
            "waiting",
            "p50 µs",
            "p99 µs",
            "max µs",
            "GB/s"));
    byOperation().values().forEach(rows -> text.append(operationLine(rows)));
    if (ranks.stream().anyMatch(rank -> !rank.peers().isEmpty())) {
      text.append(
          String.format(
              Locale.ROOT,
              PEER_ROW,
              "rank",
              "peer",
              "sent",
              "bytes",
              "received",
              "bytes",
              "waiting"));
      ranks.forEach(rank -> rank.peers().forEach(peer -> text.append(peerLine(rank, peer))));
    }
    return text.toString();
  }

  private Map<String, List<OperationStats>> byOperation() {
    Map<String, List<OperationStats>> rows = new LinkedHashMap<>();
    for (CommunicationStats rank : ranks) {
      for (OperationStats row : rank.operations()) {
        rows.computeIfAbsent(row.operation() + " " + row.algorithm(), key -> new ArrayList<>())
            .add(row);
      }
    }
    return rows;
  }

  private static String operationLine(List<OperationStats> rows) {
    OperationStats first = rows.get(0);
    LatencyHistogram latency =
        rows.stream().map(OperationStats::latency).reduce(LatencyHistogram::plus).orElseThrow();
    double seconds = rows.stream().mapToDouble(OperationStats::seconds).sum();
    long bytes = rows.stream().mapToLong(OperationStats::bytes).sum();
    return String.format(
        Locale.ROOT,
        OPERATION_ROW,
        first.operation(),
        first.algorithm(),
        rows.stream().mapToLong(OperationStats::calls).max().orElse(0),
        bytes / rows.size(),
        spread(rows, OperationStats::seconds),
        seconds > 0
            ? percent(rows.stream().mapToDouble(OperationStats::waitedSeconds).sum() / seconds)
            : "",
        micros(latency.quantileSeconds(0.5)),
        micros(latency.quantileSeconds(0.99)),
        micros(rows.stream().mapToDouble(OperationStats::longestSeconds).max().orElse(0)),
        seconds > 0 ? String.format(Locale.ROOT, "%.3f", bytes / seconds * 1e-9) : "");
  }

  private static String peerLine(CommunicationStats rank, PeerStats peer) {
    if (peer.rank() == rank.rank()) {
      return "";
    }
    return String.format(
        Locale.ROOT,
        PEER_ROW,
        rank.rank(),
        peer.rank(),
        peer.messagesSent(),
        peer.bytesSent(),
        peer.messagesReceived(),
        peer.bytesReceived(),
        String.format(Locale.ROOT, "%.3f s", peer.waitedSeconds()));
  }

  private static <T> String spread(Collection<T> rows, ToDoubleFunction<T> value) {
    DoubleSummaryStatistics all = rows.stream().mapToDouble(value).summaryStatistics();
    return String.format(
        Locale.ROOT, "%.3f/%.3f/%.3f", all.getMin(), all.getAverage(), all.getMax());
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  private static String micros(double seconds) {
    return String.format(Locale.ROOT, "%.1f", seconds * 1e6);
  }
}
