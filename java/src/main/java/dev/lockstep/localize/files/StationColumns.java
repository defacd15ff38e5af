package dev.lockstep.localize.files;

import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.TransverseMercator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The header of a block of stations: {@code anchor} or {@code sensor}, then coordinates ({@code
 * x,y}, {@code x,y,z}; {@code easting,northing} with {@code height}; or {@code lat,lon} in degrees
 * with {@code alt} in metres), which sensors may go without. With a column {@code zone} (as 32N)
 * eastings and northings are UTM's and become latitude and longitude; without, they are taken as
 * they are. A column {@code sigma} says how exactly an anchor's coordinates are known; other
 * columns are not looked at.
 */
final class StationColumns {
  private static final List<List<String>> COORDINATES =
      List.of(
          List.of("x", "y", "z"),
          List.of("easting", "northing", "height"),
          List.of("lat", "lon", "alt"),
          List.of("latitude", "longitude", "altitude"));

  private final boolean areAnchors;
  private final boolean areGeodetic;
  private final int[] coordinates;
  private final int sigma;
  private final int zone;

  private StationColumns(
      boolean areAnchors, boolean areGeodetic, int[] coordinates, int sigma, int zone) {
    this.areAnchors = areAnchors;
    this.areGeodetic = areGeodetic;
    this.coordinates = coordinates;
    this.sigma = sigma;
    this.zone = zone;
  }

  /** The header that a row is; null where it is none. */
  static @Nullable StationColumns of(List<String> fields) {
    List<String> header = fields.stream().map(field -> field.toLowerCase(Locale.ROOT)).toList();
    boolean areAnchors = header.get(0).equals("anchor");
    if (!areAnchors && !header.get(0).equals("sensor")) {
      return null;
    }
    for (List<String> axes : COORDINATES) {
      List<Integer> found = new ArrayList<>();
      for (String axis : axes) {
        if (header.contains(axis)) {
          found.add(header.indexOf(axis));
        }
      }
      boolean isComplete = header.contains(axes.get(0)) && header.contains(axes.get(1));
      if (isComplete) {
        int zone = axes.get(0).equals("easting") ? header.indexOf("zone") : -1;
        return new StationColumns(
            areAnchors,
            axes.get(0).startsWith("lat") || zone >= 0,
            found.stream().mapToInt(Integer::intValue).toArray(),
            header.indexOf("sigma"),
            zone);
      }
    }
    boolean isOnlyNames = header.size() == 1 && !areAnchors;
    return isOnlyNames ? new StationColumns(false, false, new int[0], -1, -1) : null;
  }

  boolean areAnchors() {
    return areAnchors;
  }

  /** Whether coordinates are latitude and longitude. */
  boolean areGeodetic() {
    return areGeodetic;
  }

  /** The UTM zone of a row; null where the header has none. */
  @Nullable String zone(List<String> fields) {
    return zone >= 0 && zone < fields.size() ? fields.get(zone).strip() : null;
  }

  int dimension() {
    return coordinates.length;
  }

  /**
   * This, where anchors came before with coordinates of the same kind, or none did.
   *
   * @throws NetworkException where the kind is another
   */
  StationColumns sameKindAs(@Nullable StationColumns before) {
    if (before != null
        && (before.areGeodetic != areGeodetic || before.dimension() != dimension())) {
      throw new NetworkException(
          "the anchors before have other coordinates; give all of them alike");
    }
    return this;
  }

  /**
   * The coordinates of a row; empty where the header has none, or a sensor's row leaves them out.
   */
  double[] position(List<String> fields) {
    boolean hasNone = !areAnchors && fields.size() == 1;
    double[] position = new double[hasNone ? 0 : coordinates.length];
    for (int axis = 0; axis < position.length; axis++) {
      if (coordinates[axis] >= fields.size()) {
        throw new NetworkException(
            String.format(
                Locale.ROOT,
                "%s has %d coordinates, but the header names %d",
                fields.get(0),
                axis,
                position.length));
      }
      position[axis] = RangeColumns.number(fields.get(coordinates[axis]));
    }
    if (position.length > 1 && zone >= 0) {
      if (zone >= fields.size()) {
        throw new NetworkException(fields.get(0) + " has no UTM zone");
      }
      double[] there =
          TransverseMercator.toGeodetic(fields.get(zone).strip(), position[0], position[1]);
      position[0] = there[0];
      position[1] = there[1];
    }
    if (position.length > 1
        && areGeodetic
        && !(Math.abs(position[0]) <= 90 && position[1] >= -180 && position[1] <= 360)) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "%s is at latitude %s and longitude %s; degrees are from -90 to 90 and -180 to 360",
              fields.get(0),
              position[0],
              position[1]));
    }
    return position;
  }

  /** How exactly a row's coordinates are known, or 0. */
  double sigma(List<String> fields) {
    boolean isGiven = sigma >= 0 && sigma < fields.size() && !fields.get(sigma).isEmpty();
    return isGiven ? RangeColumns.number(fields.get(sigma)) : 0;
  }
}
