package dev.lockstep.federated;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.files.Sha256;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What server and clients say to one another once they are connected. All numbers are big-endian; a
 * model is a row of float32, or of float64 where its types need that.
 */
final class Protocol {
  /**
   * Server: round (4), seed (8), what comes with it (1): {@link #PLAIN} and so on, terms of secure
   * aggregation (weight (8), largest weight (8), norm (8)), model, correction.
   */
  static final int WORK = 1;

  /** Client: round (4), loss (8), whether all was finite (1), model; none under such terms. */
  static final int TRAINED = 2;

  /** Server: round (4), model. */
  static final int ASK_LOSS = 3;

  /** Client: round (4), loss (8). */
  static final int LOSS = 4;

  /** Client: round (4), why it cannot do what it was asked (UTF-8). */
  static final int UNABLE = 5;

  /** Server: the final model. */
  static final int END = 6;

  /** Server and client: round (4), a message of secure aggregation. */
  static final int SEALED = 7;

  /** Behind a work's seed. */
  static final int PLAIN = 0;

  static final int CORRECTED = 1;
  static final int ON_TERMS = 2;

  /** The most that keys and shares of the most clients need. */
  private static final int SHARES = 1 << 18;

  /** Bytes of a message besides its model and correction, and more than that. */
  static final int SLACK = 1024;

  private static final JsonMapper JSON = new JsonMapper();
  private static final int HASH = 32;

  private final int length;
  private final boolean wide;

  /** For models of that length and types. */
  Protocol(ParameterVector vector) {
    length = vector.length();
    wide = !vector.isFloat32();
  }

  int vectorBytes() {
    return Math.multiplyExact(length, wide ? Double.BYTES : Float.BYTES);
  }

  /** The most that a message of either end has. */
  int mostBytes() {
    return Math.addExact(SLACK + SHARES, Math.multiplyExact(2, vectorBytes()));
  }

  ByteBuffer write(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, wide ? Double.BYTES : Float.BYTES));
    for (double value : values) {
      if (wide) {
        bytes.putDouble(value);
      } else {
        bytes.putFloat((float) value);
      }
    }
    return bytes.flip();
  }

  /**
   * The next numbers of a message.
   *
   * @throws ProtocolException if it has fewer
   */
  double[] read(ByteBuffer bytes, int count) throws ProtocolException {
    long needed = (long) count * (wide ? Double.BYTES : Float.BYTES);
    if (bytes.remaining() < needed) {
      throw new ProtocolException(
          "it has " + bytes.remaining() + " bytes of numbers where " + needed + " are due");
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = wide ? bytes.getDouble() : bytes.getFloat();
    }
    return values;
  }

  /**
   * A whole model, with which the message must end.
   *
   * @throws ProtocolException for any other length
   */
  double[] readLast(ByteBuffer bytes) throws ProtocolException {
    if (bytes.remaining() != vectorBytes()) {
      throw new ProtocolException(
          "its model has " + bytes.remaining() + " bytes where " + vectorBytes() + " are due");
    }
    return read(bytes, length);
  }

  /** What a server tells a client that joins. */
  record Welcome(int classes, Normalizer.Statistics features, Normalizer.Statistics targets) {
    static Welcome of(int classes, Normalizer.Pair normalizers) {
      return new Welcome(
          classes, normalizers.features().statistics(), normalizers.targets().statistics());
    }

    byte[] write() {
      try {
        return JSON.writeValueAsBytes(this);
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("The normalisers cannot be written as JSON.", e);
      }
    }

    static Welcome read(ByteBuffer bytes) throws ProtocolException {
      byte[] json = new byte[bytes.remaining()];
      bytes.get(json);
      try {
        return JSON.readValue(json, Welcome.class);
      } catch (IOException e) {
        throw new ProtocolException("the server's welcome is damaged: " + e.getMessage());
      }
    }

    Normalizer.Pair normalizers() {
      return new Normalizer.Pair(new Normalizer(features), new Normalizer(targets));
    }
  }

  /**
   * What a client says of itself on joining.
   *
   * @param samples that it has
   * @param hashes of what must be equal at both ends, in the order of {@link #parts}
   */
  record Hello(int samples, List<byte[]> hashes) {
    static Hello of(FederationPlan plan, Dataset dataset, int samples) {
      return new Hello(samples, hashes(plan, dataset));
    }

    static List<byte[]> hashes(FederationPlan plan, Dataset dataset) {
      return parts(plan, dataset).values().stream()
          .map(text -> Sha256.digest().digest(text.getBytes(StandardCharsets.UTF_8)))
          .toList();
    }

    /** What must be equal, by the names of its keys. */
    private static Map<String, String> parts(FederationPlan plan, Dataset dataset) {
      Map<String, String> parts = plan.identity();
      parts.put(
          "data.features or data.targets",
          dataset.featureNames()
              + " "
              + dataset.targetNames()
              + Arrays.toString(dataset.featureShape()));
      return parts;
    }

    byte[] write() {
      ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + HASH * hashes.size());
      bytes.putInt(samples);
      hashes.forEach(bytes::put);
      return bytes.array();
    }

    static Hello read(ByteBuffer bytes) throws ProtocolException {
      try {
        int samples = bytes.getInt();
        List<byte[]> hashes = new ArrayList<>();
        while (bytes.hasRemaining()) {
          byte[] hash = new byte[HASH];
          bytes.get(hash);
          hashes.add(hash);
        }
        return new Hello(samples, hashes);
      } catch (BufferUnderflowException e) {
        throw new ProtocolException("it says nothing of itself that could be read");
      }
    }

    /** The keys whose values are not the server's. */
    List<String> differences(FederationPlan plan, Dataset dataset) {
      List<byte[]> expected = hashes(plan, dataset);
      List<String> names = new ArrayList<>(parts(plan, dataset).keySet());
      List<String> different = new ArrayList<>();
      for (int i = 0; i < expected.size(); i++) {
        if (i >= hashes.size() || !Arrays.equals(expected.get(i), hashes.get(i))) {
          different.add(names.get(i));
        }
      }
      return different;
    }
  }
}
