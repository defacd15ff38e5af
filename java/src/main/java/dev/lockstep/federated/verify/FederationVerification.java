package dev.lockstep.federated.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.train.verify.Finding;
import dev.lockstep.train.verify.VerificationPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Tries small federations out, on ranks that are threads of this process and over loopback.
 *
 * <p>What it asks of each algorithm: the model has the same bytes on any number of ranks; delays of
 * messages change no bit; a run that is stopped goes on to the same bytes, also on other numbers of
 * ranks; when a rank ends or falls silent, all others are told of it, and the run can be resumed; a
 * server and clients that connect to it give the bytes of the simulation.
 */
public final class FederationVerification {
  /** As what it is verified, beside the strategies. */
  public static final String TYPE = "federated";

  private static final JsonMapper JSON = new JsonMapper();

  private final VerificationPlan plan;

  public FederationVerification(VerificationPlan plan) {
    this.plan = plan;
  }

  /**
   * Runs all checks.
   *
   * @param progress hears of each finding as it is made
   * @return all findings
   */
  public List<Finding> run(Consumer<Finding> progress) {
    List<Finding> findings = new ArrayList<>();
    Path scratch = createScratch();
    try {
      for (FederationTrial trial : trials()) {
        Path folder = Files.createDirectories(scratch.resolve(trial.name()));
        for (Supplier<Finding> check : new FederationChecks(plan, trial, folder).all()) {
          Finding finding = check.get();
          findings.add(finding);
          progress.accept(finding);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no folder for a trial's checkpoints", e);
    } finally {
      delete(scratch);
    }
    return findings;
  }

  private static List<FederationTrial> trials() {
    Map<String, String> keys = new LinkedHashMap<>();
    keys.put("fedavg", "\"server_optimizer\": {\"type\": \"momentum\"}, \"per_round\": 3");
    keys.put("fedprox", "\"algorithm\": \"fedprox\", \"mu\": 0.1");
    keys.put("scaffold", "\"algorithm\": \"scaffold\", \"local_epochs\": 2");
    keys.put("fednova", "\"algorithm\": \"fednova\"");
    keys.put(
        "fedbuff",
        "\"algorithm\": \"fedbuff\", \"asynchronous\": {\"buffer\": 3, \"concurrency\": 6}");
    keys.put("median", "\"aggregation\": {\"rule\": \"median\"}");
    keys.put("personal", "\"personal\": [\"layer1\"]");
    keys.put(
        "secure",
        "\"privacy\": {\"noise_multiplier\": 0, \"secure_aggregation\": {\"minimum\": 3}}");
    return keys.entrySet().stream()
        .map(entry -> new FederationTrial(entry.getKey(), config(entry.getValue())))
        .toList();
  }

  private static FederationConfig config(String keys) {
    String all =
        String.format(
            Locale.ROOT,
            "{\"rounds\": %d, \"clients\": %d, \"batch_size\": 8, \"checkpoint_every\": 1, %s}",
            FederationTrial.ROUNDS,
            FederationTrial.CLIENTS,
            keys);
    try {
      return JSON.readValue(all, FederationConfig.class);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A trial's configuration is wrong.", e);
    }
  }

  private static Path createScratch() {
    try {
      return Files.createTempDirectory("lockstep-verify");
    } catch (IOException e) {
      throw new UncheckedIOException("no folder for checkpoints", e);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      // What is left lies in the folder for temporary files.
    }
  }
}
