package dev.lockstep.data.zarr;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/** The bytes of keys such as "wind/c/0/1". Thread-safe. */
interface ZarrStore extends Closeable {
  /** All bytes of a key; null if there is none. */
  byte @Nullable [] get(String key) throws IOException;

  /**
   * Some bytes of a key; null if there is none.
   *
   * @param from counted from the end if negative
   * @throws IOException if there are fewer
   */
  byte @Nullable [] get(String key, long from, int count) throws IOException;

  /** The keys of metadata: those whose last name is one of these. */
  List<String> keys(List<String> names) throws IOException;

  /** A folder, or a zip archive. */
  static ZarrStore open(Path path) throws IOException {
    return Files.isDirectory(path) ? new Folder(path) : new Archive(new ZipFile(path.toFile()));
  }

  /** A folder; a key is a path in it. */
  record Folder(Path root) implements ZarrStore {
    private static final int DEEPEST = 16;

    @Override
    public byte @Nullable [] get(String key) throws IOException {
      Path file = file(key);
      return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
    }

    @Override
    public byte @Nullable [] get(String key, long from, int count) throws IOException {
      Path file = file(key);
      if (!Files.isRegularFile(file)) {
        return null;
      }
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        long at = from < 0 ? channel.size() + from : from;
        if (at < 0 || at > channel.size() - count) {
          throw new IOException(file + " is cut short");
        }
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
          if (channel.read(bytes, at + bytes.position()) < 0) {
            throw new IOException(file + " is cut short");
          }
        }
        return bytes.array();
      }
    }

    /** Names of arrays stand in the metadata, which must not lead out of the store. */
    private Path file(String key) throws IOException {
      Path inside = root.getFileSystem().getPath(key).normalize();
      if (inside.isAbsolute() || inside.startsWith("..")) {
        throw new IOException("the key " + key + " lies outside of the store " + root);
      }
      return root.resolve(inside);
    }

    @Override
    public List<String> keys(List<String> names) throws IOException {
      try (Stream<Path> files = Files.walk(root, DEEPEST)) {
        return files
            .filter(file -> names.contains(String.valueOf(file.getFileName())))
            .map(file -> root.relativize(file).toString())
            .sorted()
            .toList();
      }
    }

    @Override
    public void close() {}
  }

  /** A zip archive; a key is an entry. */
  record Archive(ZipFile zip) implements ZarrStore {
    @Override
    public byte @Nullable [] get(String key) throws IOException {
      ZipEntry entry = zip.getEntry(key);
      if (entry == null) {
        return null;
      }
      try (InputStream in = zip.getInputStream(entry)) {
        return in.readAllBytes();
      }
    }

    @Override
    public byte @Nullable [] get(String key, long from, int count) throws IOException {
      ZipEntry entry = zip.getEntry(key);
      if (entry == null) {
        return null;
      }
      try (InputStream in = zip.getInputStream(entry)) {
        in.skipNBytes(from < 0 ? entry.getSize() + from : from);
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
          throw new IOException(key + " is cut short");
        }
        return bytes;
      }
    }

    @Override
    public List<String> keys(List<String> names) {
      return zip.stream()
          .map(ZipEntry::getName)
          .filter(name -> names.contains(name.substring(name.lastIndexOf('/') + 1)))
          .sorted()
          .toList();
    }

    @Override
    public void close() throws IOException {
      zip.close();
    }
  }
}
