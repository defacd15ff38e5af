package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.localize.Networks;
import dev.lockstep.testing.MpiProcesses;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are processes write the bytes that one process writes, whatever joins them. */
@Tag("same-on-every-jdk")
@Timeout(180)
class LocalizeRanksTest {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir static Path single;
  private static byte[] expected;

  @TempDir Path folder;

  /** One rank of a group that its environment describes. */
  static final class LocalizeRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  private static String[] localize(Path out, String backend) {
    return new String[] {
      "localize",
      "--network",
      Networks.file("radar-20-8.json").toString(),
      "--set",
      "algorithm.max_iterations=60",
      "--backend",
      backend,
      "--out",
      out.toString()
    };
  }

  @BeforeAll
  static void locateAlone() throws Exception {
    assertEquals(ExitCode.OK, Main.execute(localize(single, "SINGLE")));
    expected = Files.readAllBytes(single.resolve("positions.csv"));
  }

  private void assertSameBytes() throws Exception {
    assertArrayEquals(expected, Files.readAllBytes(folder.resolve("positions.csv")));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void overTcp(int size) throws Exception {
    try (RankProcesses ranks =
        RankProcesses.start(folder, size, LocalizeRank.class, localize(folder, "TCP"))) {
      ranks.awaitSuccess(LIMIT);
      assertTrue(ranks.output(0).contains("world size " + size), ranks.output(0));
    }
    assertSameBytes();
  }

  @ParameterizedTest
  @CsvSource({"OPEN_MPI, 2", "OPEN_MPI, 3", "OPEN_MPI, 4", "MPICH, 2", "MPICH, 3"})
  void overMpi(MpiLibrary library, int size) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    try (MpiProcesses ranks =
        MpiProcesses.start(library, folder, size, LocalizeRank.class, localize(folder, "MPI"))) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
      assertTrue(ranks.output().contains("world size " + size), ranks.output());
    }
    assertSameBytes();
  }
}
