package dev.lockstep.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.monitor.RunFolderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code lockstep summary}: what a finished run came to. */
@Command(
    name = "summary",
    description = "Show the results of a finished run and the files it wrote.")
final class SummaryCommand implements Callable<Integer> {
  /** At most this many epochs are shown, evenly spaced. */
  private static final int SHOWN_EPOCHS = 10;

  @Parameters(paramLabel = "RUN", description = "The run's folder, such as runs/heat-flux.")
  private Path folder;

  @Override
  public Integer call() {
    ObjectMapper json = new ObjectMapper();
    try {
      JsonNode summary = json.readTree(folder.resolve("summary.json").toFile());
      if (!summary.isObject()) {
        throw new IOException("summary.json holds no JSON object");
      }
      List<JsonNode> epochs = new ArrayList<>();
      for (String line : Files.readAllLines(folder.resolve("metrics.jsonl"))) {
        epochs.add(json.readTree(line));
      }
      print(summary, epochs);
      printFiles();
    } catch (IOException e) {
      throw RunFolderException.unfinished(folder, e);
    }
    return ExitCode.OK;
  }

  private static void print(JsonNode summary, List<JsonNode> epochs) {
    System.out.printf(
        Locale.ROOT,
        "%d ranks over %s: %d epochs of %,d samples in %.1f s, %,.0f samples/s, %.0f %% of it"
            + " communicating%n",
        summary.path("world_size").asInt(),
        summary.path("backend").asText(),
        summary.path("epochs").asInt(),
        summary.path("samples").asLong(),
        summary.path("seconds").asDouble(),
        summary.path("samples_per_second").asDouble(),
        100 * summary.path("communication_share").asDouble());
    System.out.printf(Locale.ROOT, "%n%8s %14s %16s%n", "epoch", "train loss", "validation loss");
    int last = epochs.size() - 1;
    int rows = Math.min(SHOWN_EPOCHS, epochs.size());
    for (int row = 0; row < rows; row++) {
      JsonNode epoch = epochs.get(rows == 1 ? last : row * last / (rows - 1));
      System.out.printf(
          Locale.ROOT,
          "%8d %14.6f %16.6f%n",
          epoch.path("epoch").asInt(),
          epoch.path("train_loss").asDouble(),
          epoch.path("validation_loss").asDouble(Double.NaN));
    }
    System.out.printf(Locale.ROOT, "%n%-20s %10s%n", "held-out target", "R²");
    summary
        .path("r2")
        .properties()
        .forEach(
            r2 ->
                System.out.printf(
                    Locale.ROOT, "%-20s %10.4f%n", r2.getKey(), r2.getValue().asDouble()));
    summary.path("test").path("targets").properties().forEach(SummaryCommand::printTest);
  }

  private static void printTest(Map.Entry<String, JsonNode> target) {
    System.out.printf(
        Locale.ROOT,
        "%ntest %s: weighted RMSE %.4g%n",
        target.getKey(),
        target.getValue().path("rmse_weighted").asDouble(Double.NaN));
    JsonNode skill = target.getValue().path("skill");
    target
        .getValue()
        .path("baselines")
        .properties()
        .forEach(
            baseline ->
                System.out.printf(
                    Locale.ROOT,
                    "  %-18s %10.4g, skill %.3f%n",
                    baseline.getKey(),
                    baseline.getValue().asDouble(Double.NaN),
                    skill.path(baseline.getKey()).asDouble(Double.NaN)));
  }

  private void printFiles() throws IOException {
    System.out.printf(Locale.ROOT, "%nfiles in %s:%n", folder);
    try (Stream<Path> files = Files.list(folder)) {
      files
          .filter(file -> !file.getFileName().toString().startsWith("."))
          .sorted()
          .forEach(file -> System.out.println("  " + file + (Files.isDirectory(file) ? "/" : "")));
    }
  }
}
