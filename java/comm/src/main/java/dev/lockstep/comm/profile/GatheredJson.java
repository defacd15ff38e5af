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
    List<T> values = new ArrayList<>();
    // One rank after the other: together they may exceed what one buffer holds.
    for (int rank = 0; rank < communicator.size(); rank++) {
      long[] counts = new long[communicator.size()];
      counts[rank] = (long) lengths[rank];
      ByteBuffer mine = ByteBuffer.allocateDirect(rank == communicator.rank() ? bytes.length : 0);
      ByteBuffer part =
          ByteBuffer.allocateDirect(communicator.rank() == 0 ? (int) counts[rank] : 0);
      if (mine.hasRemaining()) {
        mine.put(bytes).flip();
      }
      communicator.gather(Span.of(mine), Span.of(part), counts, 0);
      if (communicator.rank() == 0) {
        byte[] text = new byte[part.capacity()];
        part.get(0, text);
        values.add(read(text, type));
      }
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
