package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What ranks over TCP leave behind when one of them dies, or does not come. */
@Timeout(120)
class FailureReportsTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path folder;

  /** Five barriers; then rank 1 waits for the file {@code arguments[0]}, the others for rank 1. */
  static final class WaitingRank {
    public static void main(String[] arguments) throws Exception {
      CommunicatorConfig config =
          new CommunicatorConfig(CommunicatorConfig.Choice.TCP, 50.0, null, null, 0.5, null, null);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        for (int i = 0; i < 5; i++) {
          ranks.barrier();
        }
        if (ranks.rank() == 1) {
          System.out.println("computing");
          Path file = Path.of(arguments[0]);
          RankProcesses.awaitTrue("the test's file", () -> Files.exists(file), LIMIT);
        }
        ranks.allReduce(new double[7], ReduceOp.SUM);
        System.out.println("done");
      } catch (CommunicationException e) {
        System.out.println(e.getClass().getSimpleName());
        System.exit(3);
      }
    }
  }

  private RankProcesses start(Path file, Path recorder) throws Exception {
    return RankProcesses.start(
        folder,
        3,
        Map.of("LOCKSTEP_FLIGHT_RECORDER", recorder.toString()),
        WaitingRank.class,
        file.toString());
  }

  @Test
  void aStallIsToldAndItsEndToo() throws Exception {
    Path file = folder.resolve("go");
    Path recorder = folder.resolve("recorder");
    try (RankProcesses ranks = start(file, recorder)) {
      ranks.awaitOutput(0, "in all-reduce #7 of 7 f64 by sum", LIMIT);
      String text = ranks.output(0);
      assertTrue(text.contains("Stalled: rank 0 waits for rank "), text);
      assertTrue(text.contains("rank 1 is in no operation of this group"), text);
      assertTrue(text.contains("last heard of in barrier #6"), text);
      assertTrue(text.contains("rank 2 waits for rank "), text);
      Files.createFile(file);
      ranks.awaitSuccess(LIMIT);
      assertEquals(-1, ranks.output(2).indexOf("Stalled"), "rank 0 has spoken for all");
    }
    assertTrue(Files.notExists(recorder), "nothing has failed");
  }

  @Test
  void theLastOperationsBeforeAFailureAreKept() throws Exception {
    Path recorder = folder.resolve("recorder");
    try (RankProcesses ranks = start(folder.resolve("never"), recorder)) {
      ranks.awaitOutput(1, "computing", LIMIT);
      ranks.process(1).destroyForcibly();
      for (int survivor : new int[] {0, 2}) {
        assertEquals(3, ranks.await(survivor, LIMIT), ranks.output(survivor));
        assertTrue(ranks.output(survivor).contains("PeerFailedException"), ranks.output(survivor));
        Path file = recordOf(recorder, survivor);
        assertTrue(ranks.output(survivor).contains(file.toString()), ranks.output(survivor));
        List<String> lines = Files.readAllLines(file);
        JsonNode head = new ObjectMapper().readTree(lines.get(0));
        assertEquals("PeerFailedException", head.get("error").asText());
        assertEquals(survivor, head.get("rank").asInt());
        assertEquals(
            1 + 7, lines.size(), "the head, the forming of the group, five barriers, the failure");
        JsonNode last = new ObjectMapper().readTree(lines.get(7));
        assertEquals("ALL_REDUCE", last.get("operation").asText());
        assertEquals("FAILED", last.get("state").asText());
        assertEquals(7, last.get("count").asInt());
      }
    }
  }

  private static Path recordOf(Path recorder, int rank) throws Exception {
    try (Stream<Path> files = Files.list(recorder)) {
      List<Path> own =
          files
              .filter(
                  file -> file.getFileName().toString().startsWith("flight-recorder-rank-" + rank))
              .toList();
      assertEquals(1, own.size(), "of rank " + rank);
      return own.get(0);
    }
  }
}
