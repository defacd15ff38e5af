package dev.lockstep.comm.profile;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Brings one value of each rank to rank 0. */
final class GatheredJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private GatheredJson() {}

  /** Collective. @return by rank on rank 0; empty elsewhere */
  static <T> List<T> gather(Communicator communicator, T own, Class<T> type) {
    byte[] bytes = write(own);
    double[] lengths = communicator.allGather(new double[] {bytes.length});
    boolean root = communicator.rank() == 0;
    long[] counts = new long[lengths.length];
    long sum = 0;
    for (int rank = 0; rank < counts.length; rank++) {
      counts[rank] = (long) lengths[rank];
      sum += counts[rank];
    }
    ByteBuffer all = ByteBuffer.allocateDirect(root ? Math.toIntExact(sum) : 0);
    ByteBuffer mine = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    communicator.gather(Span.of(mine), root ? Span.of(all) : Span.empty(), counts, 0);
    List<T> values = new ArrayList<>();
    for (int rank = 0; root && rank < counts.length; rank++) {
      byte[] part = new byte[(int) counts[rank]];
      all.get(part);
      values.add(read(part, type));
    }
    return values;
  }

  private static byte[] write(Object value) {
    try {
      return JSON.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of plain values can be written", e);
    }
  }

  private static <T> T read(byte[] bytes, Class<T> type) {
    try {
      return JSON.readValue(bytes, type);
    } catch (IOException e) {
      throw new UncheckedIOException("Another rank has sent no " + type.getSimpleName() + ".", e);
    }
  }
}
