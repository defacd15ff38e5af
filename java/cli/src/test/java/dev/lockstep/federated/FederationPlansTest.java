package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.population.Partition;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a configuration asks for is what is done, or it is refused by its key. */
@Timeout(240)
class FederationPlansTest {
  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @Test
  void aPartitionThatIsGivenInAFileIsThat() throws Exception {
    String dealt = runs.run(1).hash();
    FederateConfig config = runs.config();
    StringBuilder lines = new StringBuilder();
    try (Dataset dataset = DataFiles.open(config.data())) {
      Partition partition =
          Partition.of(
              config.federation().partition(),
              8,
              dataset,
              dataset.split(config.data()).train(),
              true,
              config.seed());
      for (int client = 0; client < 8; client++) {
        String line = Arrays.toString(partition.samples(client));
        lines.append(line, 1, line.length() - 1).append('\n');
      }
    }
    Path file = Files.writeString(folder.resolve("parts.txt"), lines);
    String given = "federation.partition={type: given, file: '" + file + "'}";
    assertEquals(dealt, runs.run(1, given).hash());
    Files.writeString(file, lines + "7\n");
    assertThrows(ConfigKeyException.class, () -> runs.run(1, given, "federation.clients=9"));
    assertThrows(ConfigKeyException.class, () -> runs.run(1, given));
  }

  @Test
  void everyColumnValueIsAClient() throws Exception {
    Run run =
        runs.run(
            2,
            "federation.clients=4",
            "federation.per_round=4",
            "data.features=[x, y, station]",
            "federation.partition={type: column, column: station}");
    assertEquals(4, run.result().samples().size());
    assertEquals(320, run.result().samples().stream().mapToInt(Integer::intValue).sum());
  }

  /** The override that does not fit, and what the message names. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "federation.privacy={} federation.selection.type=weighted | federation.privacy",
        "federation.privacy={} federation.algorithm=scaffold | federation.privacy",
        "federation.privacy={} federation.aggregation.rule=median | federation.privacy",
        "federation.privacy.delta=0 | federation.privacy.delta",
        "federation.per_round=9 | federation.per_round",
        "federation.clients=0 | federation.clients",
        "federation.fraction=0.5 | federation.per_round",
        "federation.algorithm=scaffold federation.aggregation.rule=median | federation.aggregation",
        "federation.algorithm=scaffold optimizer.momentum=0.9 | optimizer",
        "federation.algorithm=fednova optimizer.type=adam | optimizer",
        "federation.local_steps=0 | federation.local_steps",
        "federation.mu=-1 | federation.mu",
        "data.targets=[] | data.targets: list at least one variable",
        "threads=0 | threads"
      })
  void whatDoesNotFitTogetherIsRefusedByKey(String overrides, String named) {
    ConfigException e =
        assertThrows(ConfigException.class, () -> runs.config(overrides.split(" ")));
    assertTrue(e.getMessage().contains(named), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
  }

  @Test
  void moreClientsThanSamplesAreRefused() {
    ConfigKeyException e =
        assertThrows(
            ConfigKeyException.class,
            () -> runs.run(1, "federation.clients=321", "federation.partition.type=iid"));
    assertEquals("clients: are 321 for 320 training samples", e.getMessage());
  }

  @Test
  void aNameThatNoLayerHasIsRefusedWithThoseThatThereAre() {
    ConfigKeyException e =
        assertThrows(ConfigKeyException.class, () -> runs.run(1, "federation.personal=[head]"));
    assertTrue(e.getMessage().contains("head, but the model has layer0."), e.getMessage());
  }
}
