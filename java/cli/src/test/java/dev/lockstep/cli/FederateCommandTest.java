package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.testing.RankProcesses;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code lockstep federate}, in processes of its own: simulated, and as a server with clients. */
@Timeout(200)
class FederateCommandTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String SECRET = "0123456789abcdef";
  private static final String YAML =
      """
      name: small
      seed: 4
      data: {path: 'all.csv', features: [x], targets: [class], validation_fraction: 0.2}
      model: {type: mlp, hidden: [4]}
      optimizer: {type: sgd, learning_rate: 0.1}
      federation:
        rounds: 4
        clients: 2
        loss: cross_entropy
        network: {address: 'localhost:PORT', deadline: 60, patience: 60}
      """;

  @TempDir Path folder;
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void write() throws Exception {
    Random random = new Random(3);
    StringBuilder csv = new StringBuilder("x,class\n");
    for (int i = 0; i < 100; i++) {
      csv.append(String.format(Locale.ROOT, "%.4f,%d%n", i % 2 + random.nextGaussian() / 4, i % 2));
    }
    for (String name : List.of("all", "north", "south")) {
      Files.writeString(folder.resolve(name + ".csv"), csv);
    }
    String port = String.valueOf(RankProcesses.freePort());
    Files.writeString(folder.resolve("small.yaml"), YAML.replace("PORT", port));
  }

  @AfterEach
  void end() {
    processes.forEach(Process::destroyForcibly);
  }

  private Process start(String token, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(RankProcesses.javaCommand(Main.class, "federate", "small.yaml"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output(processes.size()));
    builder.environment().put("LOCKSTEP_TOKEN", token);
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private File output(int number) {
    return folder.resolve("output-" + number).toFile();
  }

  /** Waits for the newest process. */
  private String ended(int expected) throws Exception {
    int number = processes.size() - 1;
    return ended(number, expected);
  }

  private String ended(int number, int expected) throws Exception {
    assertTrue(processes.get(number).waitFor(150, TimeUnit.SECONDS), "it still runs");
    String text = Files.readString(output(number).toPath(), StandardCharsets.UTF_8);
    assertEquals(expected, processes.get(number).exitValue(), text);
    return text;
  }

  /** Waits for a process's first warning, with which it goes on; ends it then. */
  private String warned(int number) throws Exception {
    String text = "";
    for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(150); !text.endsWith("\n"); ) {
      assertTrue(System.nanoTime() < end, "it says nothing");
      assertFalse(processes.get(number).waitFor(20, TimeUnit.MILLISECONDS), text);
      text = Files.readString(output(number).toPath(), StandardCharsets.UTF_8);
    }
    processes.get(number).destroyForcibly();
    assertTrue(text.startsWith("WARN "), text);
    return text;
  }

  private List<JsonNode> metrics(String run) throws Exception {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("runs").resolve(run + "/metrics.jsonl"))) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  @Test
  void aSimulationWritesALineARoundThePartitionAndPlots() throws Exception {
    start(SECRET);
    assertTrue(ended(0).contains("4 rounds of 2 clients"));
    List<JsonNode> rounds = metrics("small");
    assertEquals(4, rounds.size());
    for (String key :
        List.of(
            "round",
            "selected",
            "answered",
            "dropped",
            "samples",
            "bytes",
            "loss",
            "accuracy",
            "train_loss",
            "train_loss_spread")) {
      assertTrue(rounds.get(3).has(key), key + " is not in " + rounds.get(3));
    }
    Path run = folder.resolve("runs/small");
    JsonNode federation = JSON.readTree(run.resolve("federation.json").toFile());
    assertEquals("iid", federation.at("/partition/type").asText());
    assertEquals("uniform", federation.at("/sampling/selection/type").asText());
    assertEquals(2, federation.at("/sampling/per_round").asInt());
    assertEquals(80, federation.at("/samples/0").asInt() + federation.at("/samples/1").asInt());
    for (String file : List.of("score.png", "clients.png", "model.pt", "summary.json")) {
      assertTrue(Files.size(run.resolve(file)) > 0, file);
    }
  }

  @Test
  void aServerAndClientsWithTokensOfTheirOwnTrainAModel() throws Exception {
    List<String> tokens = new ArrayList<>();
    for (String client : List.of("0", "1")) {
      start(SECRET, "--token-of", client);
      tokens.add(ended(0).strip());
    }
    start(SECRET, "--server");
    start(tokens.get(0), "--client", "0", "--set", "data.path=north.csv");
    start(
        tokens.get(0),
        "--client",
        "1",
        "--set",
        "data.path=south.csv",
        "--set",
        "federation.network.patience=86400");
    String refused = warned(4);
    assertTrue(refused.contains("its token is not that of client 1"), refused);
    assertTrue(refused.contains("tries again until 20"), refused);
    assertTrue(refused.contains("if its token or the address is wrong"), refused);
    start(tokens.get(1), "--client", "1", "--set", "data.path=south.csv");
    assertTrue(ended(2, 0).contains("4 rounds of 2 clients"));
    assertTrue(ended(3, 0).contains("The federation has ended"));
    assertTrue(ended(5, 0).contains("round 4: trained with 80 samples"));
    assertEquals(2, metrics("small").get(3).get("answered").asInt());
    assertTrue(Files.size(folder.resolve("runs/small-client-1.pt")) > 0);
  }

  @Test
  void aClientWithoutAServerSaysSoInOneLine() throws Exception {
    start(SECRET, "--client", "0", "--set", "federation.network.patience=0.5");
    String said = ended(ExitCode.COMMUNICATION);
    assertTrue(said.contains("is away for more than 0.5 s (Connection refused)"), said);
    assertEquals(1, said.lines().filter(line -> !line.isBlank()).count(), said);
  }

  @Test
  void aSecretThatIsTooShortAndAClientThatThereIsNotAreRefused() throws Exception {
    start("short", "--server");
    String said = ended(ExitCode.USAGE);
    assertTrue(said.contains("set LOCKSTEP_TOKEN"), said);
    start(SECRET, "--token-of", "2");
    said = ended(ExitCode.USAGE);
    assertTrue(said.contains("--token-of 2: federation.clients are 0 to 1"), said);
    String partition = "federation.partition={type: column, column: x}";
    start(SECRET, "--token-of", "0", "--set", "federation.clients=0", "--set", partition);
    said = ended(ExitCode.CONFIGURATION);
    assertTrue(said.contains("say how many may join over the network"), said);
  }
}
