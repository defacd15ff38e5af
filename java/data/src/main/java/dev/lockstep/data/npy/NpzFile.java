package dev.lockstep.data.npy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataException;
import dev.lockstep.data.TemporaryFile;
import dev.lockstep.data.Variable;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A zip archive of NumPy arrays. Samples are read in any order, which deflated entries do not
 * allow; so an array is unpacked into a temporary file when it is first read.
 */
public final class NpzFile implements ArrayFile {
  private static final int BLOCK_VALUES = 4096;
  private static final int COPY_BYTES = 1 << 16;
  private static final String SUFFIX = ".npy";

  private final String location;
  private final ZipFile zip;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private final Map<String, NpyArray> unpacked = new LinkedHashMap<>();
  private final List<FileChannel> channels = new ArrayList<>();

  private record Entry(ZipEntry zipEntry, NpyHeader header, Variable variable) {}

  private NpzFile(String location, ZipFile zip) {
    this.location = location;
    this.zip = zip;
  }

  /**
   * Opens an archive and reads the headers of its arrays.
   *
   * @throws DataException if it is not a whole zip archive, or holds no array
   */
  public static NpzFile open(Path file) {
    try {
      ZipFile zip = new ZipFile(file.toFile());
      try {
        NpzFile opened = new NpzFile(file.toString(), zip);
        for (ZipEntry entry : Collections.list(zip.entries())) {
          opened.addEntry(entry);
        }
        if (opened.entries.isEmpty() && opened.unreadable.isEmpty()) {
          throw new DataException(file.toString(), "is a zip archive without NumPy arrays");
        }
        return opened;
      } catch (RuntimeException | IOException e) {
        zip.close();
        throw e;
      }
    } catch (ZipException e) {
      throw new DataException(
          file.toString(), "is not a whole zip archive (" + e.getMessage() + ")", e);
    } catch (IOException e) {
      throw DataException.cannotOpen(file, e);
    }
  }

  /** Adds an array; what macOS and people put beside the arrays is none. */
  private void addEntry(ZipEntry zipEntry) throws IOException {
    String path = zipEntry.getName();
    boolean named = path.endsWith(SUFFIX);
    String file = path.substring(path.lastIndexOf('/') + 1);
    if (zipEntry.isDirectory() || path.startsWith("__MACOSX/") || file.startsWith("._")) {
      return;
    }
    String name = named ? path.substring(0, path.length() - SUFFIX.length()) : path;
    try (InputStream in = new BufferedInputStream(zip.getInputStream(zipEntry))) {
      if (!named && !NpyHeader.startsLikeOne(in)) {
        return;
      }
      NpyHeader header = NpyHeader.read(in, location + "!" + path);
      entries.put(name, new Entry(zipEntry, header, header.variable(name)));
    } catch (DataException e) {
      unreadable.add(new Unreadable(name, "array", List.of(), e.problem()));
    } catch (ZipException e) {
      unreadable.add(new Unreadable(name, "array", List.of(), "is damaged: " + e.getMessage()));
    }
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "NPZ";
  }

  @Override
  public List<Variable> variables() {
    return entries.values().stream().map(Entry::variable).toList();
  }

  @Override
  public List<Unreadable> unreadable() {
    return unreadable;
  }

  @Override
  public int blockLength(Variable variable) {
    return BLOCK_VALUES;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    NpyArray array = unpacked.get(variable.name());
    if (array == null) {
      array = unpack(requireNonNull(entries.get(variable.name()), "a variable of this file"));
      unpacked.put(variable.name(), array);
    }
    array.read(from, count, values);
  }

  private NpyArray unpack(Entry entry) {
    String name = location + "!" + entry.zipEntry.getName();
    try {
      FileChannel channel = TemporaryFile.open();
      channels.add(channel);
      copy(entry, name, channel);
      return new NpyArray(name, channel);
    } catch (IOException e) {
      throw new DataException(
          name, "cannot be unpacked into the folder for temporary files; set java.io.tmpdir", e);
    }
  }

  /**
   * Copies no more than the header promises, whatever a hostile archive expands to, and checks the
   * archive's checksum of the whole entry.
   */
  private void copy(Entry entry, String name, FileChannel channel) throws IOException {
    long left = entry.header.fileBytes();
    byte[] bytes = new byte[COPY_BYTES];
    CRC32 checksum = new CRC32();
    try (InputStream in = zip.getInputStream(entry.zipEntry)) {
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        checksum.update(bytes, 0, count);
        ByteBuffer part = ByteBuffer.wrap(bytes, 0, (int) Math.min(count, left));
        left -= part.remaining();
        TemporaryFile.append(channel, part);
      }
    } catch (ZipException | EOFException e) {
      throw new DataException(name, "is damaged: " + e.getMessage() + "; fetch it again", e);
    }
    if (left > 0) {
      throw new DataException(name, "is cut short: " + left + " bytes are missing");
    }
    if (entry.zipEntry.getCrc() >= 0 && entry.zipEntry.getCrc() != checksum.getValue()) {
      throw new DataException(
          name, "is damaged: its checksum (CRC-32) is not that in the archive; fetch it again");
    }
  }

  @Override
  public void close() {
    try {
      for (FileChannel channel : channels) {
        channel.close();
      }
      zip.close();
    } catch (IOException e) {
      throw new DataException(location, "cannot be closed", e);
    }
  }
}
