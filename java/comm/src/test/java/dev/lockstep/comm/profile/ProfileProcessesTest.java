package dev.lockstep.comm.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Timeline and table of ranks that are processes. */
@Timeout(120)
class ProfileProcessesTest {
  private static final int RANKS = 3;
  private static final int ROUNDS = 30;

  @TempDir Path folder;

  /** Comes late to some barriers, and writes what happened to {@code arguments[0]}. */
  static final class RecordedRank {
    public static void main(String[] arguments) throws Exception {
      try (Communicator ranks = Communicator.fromEnvironment()) {
        Timeline timeline = Timeline.start(ranks, 1000);
        for (int round = 0; round < ROUNDS; round++) {
          if (round % RANKS == ranks.rank()) {
            Thread.sleep(10);
          }
          ranks.barrier();
        }
        ranks.allReduce(new float[1000], ReduceOp.SUM);
        timeline.write(Path.of(arguments[0]));
        CommunicationProfile.gather(ranks).ifPresent(all -> System.out.print(all.table()));
      }
    }
  }

  @Test
  void theSameBarrierIsAtTheSameTimeOnEveryRank() throws Exception {
    Path file = folder.resolve("traces/timeline.json");
    String table;
    try (RankProcesses ranks =
        RankProcesses.start(folder, RANKS, RecordedRank.class, file.toString())) {
      ranks.awaitSuccess(Duration.ofSeconds(60));
      table = ranks.output(0);
      assertEquals("", ranks.output(1));
    }
    List<List<JsonNode>> events = eventsByRank(file);
    for (int rank = 0; rank < RANKS; rank++) {
      assertEquals(ROUNDS + 1, events.get(rank).size(), "the clocks' exchange is left out");
    }
    for (int round = 0; round < ROUNDS; round++) {
      double latestBegin = 0;
      double earliestEnd = Double.MAX_VALUE;
      for (List<JsonNode> rank : events) {
        JsonNode event = rank.get(round);
        assertEquals("barrier", event.get("name").asText());
        latestBegin = Math.max(latestBegin, event.get("ts").asDouble());
        earliestEnd =
            Math.min(earliestEnd, event.get("ts").asDouble() + event.get("dur").asDouble());
      }
      // Nobody leaves a barrier before all have entered; the clocks are right to half a round trip.
      double tolerance = 2000;
      assertTrue(latestBegin <= earliestEnd + tolerance, "barrier " + round);
    }
    JsonNode reduced = events.get(2).get(ROUNDS);
    assertEquals("all-reduce", reduced.get("name").asText());
    assertEquals(4000, reduced.get("args").get("bytes").asLong());
    assertTrue(table.contains("Communication of 3 ranks"), table);
    assertTrue(table.lines().anyMatch(line -> line.startsWith("barrier")), table);
    assertTrue(table.lines().anyMatch(line -> line.matches(" +2 → 1 .*")), table);
  }

  private static List<List<JsonNode>> eventsByRank(Path file) throws Exception {
    JsonNode trace = new ObjectMapper().readTree(Files.readAllBytes(file));
    List<List<JsonNode>> events = new ArrayList<>();
    for (int rank = 0; rank < RANKS; rank++) {
      events.add(new ArrayList<>());
    }
    for (JsonNode event : trace.get("traceEvents")) {
      if (event.get("ph").asText().equals("X")) {
        assertTrue(event.get("ts").asDouble() >= 0 && event.get("dur").asDouble() >= 0);
        events.get(event.get("pid").asInt()).add(event);
      }
    }
    return events;
  }
}
