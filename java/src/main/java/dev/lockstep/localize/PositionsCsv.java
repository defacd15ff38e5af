package dev.lockstep.localize;

import dev.lockstep.data.csv.CsvRows;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.TransverseMercator;
import dev.lockstep.localize.network.WorldGeodetic;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code positions.csv}: a line for each sensor with its name, coordinates, their standard
 * deviations (empty where the distances do not determine them) and, where the truth is known, the
 * distance to it; of anchors in latitude and longitude, x and y are metres east and north of their
 * mean, and the sensor's own latitude and longitude follow; of anchors in UTM, easting and northing
 * in the first anchor's zone after these. Holds no times, so equal positions give equal bytes.
 */
public final class PositionsCsv {
  private static final String[] AXES = {"x", "y", "z"};

  private PositionsCsv() {}

  public static String write(Localization result) {
    Network network = result.network();
    int d = network.dimension();
    double[] truth = network.truth().orElse(new double[0]);
    StringBuilder text = new StringBuilder("sensor");
    appendAxes(text, ",", d);
    appendAxes(text, ",std_", d);
    text.append(truth.length > 0 ? ",error" : "");
    WorldGeodetic plane = network.tangentPlane().orElse(null);
    String zone = network.utmZone().orElse(null);
    text.append(plane == null ? "" : d == 3 ? ",lat,lon,alt" : ",lat,lon");
    text.append(zone == null ? "" : ",easting,northing,zone").append('\n');
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      text.append(quoted(network.sensorName(sensor)));
      double square = 0;
      for (int axis = 0; axis < d; axis++) {
        int at = sensor * d + axis;
        text.append(',').append(result.positions()[at]);
        square += truth.length == 0 ? 0 : Math.pow(result.positions()[at] - truth[at], 2);
      }
      for (int axis = 0; axis < d; axis++) {
        double variance = result.covariances()[(sensor * d + axis) * d + axis];
        text.append(',').append(Double.isNaN(variance) ? "" : "" + Math.sqrt(variance));
      }
      if (truth.length > 0) {
        text.append(',').append(Math.sqrt(square));
      }
      if (plane != null) {
        int from = sensor * d;
        double[] there = plane.fromPlane(Arrays.copyOfRange(result.positions(), from, from + d));
        appendValues(text, there);
        if (zone != null) {
          appendValues(text, TransverseMercator.fromGeodetic(zone, there[0], there[1]));
          text.append(',').append(zone);
        }
      }
      text.append('\n');
    }
    return text.toString();
  }

  /**
   * Reads positions to start from. Sensors that the file does not have start near those that they
   * measure to; columns after the coordinates are not looked at.
   *
   * @return f64[sensors × dimension]
   * @throws NetworkException naming file and line
   */
  public static double[] read(Path file, Network network) {
    int d = network.dimension();
    Map<String, Integer> numbers = new HashMap<>();
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      numbers.put(network.sensorName(sensor), sensor);
    }
    boolean[] placed = new boolean[network.sensors()];
    double[] positions = new double[network.sensors() * d];
    try (CsvRows rows = CsvRows.open(file)) {
      for (List<String> fields = rows.next(); fields != null; fields = rows.next()) {
        Integer sensor = numbers.get(fields.get(0).strip());
        if (rows.line() == 1 && !fields.get(0).strip().equals("sensor")) {
          throw new NetworkException(file + ":1: positions start with the header sensor,x,y");
        }
        if (rows.line() > 1 && sensor != null) {
          read(fields, positions, sensor * d, d, file + ":" + rows.line());
          placed[sensor] = true;
        }
      }
    } catch (IOException e) {
      throw NetworkException.cannotRead(file, e);
    }
    Succession.guess(network, placed, positions);
    return positions;
  }

  private static void read(List<String> fields, double[] positions, int at, int d, String place) {
    if (fields.size() <= d) {
      throw new NetworkException(place + ": has fewer than " + d + " coordinates");
    }
    for (int axis = 0; axis < d; axis++) {
      String text = fields.get(1 + axis).strip();
      try {
        positions[at + axis] = Double.parseDouble(text);
      } catch (NumberFormatException e) {
        throw new NetworkException(place + ": \"" + text + "\" is no number", e);
      }
      if (!Double.isFinite(positions[at + axis])) {
        throw new NetworkException(place + ": the coordinate " + text + " is not finite");
      }
    }
  }

  private static void appendValues(StringBuilder text, double[] values) {
    for (double value : values) {
      text.append(',').append(value);
    }
  }

  private static void appendAxes(StringBuilder text, String prefix, int d) {
    for (int axis = 0; axis < d; axis++) {
      text.append(prefix).append(AXES[axis]);
    }
  }

  /** As RFC 4180 asks. */
  static String quoted(String name) {
    boolean plain =
        name.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
            && !name.startsWith("#");
    return plain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }
}
