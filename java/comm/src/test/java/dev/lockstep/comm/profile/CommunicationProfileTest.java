package dev.lockstep.comm.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Operation;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.testing.RankThreads;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class CommunicationProfileTest {
  @Test
  void rankZeroHasTheStatisticsOfAll() throws Exception {
    List<Optional<CommunicationProfile>> profiles =
        RankThreads.run(
            3,
            ranks -> {
              for (int i = 0; i < 4; i++) {
                ranks.allReduce(new int[8], ReduceOp.SUM);
              }
              return CommunicationProfile.gather(ranks);
            });
    assertTrue(profiles.get(1).isEmpty() && profiles.get(2).isEmpty());
    CommunicationProfile profile = profiles.get(0).orElseThrow();
    for (int rank = 0; rank < 3; rank++) {
      assertEquals(rank, profile.ranks().get(rank).rank());
      assertEquals(
          4 * 32,
          profile.ranks().get(rank).operations().stream()
              .filter(row -> row.operation() == Operation.ALL_REDUCE)
              .mapToLong(row -> row.bytes())
              .sum());
    }
    String line =
        profile.table().lines().filter(text -> text.startsWith("all-reduce")).findFirst().get();
    assertEquals("4", line.trim().split(" +")[2], line);
    assertEquals("128", line.trim().split(" +")[3], line);
  }
}
