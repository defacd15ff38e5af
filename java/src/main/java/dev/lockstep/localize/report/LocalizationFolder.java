package dev.lockstep.localize.report;

import dev.lockstep.localize.Localization;
import dev.lockstep.localize.PositionsCsv;
import dev.lockstep.monitor.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The folder of a localisation's results: {@code positions.csv}, {@code result.json}, {@code
 * network.png} and {@code convergence.png}; {@code positions.geojson}, where anchors have latitude
 * and longitude. Each file appears whole or not at all.
 */
public final class LocalizationFolder {
  private final Path folder;

  /** Nothing is created yet. */
  public LocalizationFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Creates the folder where it is not there, so that a wrong path is known before the work.
   *
   * @throws UncheckedIOException naming the path when it cannot be
   */
  public void create() {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(
          folder + " cannot be created: " + e.getMessage() + "; name another folder", e);
    }
  }

  /**
   * Writes all files, replacing those of an earlier result. On one rank only.
   *
   * @param readSeconds how long reading or generating the network took
   * @throws dev.lockstep.monitor.RunFolderException when a file cannot be written
   */
  public void write(Localization result, double readSeconds) {
    long start = System.nanoTime();
    AtomicFile.replace(folder.resolve("positions.csv"), PositionsCsv.write(result));
    result
        .network()
        .tangentPlane()
        .ifPresent(
            plane ->
                AtomicFile.replace(
                    folder.resolve("positions.geojson"), GeoJson.write(result, plane)));
    AtomicFile.replace(folder.resolve("network.png"), NetworkPicture.draw(result));
    AtomicFile.replace(folder.resolve("convergence.png"), ConvergencePlot.draw(result));
    Map<String, Double> seconds = new LinkedHashMap<>();
    seconds.put("network", readSeconds);
    seconds.putAll(result.seconds());
    seconds.put("output", (System.nanoTime() - start) / 1e9);
    seconds.put("total", seconds.values().stream().mapToDouble(Double::doubleValue).sum());
    AtomicFile.replace(folder.resolve("result.json"), ResultJson.write(result, seconds));
  }
}
