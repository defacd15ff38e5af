package dev.lockstep.federated;

import dev.lockstep.checkpoint.CheckpointException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.federated.client.ParameterVector;
import dev.lockstep.federated.privacy.NoiseKey;
import dev.lockstep.files.DurableFiles;
import dev.lockstep.files.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The file {@code checkpoint.bin} of a federation, which rank 0 writes and reads: a magic number,
 * the hash of what must be equal for a run to go on, the state between two rounds (big-endian), and
 * the SHA-256 of all that.
 */
final class FederationCheckpoint {
  private static final long MAGIC = 0x4c6f636b46656433L; // "LockFed3"
  private static final int HASH_BYTES = 32;

  private final Path file;
  private final byte[] identity;
  private final Communicator communicator;

  /**
   * @param identity names everything on which the results depend; a checkpoint of another is
   *     refused
   */
  FederationCheckpoint(Path file, String identity, Communicator communicator) {
    this.file = file;
    this.identity = Sha256.digest().digest(identity.getBytes(StandardCharsets.UTF_8));
    this.communicator = communicator;
  }

  /** Writes the state; collective. */
  void write(ServerState state, int clients) {
    if (communicator.rank() != 0) {
      sendOfClients(state, clients);
      return;
    }
    try {
      DurableFiles.replaceWith(file, temporary -> writeTo(temporary, state, clients));
    } catch (IOException e) {
      throw new CheckpointException(
          "The checkpoint "
              + file
              + " cannot be written ("
              + DurableFiles.reason(e)
              + "); the one before is as it was.",
          e);
    }
  }

  /** Writes numbers, and at the end their hash. */
  private static final class Sealed {
    private final WritableByteChannel channel;
    private final MessageDigest digest = Sha256.digest();

    Sealed(WritableByteChannel channel) {
      this.channel = channel;
    }

    void bytes(byte[] bytes) throws IOException {
      digest.update(bytes);
      channel.write(ByteBuffer.wrap(bytes));
    }

    void vector(double[] values) throws IOException {
      ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES + values.length * Double.BYTES);
      buffer.putInt(values.length);
      buffer.asDoubleBuffer().put(values);
      bytes(buffer.array());
    }

    void integer(int value) throws IOException {
      bytes(ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
    }

    void seal() throws IOException {
      channel.write(ByteBuffer.wrap(digest.digest()));
    }
  }

  /** For its owner only: it holds the key of the noise. */
  private void writeTo(Path temporary, ServerState state, int clients) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      write(state, clients, new Sealed(channel));
    }
  }

  private void write(ServerState state, int clients, Sealed out) throws IOException {
    out.bytes(ByteBuffer.allocate(Long.BYTES).putLong(MAGIC).array());
    out.bytes(identity);
    out.integer(state.rounds);
    out.vector(new double[] {state.seconds});
    out.bytes(state.privacy.key().bytes());
    for (double[] vector : state.vectors()) {
      out.vector(vector);
    }
    out.integer(state.bases.size());
    for (Map.Entry<Integer, double[]> base : state.bases.entrySet()) {
      out.integer(base.getKey());
      out.vector(base.getValue());
    }
    writeOfClients(state, clients, out);
    out.seal();
  }

  /** What ranks have of their clients: SCAFFOLD's control variates, and personal layers. */
  private static List<Map<Integer, float[]>> ofClients(ServerState state) {
    return List.of(state.clientControls, state.personal);
  }

  /** One client after the other, so that no rank needs the memory of all. */
  private void writeOfClients(ServerState state, int clients, Sealed out) throws IOException {
    for (Map<Integer, float[]> vectors : ofClients(state)) {
      for (int client = 0; client < clients; client++) {
        out.vector(decoded(exchange(vectors, client)));
      }
    }
  }

  private void sendOfClients(ServerState state, int clients) {
    for (Map<Integer, float[]> vectors : ofClients(state)) {
      for (int client = 0; client < clients; client++) {
        exchange(vectors, client);
      }
    }
  }

  /** A client's vector from its rank to all; empty if it has none. */
  private byte[] exchange(Map<Integer, float[]> vectors, int client) {
    float[] own = vectors.get(client);
    ByteBuffer bytes = ByteBuffer.allocate(own == null ? 0 : own.length * Float.BYTES);
    if (own != null) {
      bytes.asFloatBuffer().put(own);
    }
    return communicator.broadcast(bytes.array(), client % communicator.size());
  }

  private static double[] decoded(byte[] floats) {
    double[] values = new double[floats.length / Float.BYTES];
    ByteBuffer bytes = ByteBuffer.wrap(floats);
    Arrays.setAll(values, i -> bytes.getFloat(i * Float.BYTES));
    return values;
  }

  /**
   * Restores the state; collective.
   *
   * @throws CheckpointException if there is none, or it is damaged or of another federation
   */
  void read(ServerState state, int clients) {
    byte[] content = new byte[0];
    CheckpointException failure = null;
    if (communicator.rank() == 0) {
      try {
        content = verified();
      } catch (CheckpointException e) {
        failure = e;
      }
    }
    content = communicator.broadcast(content, 0);
    if (failure != null) {
      throw failure;
    }
    if (content.length == 0) {
      throw new CheckpointException("Rank 0 found no usable checkpoint; its output says why.");
    }
    restore(state, clients, ByteBuffer.wrap(content));
  }

  private byte[] verified() {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new CheckpointException(
          "There is no checkpoint to resume from: "
              + file
              + " cannot be read ("
              + DurableFiles.reason(e)
              + "); federate without --resume.",
          e);
    }
    int end = content.length - HASH_BYTES;
    int header = Long.BYTES + HASH_BYTES;
    if (end < header
        || ByteBuffer.wrap(content).getLong() != MAGIC
        || !Arrays.equals(hash(content, end), Arrays.copyOfRange(content, end, content.length))) {
      throw new CheckpointException(
          "The checkpoint "
              + file
              + " is damaged, or another version wrote it; federate without --resume.");
    }
    if (!Arrays.equals(identity, Arrays.copyOfRange(content, Long.BYTES, header))) {
      throw new CheckpointException(
          "The checkpoint "
              + file
              + " is of a federation with other data, seed, model or settings; resume with those,"
              + " or federate without --resume.");
    }
    return Arrays.copyOfRange(content, header, end);
  }

  private static byte[] hash(byte[] content, int length) {
    MessageDigest digest = Sha256.digest();
    digest.update(content, 0, length);
    return digest.digest();
  }

  private void restore(ServerState state, int clients, ByteBuffer in) {
    state.rounds = in.getInt();
    state.seconds = vector(in)[0];
    byte[] key = new byte[NoiseKey.LENGTH];
    in.get(key);
    state.privacy.restore(NoiseKey.of(key));
    for (double[] vector : state.vectors()) {
      System.arraycopy(vector(in), 0, vector, 0, vector.length);
    }
    state.bases.clear();
    for (int left = in.getInt(); left > 0; left--) {
      int base = in.getInt();
      state.bases.put(base, vector(in));
    }
    for (Map<Integer, float[]> vectors : ofClients(state)) {
      for (int client = 0; client < clients; client++) {
        double[] own = vector(in);
        if (own.length > 0 && client % communicator.size() == communicator.rank()) {
          vectors.put(client, ParameterVector.toFloats(own));
        }
      }
    }
  }

  private static double[] vector(ByteBuffer in) {
    double[] values = new double[in.getInt()];
    in.asDoubleBuffer().get(values);
    in.position(in.position() + values.length * Double.BYTES);
    return values;
  }
}
