package dev.lockstep.localize.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;

/** A line for each key, and for each element of a list that is a key's value. One use each. */
final class ResultLayout extends MinimalPrettyPrinter {
  private static final long serialVersionUID = 1;

  /** Of the key's values; what lies deeper shares its line. */
  private static final int LINES = 2;

  private int depth;

  @Override
  public void writeStartObject(JsonGenerator json) throws IOException {
    super.writeStartObject(json);
    depth++;
  }

  @Override
  public void beforeObjectEntries(JsonGenerator json) throws IOException {
    startLine(json, depth < LINES);
  }

  @Override
  public void writeObjectFieldValueSeparator(JsonGenerator json) throws IOException {
    json.writeRaw(": ");
  }

  @Override
  public void writeObjectEntrySeparator(JsonGenerator json) throws IOException {
    json.writeRaw(',');
    startLine(json, depth < LINES);
  }

  @Override
  public void writeEndObject(JsonGenerator json, int entries) throws IOException {
    depth--;
    startLine(json, depth + 1 < LINES);
    super.writeEndObject(json, entries);
  }

  @Override
  public void writeStartArray(JsonGenerator json) throws IOException {
    super.writeStartArray(json);
    depth++;
  }

  @Override
  public void beforeArrayValues(JsonGenerator json) throws IOException {
    startLine(json, depth <= LINES);
  }

  @Override
  public void writeArrayValueSeparator(JsonGenerator json) throws IOException {
    json.writeRaw(',');
    startLine(json, depth <= LINES);
    if (depth > LINES) {
      json.writeRaw(' ');
    }
  }

  @Override
  public void writeEndArray(JsonGenerator json, int values) throws IOException {
    depth--;
    startLine(json, values > 0 && depth + 1 <= LINES);
    super.writeEndArray(json, values);
  }

  private void startLine(JsonGenerator json, boolean starts) throws IOException {
    if (starts) {
      json.writeRaw("\n" + "  ".repeat(depth));
    }
  }
}
