package dev.lockstep.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A zip archive of NumPy arrays. Samples are read in any order, which deflated entries do not
 * allow; so an array is unpacked into a temporary file when it is first read. The file is deleted
 * on close.
 */
final class NpzFile implements ArrayFile {
  private static final int BLOCK_VALUES = 4096;
  private static final int COPY_BYTES = 1 << 16;
  private static final String SUFFIX = ".npy";

  private final String location;
  private final ZipFile zip;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, NpyArray> unpacked = new LinkedHashMap<>();
  private final List<FileChannel> channels = new ArrayList<>();

  private record Entry(ZipEntry zipEntry, NpyHeader header, Variable variable) {}

  private NpzFile(String location, ZipFile zip) {
    this.location = location;
    this.zip = zip;
  }

  static NpzFile open(Path file) {
    try {
      ZipFile zip = new ZipFile(file.toFile());
      try {
        NpzFile opened = new NpzFile(file.toString(), zip);
        for (ZipEntry entry : Collections.list(zip.entries())) {
          opened.addEntry(entry);
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

  private void addEntry(ZipEntry zipEntry) throws IOException {
    if (!zipEntry.getName().endsWith(SUFFIX)) {
      return;
    }
    String name = zipEntry.getName().substring(0, zipEntry.getName().length() - SUFFIX.length());
    try (InputStream in = zip.getInputStream(zipEntry)) {
      NpyHeader header = NpyHeader.read(in, location + "!" + zipEntry.getName());
      entries.put(name, new Entry(zipEntry, header, header.variable(name)));
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
  public int blockLength(Variable variable) {
    return BLOCK_VALUES;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    NpyArray array = unpacked.get(variable.name());
    if (array == null) {
      array = unpack(entries.get(variable.name()));
      unpacked.put(variable.name(), array);
    }
    array.read(from, count, values);
  }

  private NpyArray unpack(Entry entry) {
    String name = location + "!" + entry.zipEntry.getName();
    try {
      Path temporary = Files.createTempFile("lockstep-", SUFFIX);
      FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
      channels.add(channel);
      copy(entry, name, channel);
      return new NpyArray(name, channel);
    } catch (IOException e) {
      throw new DataException(
          name, "cannot be unpacked into the folder for temporary files; set java.io.tmpdir", e);
    }
  }

  /** Copies no more than the header promises, whatever a hostile archive expands to. */
  private void copy(Entry entry, String name, FileChannel channel) throws IOException {
    long left = entry.header.fileBytes();
    byte[] bytes = new byte[COPY_BYTES];
    try (InputStream in = zip.getInputStream(entry.zipEntry)) {
      while (left > 0) {
        int count = in.read(bytes, 0, (int) Math.min(bytes.length, left));
        if (count < 0) {
          throw new DataException(name, "is cut short: " + left + " bytes are missing");
        }
        ByteBuffer part = ByteBuffer.wrap(bytes, 0, count);
        while (part.hasRemaining()) {
          channel.write(part);
        }
        left -= count;
      }
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
