package dev.lockstep.data;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Small binary files that are kept as text; {@code tiny.cdl} beside them says what is in most. */
final class Resources {
  private Resources() {}

  static byte[] bytes(String name) throws IOException {
    try (InputStream in = Resources.class.getResourceAsStream(name)) {
      String text =
          new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.US_ASCII);
      byte[] bytes = Base64.getMimeDecoder().decode(text);
      if (!name.contains(".gz.")) {
        return bytes;
      }
      try (InputStream unzipped = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
        return unzipped.readAllBytes();
      }
    }
  }

  static Path file(Path folder, String name) throws IOException {
    return Files.write(folder.resolve(name), bytes(name));
  }

  /** Unpacks an archive into a folder. */
  static void unzip(Path folder, String name) throws IOException {
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(bytes(name)))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        Path file = folder.resolve(entry.getName());
        Files.createDirectories(file.getParent());
        Files.write(file, in.readAllBytes());
      }
    }
  }

  /** All values of a variable, read in pieces of {@code piece} values. */
  static double[] values(ArrayFile file, String name, int piece) {
    Variable variable =
        file.variables().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
    double[] all = new double[(int) variable.size()];
    double[] part = new double[piece];
    for (int from = 0; from < all.length; from += piece) {
      int count = Math.min(piece, all.length - from);
      file.read(variable, from, count, part);
      System.arraycopy(part, 0, all, from, count);
    }
    return all;
  }
}
