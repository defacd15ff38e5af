package dev.lockstep.localize.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.lockstep.localize.IterationPoint;
import dev.lockstep.localize.Localization;
import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.fit.DeviceOffsets;
import dev.lockstep.localize.fit.GoodnessOfFit;
import dev.lockstep.localize.fit.PartFit;
import dev.lockstep.localize.network.Network;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;

/**
 * {@code result.json}. Sensors are in the order of the network and numbered from 0; where they have
 * names, {@code sensors} lists them. JSON has no NaN: what is not known is null, or left out where
 * the truth is not.
 */
final class ResultJson {
  private final Localization result;
  private final JsonGenerator json;

  private ResultJson(Localization result, JsonGenerator json) {
    this.result = result;
    this.json = json;
  }

  /**
   * The document in UTF-8.
   *
   * @param seconds of each phase
   */
  static byte[] write(Localization result, Map<String, Double> seconds) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      // A line for each key, and for each element of its list: people look into this file.
      json.setPrettyPrinter(new ResultLayout());
      new ResultJson(result, json).write(seconds);
    } catch (IOException e) {
      throw new UncheckedIOException("Memory cannot fail to be written.", e);
    }
    return bytes.toByteArray();
  }

  private void write(Map<String, Double> seconds) throws IOException {
    Network network = result.network();
    json.writeStartObject();
    json.writeFieldName("dimension");
    json.writeNumber(network.dimension());
    json.writeFieldName("n_sensors");
    json.writeNumber(network.sensors());
    json.writeFieldName("n_anchors");
    json.writeNumber(network.anchors());
    number("objective", result.objective());
    number("consensus_residual", result.relaxation().residual());
    json.writeFieldName("iterations");
    json.writeNumber(result.iterations());
    json.writeFieldName("stopped_by");
    json.writeString(result.stop().name().toLowerCase(Locale.ROOT));
    json.writeFieldName("refinement_iterations");
    json.writeNumber(result.refinementIterations());
    number("refinement_cost", result.refinementCost());
    writeCertainty();
    if (network.truth().isPresent()) {
      number("rmse_mps", result.rmseOfSplitting());
      number("rmse", result.rmse());
    }
    writeSeconds(seconds);
    writeTrace();
    json.writeFieldName("tight_sensors");
    json.writeNumber(result.relaxation().tightSensors(network));
    writeAmbiguous();
    if (result.offsets().isPresent()) {
      writeOffsets(result.offsets().get());
    }
    writeSensors();
    json.writeEndObject();
    json.writeRaw("\n");
  }

  private void writeCertainty() throws IOException {
    json.writeFieldName("certainty");
    json.writeString(result.certainty().verdict().name().toLowerCase(Locale.ROOT));
    json.writeFieldName("reasons");
    json.writeStartArray();
    for (String reason : result.certainty().reasons()) {
      json.writeString(reason);
    }
    json.writeEndArray();
    number("chi_square", result.fit().chiSquare());
    json.writeFieldName("degrees_of_freedom");
    json.writeNumber(result.fit().degreesOfFreedom());
    writeParts();
    json.writeFieldName("worst_residuals");
    json.writeStartArray();
    for (GoodnessOfFit.Residual residual : result.fit().worst()) {
      json.writeStartObject();
      json.writeStringField("from", residual.from());
      json.writeStringField("to", residual.to());
      json.writeFieldName("measured");
      value(residual.measured());
      json.writeFieldName("located");
      value(residual.located());
      json.writeFieldName("standardised");
      value(residual.standardised());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void writeParts() throws IOException {
    json.writeFieldName("parts");
    json.writeStartArray();
    for (PartFit part : result.parts()) {
      json.writeStartObject();
      json.writeFieldName("sensors");
      json.writeStartArray();
      for (int sensor : part.sensors()) {
        json.writeNumber(sensor);
      }
      json.writeEndArray();
      json.writeFieldName("chi_square");
      value(part.chiSquare());
      json.writeFieldName("degrees_of_freedom");
      value(part.degreesOfFreedom());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void writeSeconds(Map<String, Double> seconds) throws IOException {
    json.writeFieldName("seconds");
    json.writeStartObject();
    for (Map.Entry<String, Double> phase : seconds.entrySet()) {
      json.writeFieldName(phase.getKey());
      json.writeNumber(Math.round(phase.getValue() * 1e6) / 1e6);
    }
    json.writeEndObject();
  }

  private void writeTrace() throws IOException {
    json.writeFieldName("trace");
    json.writeStartArray();
    for (IterationPoint point : result.trace()) {
      json.writeStartObject();
      json.writeNumberField("iteration", point.iteration());
      json.writeFieldName("mse");
      value(point.mse());
      json.writeFieldName("objective");
      value(point.meanObjective());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void writeAmbiguous() throws IOException {
    Network network = result.network();
    json.writeFieldName("ambiguous");
    json.writeStartArray();
    for (Ambiguity ambiguity : result.ambiguous()) {
      json.writeStartObject();
      json.writeNumberField("sensor", ambiguity.sensor());
      if (network.named()) {
        json.writeStringField("name", network.sensorName(ambiguity.sensor()));
      }
      json.writeFieldName("alternative");
      row(ambiguity.alternative(), 0, network.dimension());
      json.writeFieldName("cost_difference");
      value(ambiguity.costDifference());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void writeOffsets(DeviceOffsets offsets) throws IOException {
    Network network = result.network();
    json.writeFieldName("device_offsets");
    json.writeStartArray();
    for (int device = 0; device < offsets.offsets().length; device++) {
      int anchor = device - network.sensors();
      json.writeStartObject();
      json.writeStringField(
          "device", anchor < 0 ? network.sensorName(device) : network.anchorName(anchor));
      json.writeFieldName("offset");
      value(offsets.offsets()[device]);
      json.writeFieldName("std");
      value(offsets.deviations()[device]);
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void writeSensors() throws IOException {
    Network network = result.network();
    int d = network.dimension();
    if (network.named()) {
      json.writeFieldName("sensors");
      json.writeStartArray();
      for (int sensor = 0; sensor < network.sensors(); sensor++) {
        json.writeString(network.sensorName(sensor));
      }
      json.writeEndArray();
    }
    json.writeFieldName("positions");
    json.writeStartArray();
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      row(result.positions(), sensor * d, d);
    }
    json.writeEndArray();
    json.writeFieldName("covariances");
    json.writeStartArray();
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      writeCovariance(sensor, d);
    }
    json.writeEndArray();
  }

  private void writeCovariance(int sensor, int d) throws IOException {
    if (Double.isNaN(result.standardDeviation(sensor))) {
      json.writeNull();
      return;
    }
    json.writeStartArray();
    for (int axis = 0; axis < d; axis++) {
      row(result.covariances(), (sensor * d + axis) * d, d);
    }
    json.writeEndArray();
  }

  private void row(double[] values, int from, int count) throws IOException {
    json.writeStartArray();
    for (int i = from; i < from + count; i++) {
      value(values[i]);
    }
    json.writeEndArray();
  }

  private void number(String name, double value) throws IOException {
    json.writeFieldName(name);
    value(value);
  }

  private void value(double value) throws IOException {
    if (Double.isFinite(value)) {
      json.writeNumber(value);
    } else {
      json.writeNull();
    }
  }
}
