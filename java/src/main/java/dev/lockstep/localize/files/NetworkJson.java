package dev.lockstep.localize.files;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.Neighbors;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.NumberedNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Networks as JSON: {@code {"dimension": 2, "anchors": [[x, y], …], "sensors": [[x, y], …],
 * "sensor_edges": [[sensor, sensor, distance], …], "anchor_edges": [[sensor, anchor, distance],
 * …]}}. {@code sensors} is the truth and optional, then {@code n_sensors} may say how many there
 * are; {@code neighbors}, a list of sensors for each sensor, {@code noise} (σ as a fraction), and
 * {@code range} and {@code source}, which are for readers, are optional, too. Numbers count from 0.
 */
final class NetworkJson {
  // Python writes NaN; the message about it should be about the distance.
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private final JsonParser parser;
  private int dimension = 2;
  private int sensors = -1;
  private double noise = Double.NaN;
  private @Nullable JsonRows anchors;
  private @Nullable JsonRows truth;
  private @Nullable JsonRows sensorEdges;
  private @Nullable JsonRows anchorEdges;
  private @Nullable JsonRows neighbors;

  private NetworkJson(JsonParser parser) {
    this.parser = parser;
  }

  /**
   * Reads a file.
   *
   * @throws NetworkException naming the file, and the line and element where there is one
   */
  static Network read(Path file, Duplicates duplicates) {
    try (JsonParser parser = MAPPER.createParser(file.toFile())) {
      NetworkJson reader = new NetworkJson(parser);
      try {
        reader.readObject();
      } catch (NetworkException e) {
        throw e.at("line " + parser.currentLocation().getLineNr());
      }
      return reader.build(duplicates);
    } catch (NetworkException e) {
      throw e.at(file.toString());
    } catch (JsonProcessingException e) {
      throw new NetworkException(
          file + ": line " + e.getLocation().getLineNr() + ": no JSON: " + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw NetworkException.cannotRead(file, e);
    }
  }

  private void readObject() throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new NetworkException("a network is an object, {\"anchors\": …}");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      parser.nextToken();
      readValue(key);
    }
  }

  private void readValue(String key) throws IOException {
    switch (key) {
      case "dimension" -> dimension = (int) number(key);
      case "n_sensors" -> sensors = (int) number(key);
      case "noise" -> noise = number(key);
      case "anchors" -> anchors = JsonRows.read(parser, key);
      case "sensors" -> truth = parser.currentToken() == JsonToken.VALUE_NULL ? null : rows(key);
      case "sensor_edges" -> sensorEdges = rows(key);
      case "anchor_edges" -> anchorEdges = rows(key);
      case "neighbors" ->
          neighbors = parser.currentToken() == JsonToken.VALUE_NULL ? null : rows(key);
      case "source", "range", "n_anchors" -> parser.skipChildren();
      default ->
          throw new NetworkException(
              "unknown key \""
                  + key
                  + "\"; keys are dimension, anchors, sensors, n_sensors, sensor_edges,"
                  + " anchor_edges, neighbors, noise, range and source");
    }
  }

  private JsonRows rows(String key) throws IOException {
    return JsonRows.read(parser, key);
  }

  private double number(String key) throws IOException {
    if (!parser.currentToken().isNumeric()) {
      throw new NetworkException(key + " is a number, not " + parser.getText());
    }
    return parser.getDoubleValue();
  }

  private Network build(Duplicates duplicates) {
    if (dimension != 2 && dimension != 3) {
      throw new NetworkException("dimension is 2 or 3, not " + dimension);
    }
    JsonRows places = required(anchors, "anchors");
    JsonRows between = required(sensorEdges, "sensor_edges");
    JsonRows toAnchors = required(anchorEdges, "anchor_edges");
    int count =
        truth != null ? truth.count() : sensors >= 0 ? sensors : impliedSensors(between, toAnchors);
    if (truth != null && sensors >= 0 && sensors != truth.count()) {
      throw new NetworkException(
          String.format(
              Locale.ROOT, "n_sensors is %d, but there are %d sensors", sensors, truth.count()));
    }
    return new NumberedNetwork(
            dimension,
            places.flat(dimension),
            count,
            truth == null ? null : truth.flat(dimension),
            between.sensorRanges(count, duplicates),
            toAnchors.anchorRanges(count, places.count(), duplicates),
            neighbors == null ? null : neighborsOf(neighbors, count),
            noise)
        .checked();
  }

  /** The greatest number, but not more sensors than the ranges can name. */
  private static int impliedSensors(JsonRows between, JsonRows toAnchors) {
    double greatest = Math.max(between.greatest(0, 1), toAnchors.greatest(0));
    return (int) Math.min(greatest + 1, 2.0 * between.count() + toAnchors.count());
  }

  private static Neighbors neighborsOf(JsonRows rows, int sensors) {
    if (rows.count() != sensors) {
      throw new NetworkException(
          String.format(
              Locale.ROOT, "neighbors has %d lists for %d sensors", rows.count(), sensors));
    }
    List<int[]> lists = new ArrayList<>();
    for (int sensor = 0; sensor < sensors; sensor++) {
      int[] list = new int[rows.width(sensor)];
      for (int i = 0; i < list.length; i++) {
        list[i] = rows.index(sensor, i, sensors, "sensor");
      }
      lists.add(list);
    }
    return Neighbors.of(lists);
  }

  private static JsonRows required(@Nullable JsonRows rows, String key) {
    if (rows == null) {
      throw new NetworkException(key + " is missing");
    }
    return rows;
  }
}
