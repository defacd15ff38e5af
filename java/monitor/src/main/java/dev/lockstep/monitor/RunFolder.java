package dev.lockstep.monitor;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The folder of one run, {@code <output folder>/<name>/}, and where things lie in it. The record is
 * a name only; {@link Recording#open} makes the folder.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
  public RunFolder {
    requireNonNull(path, "path");
  }

  /**
   * Names a run's folder.
   *
   * @param output the folder of all runs
   * @param name the run's name: one path element that does not begin with a dot
   * @return the run's folder, which need not exist
   * @throws IllegalArgumentException if the name is no such element
   */
  public static RunFolder of(Path output, String name) {
    requireNonNull(output, "output");
    requireNonNull(name, "name");
    if (name.isBlank() || name.startsWith(".") || name.contains("/") || name.contains("\\")) {
      throw new ConfigKeyException(
          "name",
          "must be a plain folder name that does not begin with a dot, not '" + name + "'.");
    }
    return new RunFolder(output.resolve(name));
  }

  /**
   * Returns where the configuration goes, as it was resolved.
   *
   * @return {@code config.yaml}
   */
  public Path config() {
    return path.resolve("config.yaml");
  }

  /**
   * Returns where each epoch's results go, a JSON object a line.
   *
   * @return {@code metrics.jsonl}
   */
  public Path metrics() {
    return path.resolve("metrics.jsonl");
  }

  /**
   * Returns where rank 0's communication counters go, in Prometheus's text format.
   *
   * @return {@code metrics.prom}
   */
  public Path prometheus() {
    return path.resolve("metrics.prom");
  }

  /**
   * Returns where the run's results go.
   *
   * @return {@code summary.json}
   */
  public Path summary() {
    return path.resolve("summary.json");
  }

  /**
   * Returns where the plot of the loss goes.
   *
   * @return {@code loss.png}
   */
  public Path lossPlot() {
    return path.resolve("loss.png");
  }

  /**
   * Returns where the plot of predictions against the truth goes.
   *
   * @return {@code prediction.png}
   */
  public Path predictionPlot() {
    return path.resolve("prediction.png");
  }

  /**
   * Returns where the maps of the test samples go.
   *
   * @return {@code maps.png}
   */
  public Path maps() {
    return path.resolve("maps.png");
  }

  /**
   * Returns where the trained model goes.
   *
   * @return {@code model.pt}
   */
  public Path model() {
    return path.resolve("model.pt");
  }

  /**
   * Returns where checkpoints go.
   *
   * @return {@code checkpoints}
   */
  public Path checkpoints() {
    return path.resolve("checkpoints");
  }

  /** Whether there is something that a run left: epochs, or a model. */
  public boolean hasResults() {
    try {
      return Files.exists(model()) || (Files.exists(metrics()) && Files.size(metrics()) > 0);
    } catch (IOException e) {
      throw new RunFolderException(
          "The file %s cannot be looked at: %s. Check its permissions."
              .formatted(metrics(), e.getMessage()),
          e);
    }
  }

  /** The names in the folder, sorted, folders with a slash, hidden ones left out. */
  List<String> contents() {
    try (Stream<Path> children = Files.list(path)) {
      return children
          .filter(child -> !child.getFileName().toString().startsWith("."))
          .map(child -> child.getFileName() + (Files.isDirectory(child) ? "/" : ""))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new RunFolderException(
          String.format(
              Locale.ROOT,
              "The run folder %s cannot be listed: %s. Check its permissions.",
              path,
              e.getMessage()),
          e);
    }
  }
}
