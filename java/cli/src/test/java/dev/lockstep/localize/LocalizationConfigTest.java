package dev.lockstep.localize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.localize.network.MeasurementsConfig;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkConfig;
import dev.lockstep.localize.network.NetworkGenerator;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalizationConfigTest {
  private static LocalizationConfig parse(String text) {
    return ConfigLoader.parse(LocalizationConfig.class, "test.yaml", text, List.of());
  }

  @Test
  void aConfigurationWithThePublishedKeysIsRead() {
    LocalizationConfig config =
        parse(
            """
            network:
              n_sensors: 30
              n_anchors: 6
              communication_range: 0.7
              dimension: 2
            measurements:
              noise_factor: 0.05
              seed: 42
            algorithm:
              gamma: 0.999
              alpha: 10.0
              max_iterations: 500
              tolerance: 1e-6
            """);

    assertEquals(NetworkConfig.of(30, 6, 0.7, 2, null), config.network());
    assertEquals(MeasurementsConfig.of(0.05, null, null, null, 42L), config.measurements());
    assertEquals(500, config.algorithm().maxIterations());
    assertEquals(1e-6, config.algorithm().tolerance());
    Network network = NetworkGenerator.generate(config.network(), config.measurements());
    assertEquals(30, network.sensors());
    assertEquals(6, network.anchors());
  }

  @Test
  void everythingHasDefaults() {
    LocalizationConfig config = parse("{}");

    assertFalse(config.network().generates());
    assertEquals(SplittingConfig.defaults(), config.algorithm());
    assertEquals(SplittingConfig.Design.METROPOLIS, config.algorithm().design());
    assertEquals(0.05, config.measurements().noiseOf(Networks.read("radar-20-8.json")).factor());
    assertEquals(
        SplittingConfig.Design.SINKHORN_KNOPP,
        parse("algorithm: {form: dense}").algorithm().design());
  }

  @Test
  void namesMayBeWrittenAsInThePaper() {
    assertEquals(
        SplittingConfig.Design.SINKHORN_KNOPP,
        parse("algorithm: {design: Sinkhorn-Knopp}").algorithm().design());
  }

  @Test
  void whatIsWrittenBackIsReadAlike() {
    LocalizationConfig config =
        parse(
            "{network: {n_sensors: 9, n_anchors: 3, communication_range: 1}, algorithm: {prox:"
                + " inexact, form: dense, huber: 2, record: [1, 5]}}");

    assertEquals(config, parse(ConfigLoader.toYaml(config)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "algorithm: {gama: 0.9} | test.yaml:1: unknown key \"algorithm.gama\"; the nearest valid"
            + " key is \"algorithm.gamma\"",
        "algorithm: {gamma: 1} | algorithm.gamma: must be above 0 and below 1, not 1.0",
        "algorithm: {alpha: 0} | algorithm.alpha: must be above 0",
        "algorithm: {max_iterations: 0} | algorithm.max_iterations: must be at least 1",
        "algorithm: {design: random} | must be one of sinkhorn_knopp, metropolis, user",
        "algorithm: {design: user} | algorithm.weights: name a file for design: user",
        "algorithm: {record: [0]} | algorithm.record: holds iterations from 1 on",
        "network: {n_sensors: 5} | network.n_anchors: is missing; a network that is generated",
        "network: {n_sensors: 5, n_anchors: 2, communication_range: 1} | network.n_anchors: must"
            + " be at least 3 in 2-D, not 2",
        "network: {dimension: 4} | network.dimension: must be 2 or 3",
        "measurements: {noise_factor: -0.1} | measurements.noise_factor: must be at least 0",
      })
  void whatIsWrongIsNamed(String text, String expected) {
    String message = assertThrows(ConfigException.class, () -> parse(text)).getMessage();

    assertTrue(message.contains(expected), message);
  }

  @ParameterizedTest
  @CsvSource({"20, 8", "30, 6", "1000, 50", "100000, 10000"})
  void examplesAreReady(int sensors, int anchors) {
    Path repository = Path.of(System.getProperty("lockstep.repository"));
    Path file = repository.resolve("examples/localize-" + sensors + ".yaml");
    LocalizationConfig config = ConfigLoader.load(LocalizationConfig.class, file, List.of());
    Network network = NetworkGenerator.generate(config.network(), config.measurements());

    assertEquals(sensors, network.sensors());
    assertEquals(anchors, network.anchors());
  }
}
