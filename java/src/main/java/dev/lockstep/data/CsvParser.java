package dev.lockstep.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Splits comma-separated lines into fields (RFC 4180): fields may stand in double quotes, and then
 * contain commas, line ends and doubled quotes. Lines end in LF, CRLF or CR; UTF-8. Not
 * thread-safe.
 */
public final class CsvParser {
  private static final int END = -1;
  private static final int MAX_FIELD_BYTES = 1 << 20;

  private final InputStream in;
  private final String location;
  private final ByteArrayOutputStream field = new ByteArrayOutputStream();
  private int next;
  private long offset;
  private long line;

  /**
   * Begins at a line.
   *
   * @param in buffered, at the start of a line
   * @param offset of that line in the file
   * @param line its number, from 1
   */
  public CsvParser(InputStream in, String location, long offset, long line) throws IOException {
    this.in = in;
    this.location = location;
    this.offset = offset;
    this.line = line;
    next = in.read();
  }

  /** Skips the byte-order mark that some programs put before the header. */
  public void skipByteOrderMark() throws IOException {
    if (next == 0xEF) {
      for (int i = 0; i < 3; i++) {
        advance();
      }
    }
  }

  /** The offset of the byte after the last line that was read. */
  long offset() {
    return offset;
  }

  /** The number of the line that is read next. */
  public long line() {
    return line;
  }

  /**
   * Reads the next line into {@code fields}; false at the end of the file.
   *
   * @throws DataException naming file and line when quotes are wrong
   */
  public boolean readLine(List<String> fields) throws IOException {
    fields.clear();
    if (next == END) {
      return false;
    }
    do {
      fields.add(readField());
    } while (takeComma());
    if (next == '\r') {
      advance();
      if (next != '\n') {
        line++;
        return true;
      }
    }
    if (next == '\n') {
      advance();
    }
    line++;
    return true;
  }

  private boolean takeComma() throws IOException {
    if (next == ',') {
      advance();
      return true;
    }
    if (next == '\n' || next == '\r' || next == END) {
      return false;
    }
    throw error(line, "has text after a closing quote; quote the whole field");
  }

  private String readField() throws IOException {
    field.reset();
    if (next == '"') {
      readQuoted();
    } else {
      while (next != ',' && next != '\n' && next != '\r' && next != END) {
        append(line);
      }
    }
    return field.toString(StandardCharsets.UTF_8);
  }

  private void readQuoted() throws IOException {
    long start = line;
    advance();
    while (true) {
      if (next == END) {
        throw error(start, "opens a quote that is never closed");
      }
      if (next == '"') {
        advance();
        if (next != '"') {
          return;
        }
      } else if (next == '\n') {
        line++;
      }
      append(start);
    }
  }

  private void append(long start) throws IOException {
    if (field.size() == MAX_FIELD_BYTES) {
      throw error(start, "has a field of more than 1 MiB; look for a quote that is not closed");
    }
    field.write(next);
    advance();
  }

  private void advance() throws IOException {
    if (next != END) {
      next = in.read();
      offset++;
    }
  }

  DataException error(long atLine, String problem) {
    return new DataException(location, "line " + atLine + " " + problem);
  }
}
