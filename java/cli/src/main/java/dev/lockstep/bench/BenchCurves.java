package dev.lockstep.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.monitor.CurvePlot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Curves of results files: latency and bandwidth against size, one line for each operation,
 * backend, algorithm-independent form (registered, in place), type and number of ranks.
 */
public final class BenchCurves {
  private record Row(long bytes, double median, double busbw) {}

  private final Map<String, List<Row>> curves = new LinkedHashMap<>();

  private BenchCurves() {}

  /**
   * Reads files in the form of {@link BenchJson}.
   *
   * @throws UncheckedIOException naming a file that cannot be read or is no such file
   */
  public static BenchCurves read(List<Path> files) {
    BenchCurves all = new BenchCurves();
    JsonMapper mapper = new JsonMapper();
    List<JsonNode> results = new ArrayList<>();
    for (Path file : files) {
      try {
        JsonNode array = mapper.readTree(file.toFile());
        if (!array.isArray() || array.isEmpty()) {
          throw new IOException("it holds no results of `lockstep bench --json`");
        }
        array.forEach(results::add);
      } catch (IOException e) {
        throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
      }
    }
    boolean oneOperation = results.stream().map(r -> r.path("operation")).distinct().count() == 1;
    for (JsonNode result : results) {
      all.add(name(result, oneOperation), result);
    }
    return all;
  }

  private void add(String name, JsonNode result) {
    long bytes = result.path("bytes").asLong();
    if (bytes > 0) {
      Row row =
          new Row(
              bytes,
              result.path("microseconds").path("median").asDouble(),
              result.path("busbw").asDouble());
      curves.computeIfAbsent(name, absent -> new ArrayList<>()).add(row);
    }
  }

  private static String name(JsonNode result, boolean oneOperation) {
    StringBuilder name = new StringBuilder();
    if (!oneOperation) {
      name.append(result.path("operation").asText()).append(' ');
    }
    name.append(result.path("backend").asText());
    name.append(result.path("registered").asBoolean() ? ", registered" : "");
    name.append(result.path("in_place").asBoolean() ? ", in place" : "");
    String type = result.path("type").asText();
    name.append(type.equals("f32") ? "" : ", " + type);
    return name.append(" × ").append(result.path("ranks").asInt()).toString();
  }

  /** A PNG with two panels. */
  public byte[] draw() {
    CurvePlot latency = new CurvePlot("Latency", "bytes", "median µs");
    CurvePlot bandwidth = new CurvePlot("Bus bandwidth", "bytes", "GB/s");
    curves.forEach(
        (name, rows) -> {
          double[] bytes = rows.stream().mapToDouble(Row::bytes).toArray();
          latency.add(name, bytes, rows.stream().mapToDouble(Row::median).toArray());
          bandwidth.add(name, bytes, rows.stream().mapToDouble(Row::busbw).toArray());
        });
    return CurvePlot.sideBySide(latency, bandwidth);
  }
}
