package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class CommunicationStatsTest {
  @Test
  void everyOperationIsCountedOnEveryRank() throws Exception {
    List<CommunicationStats> all =
        RankThreads.run(
            3,
            ranks -> {
              for (int i = 0; i < 20; i++) {
                ranks.allReduce(new double[100], ReduceOp.SUM);
              }
              ranks.barrier();
              return ranks.statistics();
            });
    for (CommunicationStats stats : all) {
      CommunicationStats.OperationStats reduced = row(stats, Operation.ALL_REDUCE);
      assertEquals(20, reduced.calls());
      assertEquals(0, reduced.failures());
      assertEquals(20 * 800, reduced.bytes());
      assertEquals(20, reduced.latency().count());
      assertTrue(reduced.seconds() > 0 && reduced.longestSeconds() <= reduced.seconds());
      assertTrue(reduced.waitedSeconds() <= reduced.seconds(), reduced.toString());
      assertTrue(
          reduced.latency().quantileSeconds(1) >= reduced.longestSeconds(), reduced.toString());
      assertEquals(1, row(stats, Operation.BARRIER).calls());
      assertEquals(3, stats.peers().size());
      long sent = stats.peers().stream().mapToLong(p -> p.bytesSent()).sum();
      long received = stats.peers().stream().mapToLong(p -> p.bytesReceived()).sum();
      assertTrue(sent >= 20 * 800 && received >= 20 * 800, stats.toString());
      assertEquals(0, stats.peers().get(stats.rank()).messagesSent());
    }
  }

  @Test
  void whatOneRankSendsAnotherReceives() throws Exception {
    List<CommunicationStats> all =
        RankThreads.run(
            2,
            ranks -> {
              try (NativeMemory memory = ranks.allocate(64)) {
                Span span = memory.span(0, 8, DataType.F64);
                if (ranks.rank() == 0) {
                  ranks.send(span, 1, 3);
                } else {
                  ranks.receive(span, 0, 3);
                }
              }
              return ranks.statistics();
            });
    assertEquals(64, all.get(0).peers().get(1).bytesSent());
    assertEquals(64, all.get(1).peers().get(0).bytesReceived());
  }

  @Test
  void theLastOperationsAreThere() {
    try (Communicator one = Communicator.single()) {
      one.allReduce(new float[3], ReduceOp.MAX);
      one.barrier();
      List<OperationRecord> records = one.operations();
      assertEquals(2, records.size());
      OperationRecord reduced = records.get(0);
      assertEquals(1, reduced.number());
      assertEquals(Operation.ALL_REDUCE, reduced.operation());
      assertEquals(DataType.F32, reduced.type());
      assertEquals(ReduceOp.MAX, reduced.op());
      assertEquals(3, reduced.count());
      assertEquals(12, reduced.bytes());
      assertEquals(OperationRecord.State.DONE, reduced.state());
      assertTrue(reduced.toString().startsWith("#1 all-reduce of 3 F32 by MAX, none, "));
      one.recordOperations(1);
      one.barrier();
      one.barrier();
      assertEquals(List.of(4L), one.operations().stream().map(OperationRecord::number).toList());
      assertThrows(IllegalArgumentException.class, () -> one.recordOperations(0));
      assertThrows(IllegalArgumentException.class, () -> one.setStallSeconds(-1));
    }
  }

  @Test
  void aClosedCommunicatorHasNone() {
    Communicator one = Communicator.single();
    one.close();
    assertThrows(CommunicatorClosedException.class, one::statistics);
    assertThrows(CommunicatorClosedException.class, one::operations);
  }

  @Test
  void quantilesAreTheEndOfTheirBucket() {
    List<Long> buckets = new ArrayList<>(Collections.nCopies(128, 0L));
    assertEquals(0, new LatencyHistogram(buckets).quantileSeconds(0.5));
    buckets.set(4, 90L); // 64 to 80 ns
    buckets.set(20, 10L); // 1,024 to 1,280 ns
    LatencyHistogram histogram = new LatencyHistogram(buckets);
    assertEquals(100, histogram.count());
    assertEquals(80e-9, histogram.quantileSeconds(0.5), 1e-15);
    assertEquals(80e-9, histogram.quantileSeconds(0.9), 1e-15);
    assertEquals(1280e-9, histogram.quantileSeconds(0.91), 1e-15);
    assertEquals(200, histogram.plus(histogram).count());
    assertThrows(IllegalArgumentException.class, () -> histogram.quantileSeconds(1.1));
  }

  private static CommunicationStats.OperationStats row(CommunicationStats stats, Operation which) {
    return stats.operations().stream()
        .filter(row -> row.operation() == which)
        .findFirst()
        .orElseThrow();
  }
}
