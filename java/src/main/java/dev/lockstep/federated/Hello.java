package dev.lockstep.federated;

import dev.lockstep.data.Dataset;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.files.Sha256;
import java.net.ProtocolException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What a client says of itself on joining.
 *
 * @param samples that it has
 * @param hashes of what must be equal at both ends, in the order of {@link #parts}
 */
record Hello(int samples, List<byte[]> hashes) {
  private static final int HASH = 32;

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
