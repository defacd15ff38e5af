package dev.lockstep.localize;

import dev.lockstep.localize.files.NetworkFile;
import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.fit.Certainty;
import dev.lockstep.localize.fit.GoodnessOfFit;
import dev.lockstep.localize.network.MeasurementsConfig;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkConfig;
import dev.lockstep.localize.network.NetworkGenerator;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Networks and results to test with. */
public final class Networks {
  private static final Path RESOURCES =
      Path.of(
          System.getProperty("lockstep.repository"),
          "java/localize/src/test/resources/dev/lockstep/localize");

  private Networks() {}

  /** A file of the test resources, in the sources: other modules have this class from a jar. */
  public static Path file(String name) {
    return RESOURCES.resolve(name);
  }

  public static Network read(String name) {
    return NetworkFile.read(file(name), Optional.empty());
  }

  public static Network generated(
      int sensors, int anchors, double range, int dimension, double noise) {
    return NetworkGenerator.generate(
        NetworkConfig.of(sensors, anchors, range, dimension, 7L),
        MeasurementsConfig.of(noise, null, null, null, 11L));
  }

  /** As if the network had been located, with errors of about {@code deviation} an axis. */
  public static Localization located(Network network, double deviation) {
    Random random = new Random(3);
    double[] positions = network.truth().orElseThrow();
    double[] split = positions.clone();
    int d = network.dimension();
    double[] covariances = new double[positions.length * d];
    for (int i = 0; i < positions.length; i++) {
      positions[i] += deviation * random.nextGaussian();
      split[i] += 5 * deviation * random.nextGaussian();
      covariances[i * d + i % d] = deviation * deviation;
    }
    for (int sensor = 0; d == 2 && sensor < network.sensors(); sensor++) {
      covariances[4 * sensor + 1] = 0.6 * deviation * deviation;
      covariances[4 * sensor + 2] = 0.6 * deviation * deviation;
    }
    double[] mirrored = new double[d];
    mirrored[0] = positions[0] + 0.1;
    mirrored[1] = positions[1] - 0.1;
    List<IterationPoint> history =
        List.of(
            new IterationPoint(1, 130, 137, 0.9, 0.6),
            new IterationPoint(10, 60, Double.NaN, 0.1, 0.16),
            new IterationPoint(100, 6.6, 6.7, 0.01, 0.004));
    return new Localization(
        network,
        positions,
        new Relaxation(split, new double[network.sensors()], 0.01),
        covariances,
        List.of(new Ambiguity(0, mirrored, -0.5)),
        Optional.empty(),
        100,
        Localization.Stop.ITERATIONS,
        6.7,
        4,
        35.8,
        new GoodnessOfFit(
            71.6, 60, 0.6, List.of(new GoodnessOfFit.Residual("0", "3", 0.4, 0.3, 6.7))),
        List.of(),
        new Certainty(Certainty.Verdict.AMBIGUOUS, List.of("sensor 0 could as well be elsewhere")),
        history,
        List.of(history.get(0), history.get(2)),
        new LinkedHashMap<>(Map.of("splitting", 1.5)));
  }
}
