package dev.lockstep.localize.files;

import static java.util.Objects.requireNonNull;

import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Files of networks, told apart by their names' endings. */
public final class NetworkFile {
  private NetworkFile() {}

  /**
   * Reads a network: JSON ({@link NetworkJson}), or CSV blocks ({@link NetworkCsv}).
   *
   * @param file ends in {@code .json} or {@code .csv}
   * @param anchors CSV blocks to read before a CSV {@code file}
   * @throws NetworkException naming file and line, when the file cannot be read or the network not
   *     be located
   */
  public static Network read(Path file, Optional<Path> anchors) {
    return read(file, anchors, Duplicates.WEIGHTED_MEAN);
  }

  /**
   * Reads a network.
   *
   * @param duplicates what becomes of several distances between the same two stations
   * @throws NetworkException as above
   */
  public static Network read(Path file, Optional<Path> anchors, Duplicates duplicates) {
    requireNonNull(file, "file");
    requireNonNull(anchors, "anchors");
    requireNonNull(duplicates, "duplicates");
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      return NetworkCsv.read(
          anchors.map(first -> List.of(first, file)).orElseGet(() -> List.of(file)), duplicates);
    }
    if (!name.endsWith(".json")) {
      throw new NetworkException(file + ": networks are read from files that end in .json or .csv");
    }
    if (anchors.isPresent()) {
      throw new NetworkException(
          anchors.get() + ": anchors of their own belong to CSV; " + file + " has its anchors");
    }
    return NetworkJson.read(file, duplicates);
  }
}
