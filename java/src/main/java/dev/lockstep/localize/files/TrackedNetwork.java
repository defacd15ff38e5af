package dev.lockstep.localize.files;

import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What was measured at one time stamp of a track.
 *
 * @param time as it is written
 * @param network built when it is asked for; refuses one that cannot be located
 */
public record TrackedNetwork(String time, Supplier<Network> network) {
  /**
   * Reads a track: CSV with blocks as of a network, the ranges under {@code time,from,to,range}.
   *
   * @param anchors CSV blocks to read before
   * @return the networks of the time stamps, in the order in which they appear
   * @throws NetworkException naming file and line of what cannot be read
   */
  public static List<TrackedNetwork> read(
      Path file, Optional<Path> anchors, Duplicates duplicates) {
    return NetworkCsv.readTrack(
        anchors.map(first -> List.of(first, file)).orElseGet(() -> List.of(file)), duplicates);
  }
}
