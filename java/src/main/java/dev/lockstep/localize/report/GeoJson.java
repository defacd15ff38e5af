package dev.lockstep.localize.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.lockstep.localize.Localization;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.WorldGeodetic;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;

/**
 * {@code positions.geojson} for maps (RFC 7946): a point for each anchor and sensor, longitude
 * before latitude, with its name, kind and, of sensors, standard deviation in metres.
 */
final class GeoJson {
  private GeoJson() {}

  /** The document in UTF-8. */
  static byte[] write(Localization result, WorldGeodetic plane) {
    Network network = result.network();
    int d = network.dimension();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.setPrettyPrinter(new ResultLayout());
      json.writeStartObject();
      json.writeStringField("type", "FeatureCollection");
      json.writeFieldName("features");
      json.writeStartArray();
      double[] anchors = network.anchorPositions();
      for (int anchor = 0; anchor < network.anchors(); anchor++) {
        point(json, network.anchorName(anchor), "anchor", plane, anchors, anchor, d, Double.NaN);
      }
      for (int sensor = 0; sensor < network.sensors(); sensor++) {
        String name = network.sensorName(sensor);
        double deviation = result.standardDeviation(sensor);
        point(json, name, "sensor", plane, result.positions(), sensor, d, deviation);
      }
      json.writeEndArray();
      json.writeEndObject();
      json.writeRaw("\n");
    } catch (IOException e) {
      throw new UncheckedIOException("Memory cannot fail to be written.", e);
    }
    return bytes.toByteArray();
  }

  private static void point(
      JsonGenerator json,
      String name,
      String kind,
      WorldGeodetic plane,
      double[] positions,
      int row,
      int d,
      double deviation)
      throws IOException {
    double[] there = plane.fromPlane(Arrays.copyOfRange(positions, row * d, row * d + d));
    json.writeStartObject();
    json.writeStringField("type", "Feature");
    json.writeObjectFieldStart("geometry");
    json.writeStringField("type", "Point");
    json.writeFieldName("coordinates");
    json.writeStartArray();
    json.writeNumber(there[1]);
    json.writeNumber(there[0]);
    if (d == 3) {
      json.writeNumber(there[2]);
    }
    json.writeEndArray();
    json.writeEndObject();
    json.writeObjectFieldStart("properties");
    json.writeStringField("name", name);
    json.writeStringField("kind", kind);
    if (Double.isFinite(deviation)) {
      json.writeNumberField("std", deviation);
    }
    json.writeEndObject();
    json.writeEndObject();
  }
}
