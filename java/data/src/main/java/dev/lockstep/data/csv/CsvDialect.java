package dev.lockstep.data.csv;

import dev.lockstep.data.DataException;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/**
 * How a table is written as text, found by looking at its first 64 KiB.
 *
 * @param gzip whether the file is compressed
 * @param charset of the text; UTF-8, UTF-16 and UTF-32 by their byte-order marks, and windows-1252
 *     (with Latin-1 in it) for what is not UTF-8
 * @param bomBytes bytes of the byte-order mark
 * @param separator between fields: comma, semicolon, tab or bar
 * @param decimalComma whether numbers are written as 1,5
 */
record CsvDialect(
    boolean gzip, Charset charset, int bomBytes, char separator, boolean decimalComma) {
  private static final int SAMPLE_BYTES = 1 << 16;
  private static final int SAMPLE_ROWS = 200;
  private static final double CONSISTENT = 0.9;

  /** In order of preference where a sample fits several. */
  private static final String SEPARATORS = ",;\t|";

  /** Finds out how a file is written. */
  static CsvDialect detect(Path file) throws IOException {
    byte[] bytes;
    boolean gzip;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      gzip = isGzip(in);
      InputStream plain = gzip ? new GZIPInputStream(in) : in;
      bytes = plain.readNBytes(SAMPLE_BYTES);
    }
    int bom = bomBytes(bytes);
    Charset charset = bom > 0 ? charsetOfBom(bytes) : charset(bytes);
    String sample = new String(bytes, bom, bytes.length - bom, charset);
    if (bytes.length == SAMPLE_BYTES) {
      int end = Math.max(sample.lastIndexOf('\n'), sample.lastIndexOf('\r'));
      sample = end < 0 ? sample : sample.substring(0, end);
    }
    boolean oneColumn = isOneColumnOfDecimalCommas(rows(sample, ';'));
    CsvDialect best = new CsvDialect(gzip, charset, bom, oneColumn ? ';' : ',', oneColumn);
    double bestScore = 0;
    for (char separator : candidates(sample)) {
      List<List<String>> rows = rows(sample, separator);
      for (boolean decimalComma : new boolean[] {false, true}) {
        double score = score(rows, decimalComma);
        if (score > bestScore) {
          bestScore = score;
          best = new CsvDialect(gzip, charset, bom, separator, decimalComma);
        }
      }
    }
    return best;
  }

  /**
   * The separator that a first line {@code sep=;}, as Excel reads it, names; else all known ones.
   */
  private static char[] candidates(String sample) {
    boolean named = sample.length() > 4 && sample.startsWith("sep=");
    String separator = named ? sample.substring(4, 5) : "";
    return (named && SEPARATORS.contains(separator) ? separator : SEPARATORS).toCharArray();
  }

  /** Whether a row is the line that names the separator. */
  static boolean namesSeparator(List<String> row) {
    return row.get(0).startsWith("sep=") && String.join("", row).length() <= "sep=;".length();
  }

  private static boolean isOneColumnOfDecimalCommas(List<List<String>> rows) {
    return rows.size() > 1
        && rows.get(0).size() == 1
        && rows.get(0).get(0).indexOf(',') < 0
        && rows.subList(1, rows.size()).stream()
            .allMatch(row -> row.size() == 1 && CsvNumber.isNumber(row.get(0), true));
  }

  private static boolean isGzip(InputStream in) throws IOException {
    in.mark(2);
    boolean gzip = in.read() == 0x1F && in.read() == 0x8B;
    in.reset();
    return gzip;
  }

  private static int bomBytes(byte[] bytes) {
    if (startsWith(bytes, 0xEF, 0xBB, 0xBF)) {
      return 3;
    }
    if (startsWith(bytes, 0xFF, 0xFE, 0, 0) || startsWith(bytes, 0, 0, 0xFE, 0xFF)) {
      return 4;
    }
    return startsWith(bytes, 0xFF, 0xFE) || startsWith(bytes, 0xFE, 0xFF) ? 2 : 0;
  }

  private static Charset charsetOfBom(byte[] bytes) {
    return switch (bomBytes(bytes)) {
      case 3 -> StandardCharsets.UTF_8;
      case 4 -> Charset.forName(bytes[0] == 0 ? "UTF-32BE" : "UTF-32LE");
      default -> bytes[0] == (byte) 0xFE ? StandardCharsets.UTF_16BE : StandardCharsets.UTF_16LE;
    };
  }

  private static boolean startsWith(byte[] bytes, int... expected) {
    for (int i = 0; i < expected.length; i++) {
      if (i >= bytes.length || Byte.toUnsignedInt(bytes[i]) != expected[i]) {
        return false;
      }
    }
    return true;
  }

  /** Without a mark: UTF-8 if the bytes are, apart from a character that the sample cuts. */
  private static Charset charset(byte[] bytes) {
    if (bytes.length > 3 && bytes[1] == 0 && bytes[3] == 0) {
      return StandardCharsets.UTF_16LE;
    }
    if (bytes.length > 3 && bytes[0] == 0 && bytes[2] == 0) {
      return StandardCharsets.UTF_16BE;
    }
    for (int cut = 0; cut < Math.min(4, bytes.length + 1); cut++) {
      try {
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, bytes.length - cut));
        return StandardCharsets.UTF_8;
      } catch (CharacterCodingException e) {
        // Perhaps the end of the sample lies inside a character.
      }
    }
    return Charset.forName("windows-1252");
  }

  private static List<List<String>> rows(String sample, char separator) {
    List<List<String>> rows = new ArrayList<>();
    try (CsvRows records = new CsvRows(new StringReader(sample), separator, "sample")) {
      for (List<String> row = records.next(); row != null && rows.size() < SAMPLE_ROWS; ) {
        boolean blank = row.size() == 1 && row.get(0).isBlank();
        boolean comment = rows.isEmpty() && (row.get(0).startsWith("#") || namesSeparator(row));
        if (!blank && !comment) {
          rows.add(row);
        }
        row = records.next();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (DataException e) {
      // A quote that the sample cuts, or that makes no sense; the whole file will tell.
    }
    return rows;
  }

  /**
   * How well a separator fits: the share of numbers where the rows are as wide as the header; zero
   * where they are not, or there is one column only.
   */
  private static double score(List<List<String>> rows, boolean decimalComma) {
    if (rows.isEmpty() || rows.get(0).size() < 2) {
      return 0;
    }
    int width = rows.get(0).size();
    int fitting = 0;
    int fields = 0;
    int numbers = 0;
    for (List<String> row : rows.subList(1, rows.size())) {
      boolean trailing = row.size() == width + 1 && row.get(width).isEmpty();
      fitting += row.size() == width || trailing || row.size() == width - 1 ? 1 : 0;
      for (String field : row) {
        fields++;
        numbers += CsvNumber.isMissing(field) || CsvNumber.isNumber(field, decimalComma) ? 1 : 0;
      }
    }
    if (fitting < CONSISTENT * (rows.size() - 1)) {
      return 0;
    }
    // More columns decide between equals, but never between shares that differ.
    return (fields == 0 ? 1 : 1 + 100.0 * numbers / fields) + 1e-6 * width;
  }

  /** The file's text, from the first character on. */
  Reader open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      InputStream plain = gzip ? new BufferedInputStream(new GZIPInputStream(in), 1 << 16) : in;
      plain.skipNBytes(bomBytes);
      return new BufferedReader(new InputStreamReader(plain, charset), 1 << 16);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /** What is unusual about it, for people; begins with a comma if there is anything. */
  String describe() {
    StringBuilder text = new StringBuilder();
    text.append(
        switch (separator) {
          case ';' -> ", semicolons";
          case '\t' -> ", tabs";
          case '|' -> ", bars";
          default -> "";
        });
    text.append(decimalComma ? ", decimal commas" : "");
    text.append(
        charset.equals(StandardCharsets.UTF_8)
            ? ""
            : ", " + charset.name().toUpperCase(Locale.ROOT));
    return text.append(gzip ? ", gzip" : "").toString();
  }
}
