package dev.lockstep.mpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.examples.mpi.HaloExchange;
import dev.lockstep.examples.mpi.Hello;
import dev.lockstep.examples.mpi.Pi;
import dev.lockstep.examples.mpi.Ring;
import dev.lockstep.examples.mpi.UserOperation;
import dev.lockstep.testing.MpiProcesses;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The examples under mpirun, with every MPI that is installed. */
@Timeout(120)
class MpiExamplesTest {
  private static final Duration LIMIT = Duration.ofSeconds(100);

  @TempDir Path folder;

  private String run(MpiLibrary library, int size, Class<?> main, String... arguments)
      throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    try (MpiProcesses ranks = MpiProcesses.start(library, folder, size, main, arguments)) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
      return ranks.output();
    }
  }

  private static int count(String output, String text) {
    return output.split(Pattern.quote(text), -1).length - 1;
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void everyRankSaysHello(MpiLibrary library) throws Exception {
    String output = run(library, 3, Hello.class);
    for (int rank = 0; rank < 3; rank++) {
      assertEquals(1, count(output, "Hello from rank " + rank + " of 3 on "), output);
    }
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void ranksIntegratePiTogether(MpiLibrary library) throws Exception {
    String output = run(library, 4, Pi.class, "10000");
    // The midpoint rule's error is h²/24 (f'(1) - f'(0)) = h²/12.
    assertTrue(output.contains("pi = 3.14159265"), output);
    double error = Double.parseDouble(output.replaceAll("(?s).*off by (\\S+).*", "$1"));
    assertEquals(1e-8 / 12, error, 1e-10);
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void aTokenGoesAroundTheRing(MpiLibrary library) throws Exception {
    assertTrue(run(library, 4, Ring.class).contains("sum of ranks 6, from rank 3"));
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void neighboursExchangeHalos(MpiLibrary library) throws Exception {
    String output = run(library, 3, HaloExchange.class);
    assertEquals(3, count(output, " is a straight line"), output);
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void anOperationIsWrittenInJava(MpiLibrary library) throws Exception {
    String output = run(library, 3, UserOperation.class);
    assertEquals(3, count(output, "least common multiple 60"), output);
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void theWholeSurfaceWorks(MpiLibrary library) throws Exception {
    String output = run(library, 2, SurfaceRank.class);
    assertEquals(2, count(output, "surface ok"), output);
  }
}
