package dev.lockstep.data.npy;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** One NumPy array; it is called "data", its columns {@code data[0]}, {@code data[1]}, …. */
public final class NpyFile implements ArrayFile {
  private static final int BLOCK_VALUES = 4096;

  private final String location;
  private final FileChannel channel;
  private final NpyArray array;
  private final Variable variable;

  private NpyFile(String location, FileChannel channel) throws IOException {
    this.location = location;
    this.channel = channel;
    array = new NpyArray(location, channel);
    variable = array.header().variable("data");
  }

  /**
   * Opens an array and reads its header.
   *
   * @throws DataException if it cannot be read, or holds no real numbers
   */
  public static NpyFile open(Path file) {
    try {
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      try {
        return new NpyFile(file.toString(), channel);
      } catch (RuntimeException | IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw DataException.cannotOpen(file, e);
    }
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "NPY";
  }

  @Override
  public List<Variable> variables() {
    return List.of(variable);
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    array.read(from, count, values);
  }

  @Override
  public int blockLength(Variable variable) {
    return BLOCK_VALUES;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new DataException(location, "cannot be closed", e);
    }
  }
}
