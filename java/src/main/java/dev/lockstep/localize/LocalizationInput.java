package dev.lockstep.localize;

import dev.lockstep.localize.files.NetworkFile;
import dev.lockstep.localize.files.WeightsFile;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.NetworkGenerator;
import dev.lockstep.localize.network.Noise;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a configuration and its files come to. Arrays are not to be changed.
 *
 * @param network what is to be located
 * @param noise how far off distances are
 * @param weights of {@link SplittingConfig.Design#USER}, f64[sensors × sensors], otherwise empty
 * @param start f64[sensors × dimension], where the iteration starts warm
 */
@SuppressWarnings("ArrayRecordComponent") // Read once, never compared.
public record LocalizationInput(
    Network network, Noise noise, double[] weights, Optional<double[]> start) {

  /**
   * Reads or generates the network, and reads what {@code algorithm} names.
   *
   * @param file of the network; without, it is generated
   * @param anchors of a network in CSV, where it has none
   * @throws NetworkException naming file and line of what cannot be read, or cannot be located
   */
  public static LocalizationInput read(
      LocalizationConfig config, Optional<Path> file, Optional<Path> anchors) {
    Network network =
        file.map(path -> NetworkFile.read(path, anchors, config.measurements().duplicates()))
            .orElseGet(() -> NetworkGenerator.generate(config.network(), config.measurements()));
    String weights = config.algorithm().weights();
    String start = config.algorithm().start();
    return new LocalizationInput(
        network,
        config.measurements().noiseOf(network),
        weights == null ? new double[0] : WeightsFile.read(Path.of(weights), network.sensors()),
        start == null ? Optional.empty() : Optional.of(PositionsCsv.read(Path.of(start), network)));
  }
}
