package dev.lockstep.comm.profile;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.lockstep.comm.OperationRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;

/**
 * Chrome's trace event format: a complete event ("X", microseconds) for each operation, and
 * metadata events ("M") that name processes and threads.
 */
final class TraceFormat {
  private TraceFormat() {}

  /**
   * @param operations of each rank, by one clock
   */
  static byte[] document(String backend, List<List<OperationRecord>> operations) {
    long origin =
        operations.stream()
            .flatMap(List::stream)
            .mapToLong(OperationRecord::submittedNanos)
            .min()
            .orElse(0);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("displayTimeUnit", "ns");
      json.writeArrayFieldStart("traceEvents");
      for (int rank = 0; rank < operations.size(); rank++) {
        name(json, rank, "process_name", "rank " + rank);
        name(json, rank, "thread_name", backend.toLowerCase(Locale.ROOT) + " communicator");
        for (OperationRecord operation : operations.get(rank)) {
          event(json, rank, origin, operation);
        }
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("memory can be written", e);
    }
    return bytes.toByteArray();
  }

  private static void name(JsonGenerator json, int rank, String what, String name)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", what);
    json.writeStringField("ph", "M");
    json.writeNumberField("pid", rank);
    json.writeNumberField("tid", 0);
    json.writeObjectFieldStart("args");
    json.writeStringField("name", name);
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void event(JsonGenerator json, int rank, long origin, OperationRecord operation)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", operation.operation().toString());
    json.writeStringField("cat", operation.operation().isCollective() ? "collective" : "message");
    json.writeStringField("ph", "X");
    json.writeNumberField("pid", rank);
    json.writeNumberField("tid", 0);
    json.writeNumberField("ts", (operation.beganNanos() - origin) * 1e-3);
    json.writeNumberField("dur", (operation.endedNanos() - operation.beganNanos()) * 1e-3);
    json.writeObjectFieldStart("args");
    json.writeNumberField("number", operation.number());
    json.writeStringField("algorithm", operation.algorithm());
    json.writeNumberField("bytes", operation.bytes());
    json.writeNumberField("count", operation.count());
    json.writeStringField("type", operation.type().name());
    json.writeStringField("reduce_op", operation.op().name());
    json.writeNumberField("root_or_peer", operation.rootOrPeer());
    json.writeNumberField(
        "queued_us", (operation.beganNanos() - operation.submittedNanos()) * 1e-3);
    json.writeStringField("state", operation.state().name().toLowerCase(Locale.ROOT));
    json.writeEndObject();
    json.writeEndObject();
  }
}
