package dev.lockstep.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/**
 * Results as a JSON array of {@code {operation, algorithm, backend, ranks, bytes, type, registered,
 * in_place, microseconds: {min, median, max}, algbw, busbw, errors}}.
 */
public final class BenchJson {
  private static final JsonMapper MAPPER = new JsonMapper();

  private BenchJson() {}

  /** The document, ending in a line feed. */
  public static String write(List<BenchResult> results) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (BenchResult result : results) {
      array.add(object(result));
    }
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(array) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of plain values could not be written as JSON.", e);
    }
  }

  private static ObjectNode object(BenchResult result) {
    BenchCase parameters = result.parameters();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("operation", parameters.operation().text());
    json.put("algorithm", result.algorithm());
    json.put("backend", result.backend());
    json.put("ranks", result.ranks());
    json.put("bytes", result.bytes());
    json.put("type", parameters.type().name().toLowerCase(Locale.ROOT));
    json.put("registered", parameters.registered());
    json.put("in_place", parameters.inPlace());
    json.putObject("microseconds")
        .put("min", rounded(result.min()))
        .put("median", rounded(result.median()))
        .put("max", rounded(result.max()));
    json.put("algbw", result.algbw());
    json.put("busbw", result.busbw());
    json.put("errors", result.errors());
    return json;
  }

  /** To nanoseconds: the clock has no more. */
  private static double rounded(double microseconds) {
    return Math.round(microseconds * 1e3) / 1e3;
  }
}
