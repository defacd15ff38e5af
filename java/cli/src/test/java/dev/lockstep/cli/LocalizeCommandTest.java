package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.localize.Networks;
import dev.lockstep.testing.RankProcesses;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LocalizeCommandTest {
  private static final String RADAR = Networks.file("radar-20-8.json").toString();

  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir Path folder;

  @BeforeEach
  void catchOutput() {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restoreOutput() {
    System.setOut(realOut);
    System.setErr(realErr);
  }

  /** One rank of a group that its environment describes. */
  static final class LocalizeRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private Path write(String name, String text) throws Exception {
    Path file = folder.resolve(name);
    Files.writeString(file, text);
    return file;
  }

  private int localize(Path file, String... more) {
    String[] arguments = new String[5 + more.length];
    arguments[0] = "localize";
    arguments[1] = "--network";
    arguments[2] = file.toString();
    arguments[3] = "--out";
    arguments[4] = folder.resolve("out").toString();
    System.arraycopy(more, 0, arguments, 5, more.length);
    return Main.execute(arguments);
  }

  @Test
  void theRadarNetworkIsLocatedAndItsFlippedSensorTold() throws Exception {
    Path config =
        write(
            "published.yaml",
            """
            network: {n_sensors: 20, n_anchors: 8, communication_range: 0.35, dimension: 2}
            measurements: {noise_factor: 0.05, seed: 42}
            algorithm: {gamma: 0.999, alpha: 10.0, max_iterations: 500, tolerance: 0.0,
                        record: [100, 500]}
            """);

    assertEquals(ExitCode.OK, localize(Path.of(RADAR), "--config", config.toString()), err());

    JsonNode result = new JsonMapper().readTree(folder.resolve("out/result.json").toFile());
    assertTrue(result.get("rmse_mps").doubleValue() <= 0.055, result.get("rmse_mps").toString());
    assertEquals(500, result.get("iterations").intValue());
    assertEquals(500, result.at("/trace/1/iteration").intValue());
    assertEquals(1, result.get("ambiguous").size());
    assertEquals(5, result.at("/ambiguous/0/sensor").intValue(), "the sensor that may be flipped");
    assertEquals(0.00957, result.get("rmse").doubleValue(), 1e-5, "maximum likelihood");
    assertEquals(20, result.get("positions").size());
    assertEquals(20, result.get("covariances").size());
    for (String file : new String[] {"positions.csv", "network.png", "convergence.png"}) {
      assertTrue(Files.size(folder.resolve("out").resolve(file)) > 100, file);
    }
    String told = out.toString(StandardCharsets.UTF_8);
    assertTrue(told.contains("Iteration 500/500   objective "), told);
    assertTrue(told.contains("   RMSE 0.0"), told);
  }

  @Test
  void twoRanksWriteTheBytesThatOneWrites() throws Exception {
    String setting = "algorithm.max_iterations=40";
    assertEquals(ExitCode.OK, localize(Path.of(RADAR), "--set", setting), err());
    Path two = folder.resolve("two");
    try (RankProcesses ranks =
        RankProcesses.start(
            folder,
            2,
            LocalizeRank.class,
            "localize",
            "--network",
            RADAR,
            "--set",
            setting,
            "--out",
            two.toString())) {
      ranks.awaitSuccess(Duration.ofSeconds(60));
      assertTrue(ranks.output(0).contains("world size 2"), ranks.output(0));
      assertEquals("", ranks.output(1), "rank 0 speaks for all");
    }

    assertArrayEquals(
        Files.readAllBytes(folder.resolve("out/positions.csv")),
        Files.readAllBytes(two.resolve("positions.csv")));
  }

  @Test
  void aGeneratedNetworkStartsFromEarlierPositions() throws Exception {
    Path config =
        write(
            "net.yaml",
            "{network: {n_sensors: 15, n_anchors: 6, communication_range: 0.6}, algorithm:"
                + " {max_iterations: 2}}");
    String first = folder.resolve("first").toString();
    assertEquals(
        ExitCode.OK,
        Main.execute("localize", "--config", config.toString(), "--out", first),
        err());
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "localize",
            "--config",
            config.toString(),
            "--set",
            "algorithm.start=" + first + "/positions.csv",
            "--out",
            folder.resolve("second").toString()),
        err());
    JsonNode cold = new JsonMapper().readTree(Path.of(first, "result.json").toFile());
    JsonNode warm = new JsonMapper().readTree(folder.resolve("second/result.json").toFile());

    assertTrue(
        warm.get("rmse_mps").doubleValue() < cold.get("rmse_mps").doubleValue(),
        warm.get("rmse_mps") + " after " + cold.get("rmse_mps"));
  }

  @Test
  void badInputIsOneLineAndLeavesNothing() throws Exception {
    Path csv = write("bad.csv", "anchor,x,y\na,0,0\nb,1,0\nc,0,1\nfrom,to,range\nR1,a,-3\n");

    assertEquals(ExitCode.DATA, localize(csv));
    assertEquals(
        "lockstep: "
            + csv
            + ":6: the range from R1 to a is -3.0; a distance is a number of at least 0\n",
        err());
    assertFalse(Files.exists(folder.resolve("out")));
  }

  @Test
  void withoutANetworkTheConfigurationIsWrong() throws Exception {
    Path config = write("empty.yaml", "algorithm: {gamma: 0.5}\n");
    String target = folder.resolve("out").toString();

    assertEquals(
        ExitCode.CONFIGURATION,
        Main.execute("localize", "--config", config.toString(), "--out", target));
    assertTrue(err().startsWith("lockstep: " + config + ": there is no network"), err());
    assertEquals(ExitCode.USAGE, Main.execute("localize", "--network", RADAR));
    assertEquals(ExitCode.CONFIGURATION, localize(Path.of(RADAR), "--set", "algorithm.gama=0.5"));
    assertTrue(err().contains("the nearest valid key is \"algorithm.gamma\""), err());
  }
}
