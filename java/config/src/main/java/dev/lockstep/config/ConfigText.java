package dev.lockstep.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A configuration file's text, which is UTF-8, with or without a byte order mark. */
final class ConfigText {
  /** A configuration is written by hand; what is larger is a data file given by mistake. */
  private static final long LARGEST_BYTES = 16 << 20;

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private ConfigText() {}

  /**
   * Reads the file.
   *
   * @throws ConfigException if it is not there, not UTF-8 or too large
   */
  static String read(Path file) {
    try {
      if (Files.isRegularFile(file) && Files.size(file) > LARGEST_BYTES) {
        throw refused(file.toString(), "is too large for a configuration; name a YAML file");
      }
      return decode(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      String reason =
          Files.isDirectory(file)
              ? "is a folder; name the YAML file in it"
              : Files.exists(file) ? "cannot be read: " + e.getMessage() : "no such file";
      throw refused(file.toString(), reason);
    }
  }

  /**
   * Decodes a file's bytes.
   *
   * @param source the file's name, for messages
   */
  static String decode(String source, byte[] bytes) {
    if (isUtf16(bytes)) {
      throw refused(source, "is UTF-16; save it as UTF-8");
    }
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer text = CharBuffer.allocate(bytes.length + 1);
    ByteBuffer input = ByteBuffer.wrap(bytes);
    CoderResult result = decoder.decode(input, text, true);
    text.flip();
    if (result.isError()) {
      long line = 1 + text.chars().filter(c -> c == '\n').count();
      throw refused(
          source + ":" + line,
          String.format(
              Locale.ROOT,
              "holds the byte 0x%02X, which is not UTF-8 (Latin-1, perhaps); save it as UTF-8",
              bytes[input.position()]));
    }
    boolean marked = text.length() > 0 && text.charAt(0) == BYTE_ORDER_MARK;
    return text.subSequence(marked ? 1 : 0, text.length()).toString();
  }

  /** By the byte order mark, or by the zero byte that every ASCII character has in UTF-16. */
  private static boolean isUtf16(byte[] bytes) {
    if (bytes.length < 2) {
      return false;
    }
    int mark = (bytes[0] & 0xFF) << 8 | bytes[1] & 0xFF;
    return mark == 0xFEFF || mark == 0xFFFE || (bytes[0] == 0) != (bytes[1] == 0);
  }

  private static ConfigException refused(String origin, String reason) {
    return new ConfigException(List.of(new ConfigProblem(origin, reason)));
  }
}
