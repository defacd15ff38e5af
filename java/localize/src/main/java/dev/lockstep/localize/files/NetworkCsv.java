package dev.lockstep.localize.files;

import static java.util.Objects.requireNonNull;

import dev.lockstep.data.csv.CsvRows;
import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.WorldGeodetic;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Networks as CSV. A file is one or more blocks in any order, each under its own header line
 * ({@link StationColumns} and {@link RangeColumns} say which there are); stations have any names;
 * empty lines and lines that start with {@code #} are skipped, so that a name that begins with it
 * is quoted:
 *
 * <pre>
 * # Where the anchors are; or anchor,x,y,z
 * anchor,x,y
 * tower,0.10,0.10
 * # Optional: the sensors that exist; or sensor,x,y where the truth is known
 * sensor
 * R1
 * # Measured distances, between sensors and to anchors, in any order
 * from,to,range
 * R1,tower,0.412
 * "#7",tower,0.398
 * </pre>
 */
final class NetworkCsv {
  /** A row of a block, kept until all anchors and sensors are known. */
  private record Range(
      String time, String from, String to, double distance, double sigma, String place) {}

  private record Station(
      String name, double[] position, double sigma, @Nullable String zone, String place) {}

  private final Map<String, String> names = new HashMap<>();
  private final List<Station> anchors = new ArrayList<>();
  private final List<Station> sensors = new ArrayList<>();
  private final List<Range> ranges = new ArrayList<>();
  private @Nullable StationColumns anchorColumns;
  private @Nullable StationColumns sensorColumns;
  private @Nullable StationColumns stationColumns;
  private @Nullable RangeColumns rangeColumns;
  private boolean hasRanges;

  private NetworkCsv() {}

  /**
   * Reads files one after the other into one network.
   *
   * @throws NetworkException naming file and line
   */
  static Network read(List<Path> files, Duplicates duplicates) {
    NetworkCsv reader = readAll(files);
    Path last = files.get(files.size() - 1);
    return reader.build(reader.ranges, duplicates, last);
  }

  /**
   * Reads files one after the other into networks with the same anchors, one for each time stamp of
   * the ranges, in the order in which they first appear.
   *
   * @throws NetworkException naming file and line
   */
  static List<TrackedNetwork> readTrack(List<Path> files, Duplicates duplicates) {
    NetworkCsv reader = readAll(files);
    Path last = files.get(files.size() - 1);
    Map<String, List<Range>> byTime = new LinkedHashMap<>();
    for (Range range : reader.ranges) {
      if (range.time().isEmpty()) {
        throw new NetworkException(
            range.place() + ": has no time; the header of a track is time,from,to,range");
      }
      byTime.computeIfAbsent(range.time(), time -> new ArrayList<>()).add(range);
    }
    List<TrackedNetwork> fixes = new ArrayList<>();
    byTime.forEach(
        (time, ranges) ->
            fixes.add(new TrackedNetwork(time, () -> reader.build(ranges, duplicates, last))));
    return fixes;
  }

  private static NetworkCsv readAll(List<Path> files) {
    NetworkCsv reader = new NetworkCsv();
    files.forEach(reader::readFile);
    Path last = files.get(files.size() - 1);
    if (reader.anchorColumns == null) {
      throw noBlock(last, "anchors (anchor,x,y)");
    }
    return reader;
  }

  private static NetworkException noBlock(Path file, String what) {
    return new NetworkException(
        file + ": there is no block of " + what + "; each block starts with its header line");
  }

  private void readFile(Path file) {
    stationColumns = null;
    rangeColumns = null;
    try (CsvRows rows = CsvRows.openWithComments(file)) {
      for (List<String> row = rows.next(); row != null; row = rows.next()) {
        String place = file + ":" + rows.line();
        List<String> fields = row.stream().map(String::strip).toList();
        if (rows.isComment()) {
          checkComment(fields.get(0), place);
        } else if (!fields.stream().allMatch(String::isEmpty)) {
          readLine(fields, place);
        }
      }
    } catch (IOException e) {
      throw NetworkException.cannotRead(file, e);
    }
  }

  /** A range of a station whose name begins with # must not vanish as a comment. */
  private void checkComment(String text, String place) {
    String[] fields = text.split(",", -1);
    if (rangeColumns != null && fields.length >= 3 && isNumber(fields[2].strip())) {
      throw new NetworkException(
          place
              + ": lines that start with # are comments, but this one looks like a range; put a name"
              + " that begins with # in quotes, as in \"#"
              + fields[0].strip()
              + "\"");
    }
  }

  private void readLine(List<String> fields, String place) {
    try {
      if (!startsBlock(fields)) {
        readRow(fields, place);
      }
    } catch (NetworkException e) {
      throw e.at(place);
    }
  }

  private boolean startsBlock(List<String> fields) {
    StationColumns stations = StationColumns.of(fields);
    RangeColumns header = stations == null ? RangeColumns.of(fields) : null;
    if (stations == null && header == null) {
      return false;
    }
    if (stations != null && stations.areAnchors()) {
      anchorColumns = stations.sameKindAs(anchorColumns);
    } else if (stations != null && stations.dimension() > 0) {
      sensorColumns = stations;
    }
    stationColumns = stations;
    rangeColumns = header;
    hasRanges |= header != null;
    return true;
  }

  private void readRow(List<String> fields, String place) {
    if (stationColumns != null) {
      List<Station> list = stationColumns.areAnchors() ? anchors : sensors;
      list.add(
          new Station(
              fields.get(0),
              stationColumns.position(fields),
              stationColumns.sigma(fields),
              stationColumns.zone(fields),
              place));
    } else if (rangeColumns != null) {
      ranges.add(
          new Range(
              names.computeIfAbsent(rangeColumns.time(fields), time -> time),
              names.computeIfAbsent(rangeColumns.from(fields), name -> name),
              names.computeIfAbsent(rangeColumns.to(fields), name -> name),
              rangeColumns.distance(fields),
              rangeColumns.sigma(fields),
              place));
    } else {
      throw new NetworkException(RangeColumns.explainNoHeader(fields));
    }
  }

  private Network build(List<Range> measured, Duplicates duplicates, Path last) {
    StationColumns columns = requireNonNull(anchorColumns, "read by readAll()");
    if (sensorColumns != null && sensorColumns.areGeodetic() != columns.areGeodetic()) {
      throw new NetworkException(
              "sensors have other coordinates than the anchors; give both as x,y, as lat,lon or as"
                  + " easting,northing,zone")
          .at(last.toString());
    }
    NetworkBuilder network = Network.builder(columns.dimension()).duplicates(duplicates);
    if (columns.areGeodetic() && !anchors.isEmpty()) {
      network.tangentPlane(planeOf(anchors));
      String zone = anchors.get(0).zone();
      if (zone != null) {
        network.utmZone(zone);
      }
    }
    for (Station anchor : anchors) {
      at(
          anchor.place(),
          () -> {
            network.anchor(anchor.name(), anchor.position());
            network.anchorSigma(anchor.name(), anchor.sigma());
          });
    }
    for (Station sensor : sensors) {
      at(sensor.place(), () -> network.sensor(sensor.name(), sensor.position()));
    }
    if (!hasRanges) {
      throw noBlock(last, "ranges (from,to,range)");
    }
    for (Range range : measured) {
      at(
          range.place(),
          () -> network.range(range.from(), range.to(), range.distance(), range.sigma()));
    }
    SuspectRanges.check(
        measured.stream().mapToDouble(Range::distance).toArray(), row -> measured.get(row).place());
    try {
      return network.build();
    } catch (NetworkException e) {
      throw e.at(last.toString());
    }
  }

  private static WorldGeodetic planeOf(List<Station> anchors) {
    double latitude = 0;
    double east = 0;
    double north = 0;
    for (Station anchor : anchors) {
      latitude += anchor.position()[0] / anchors.size();
      // As directions: longitudes on both sides of 180° have no mean.
      east += Math.cos(Math.toRadians(anchor.position()[1]));
      north += Math.sin(Math.toRadians(anchor.position()[1]));
    }
    return new WorldGeodetic(latitude, Math.toDegrees(Math.atan2(north, east)));
  }

  private static void at(String place, Runnable step) {
    try {
      step.run();
    } catch (NetworkException e) {
      throw e.at(place);
    }
  }

  private static boolean isNumber(String text) {
    try {
      Double.parseDouble(text);
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
