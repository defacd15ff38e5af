package dev.lockstep.train.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicatorConfig.Choice;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The equality ladder and what else {@code lockstep verify strategy} asks, with few seeds. */
@Tag("same-on-every-jdk")
@Timeout(300)
class StrategyVerificationTest {
  private static final VerificationPlan FEW =
      new VerificationPlan(Choice.AUTO, 3, 3, 1, 1, Duration.ofSeconds(60));

  @TempDir Path folder;

  static Set<String> types() {
    return Set.copyOf(StrategyVerification.types());
  }

  @ParameterizedTest
  @MethodSource("types")
  void everyStrategyKeepsItsPromises(String type) {
    List<Finding> findings = new StrategyVerification(FEW).run(type, finding -> {});
    List<Finding> failed = findings.stream().filter(finding -> !finding.passed()).toList();
    assertTrue(failed.isEmpty(), failed.toString());
    assertTrue(
        findings.stream().anyMatch(finding -> finding.check().equals("equals data_parallel")),
        type + " names no setting that is data-parallel training");
  }

  /** What the checks see when a strategy is wrong in a way that they are there for. */
  @Test
  void brokenStrategiesAreFound() throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve("dev.lockstep.train.strategy.StrategyProvider"),
        BrokenStrategy.class.getName());
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, before)) {
      thread.setContextClassLoader(loader);
      List<Finding> findings = new StrategyVerification(FEW).run("broken", finding -> {});
      assertEquals(Set.of("equals data_parallel"), failed(findings, "half_gradient"));
      assertTrue(failed(findings, "no_exchange").contains("ranks agree"), findings.toString());
      assertTrue(
          failed(findings, "arrival_order").contains("same bits in any order"),
          findings.toString());
      assertTrue(
          failed(findings, "forgets_state").contains("stop and resume"), findings.toString());
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private static Set<String> failed(List<Finding> findings, String setting) {
    return findings.stream()
        .filter(finding -> finding.setting().equals(setting) && !finding.passed())
        .map(Finding::check)
        .collect(Collectors.toSet());
  }
}
