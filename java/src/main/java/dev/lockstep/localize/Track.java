package dev.lockstep.localize;

import dev.lockstep.comm.Communicator;
import dev.lockstep.localize.files.TrackedNetwork;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Locates what a log measured, time stamp after time stamp: the first from a cold start, the others
 * by {@link Localizer#update}. The same on any number of ranks.
 */
public final class Track {
  private static final String[] AXES = {"x", "y", "z"};

  private final StringBuilder text = new StringBuilder();
  private int located;
  private int skipped;
  private @Nullable String reason;

  /** Nothing is located yet. */
  public Track() {}

  /**
   * Locates all. Collective. Time stamps that cannot be located are left out and counted.
   *
   * @param networks of one dimension
   * @throws NetworkException when none can be located, saying why the first was not
   */
  public void run(Communicator group, LocalizationConfig config, List<TrackedNetwork> networks) {
    Localizer localizer = null;
    try {
      for (TrackedNetwork fix : networks) {
        Network network = networkOf(fix);
        if (network == null) {
          continue;
        }
        boolean isFirst = localizer == null;
        if (localizer == null) {
          localizer =
              Localizer.builder(group)
                  .settings(config.algorithm())
                  .noise(config.measurements().noiseOf(network))
                  .build();
        }
        append(fix.time(), isFirst ? localizer.locate(network) : localizer.update(network));
      }
    } finally {
      if (localizer != null) {
        localizer.close();
      }
    }
    if (located == 0) {
      throw new NetworkException("no time stamp can be located; the first: " + reason);
    }
  }

  private @Nullable Network networkOf(TrackedNetwork fix) {
    try {
      return fix.network().get();
    } catch (NetworkException e) {
      if (skipped++ == 0) {
        reason = fix.time() + ": " + e.getMessage();
      }
      return null;
    }
  }

  private void append(String time, Localization fix) {
    Network network = fix.network();
    int d = network.dimension();
    if (located++ == 0) {
      text.append("time,sensor");
      for (String prefix : List.of(",", ",std_")) {
        for (int axis = 0; axis < d; axis++) {
          text.append(prefix).append(AXES[axis]);
        }
      }
      text.append(",certainty\n");
    }
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      text.append(PositionsCsv.quoted(time)).append(',');
      text.append(PositionsCsv.quoted(network.sensorName(sensor)));
      for (int axis = 0; axis < d; axis++) {
        text.append(',').append(fix.positions()[sensor * d + axis]);
      }
      for (int axis = 0; axis < d; axis++) {
        double variance = fix.covariances()[(sensor * d + axis) * d + axis];
        text.append(',').append(Double.isNaN(variance) ? "" : "" + Math.sqrt(variance));
      }
      text.append(',').append(fix.certainty().verdict().toString()).append('\n');
    }
  }

  /**
   * {@code track.csv}: a line for each sensor of each fix with time, name, coordinates, their
   * standard deviations and the fix's certainty.
   */
  public String csv() {
    return text.toString();
  }

  /** How many time stamps were located. */
  public int located() {
    return located;
  }

  /** How many could not be. */
  public int skipped() {
    return skipped;
  }

  /** Why the first of these could not; null where all could. */
  public @Nullable String reason() {
    return reason;
  }
}
