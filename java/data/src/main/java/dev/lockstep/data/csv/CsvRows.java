package dev.lockstep.data.csv;

import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CommentStrategy;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import dev.lockstep.data.DataException;
import java.io.Closeable;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a table (RFC 4180): fields may stand in double quotes, and then contain separators,
 * line ends and doubled quotes. Lines end in LF, CRLF or CR. FastCSV does the work; what it
 * forgives, a quote that is never closed, is an error here. Not thread-safe.
 */
public final class CsvRows implements Closeable {
  private static final char END = '\0';

  private final CloseableIterator<CsvRecord> records;
  private final String location;
  private long line;
  private boolean ended;
  private boolean isComment;

  /**
   * Begins at the start of a text.
   *
   * @param text is closed with this
   * @param location of the text, for messages
   */
  public CsvRows(Reader text, char separator, String location) {
    this(text, separator, location, CommentStrategy.NONE);
  }

  private CsvRows(Reader text, char separator, String location, CommentStrategy comments) {
    this.location = location;
    records =
        CsvReader.builder()
            .fieldSeparator(separator)
            .skipEmptyLines(false)
            .allowExtraFields(true)
            .allowMissingFields(true)
            .commentStrategy(comments)
            .commentCharacter('#')
            .ofCsvRecord(new EndMark(text))
            .iterator();
  }

  /**
   * Opens a file of comma-separated values, whatever its encoding.
   *
   * @throws IOException if it cannot be read
   */
  public static CsvRows open(Path file) throws IOException {
    return new CsvRows(CsvDialect.detect(file).open(file), ',', file.toString());
  }

  /**
   * Opens a file of comma-separated values in which lines that start with {@code #}, without a
   * quote before it, are comments.
   *
   * @throws IOException if it cannot be read
   */
  public static CsvRows openWithComments(Path file) throws IOException {
    return new CsvRows(
        CsvDialect.detect(file).open(file), ',', file.toString(), CommentStrategy.READ);
  }

  /** Whether the row that was returned last is a comment: one field, its text after the #. */
  public boolean isComment() {
    return isComment;
  }

  /**
   * The next row; null at the end. A blank line is a row with one empty field.
   *
   * @throws DataException naming the line where quotes are wrong
   */
  public @Nullable List<String> next() throws IOException {
    if (ended) {
      return null;
    }
    try {
      if (!records.hasNext()) {
        throw error(Math.max(1, line), "opens a quote that is never closed");
      }
      CsvRecord record = records.next();
      line = record.getStartingLineNumber();
      isComment = record.isComment();
      List<String> fields = record.getFields();
      if (fields.size() == 1 && fields.get(0).equals(String.valueOf(END))) {
        ended = true;
        return null;
      }
      String last = fields.get(fields.size() - 1);
      if (!last.isEmpty() && last.charAt(last.length() - 1) == END) {
        throw error(line, "opens a quote that is never closed");
      }
      return fields;
    } catch (CsvParseException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      boolean quote = String.valueOf(cause.getMessage()).contains("after closing quote");
      throw error(
          line + 1,
          quote
              ? "has text after a closing quote; quote the whole field"
              : "cannot be read: " + cause.getMessage() + "; look for a quote that is not closed");
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** The number, from 1, of the line where the row that was returned last begins. */
  public long line() {
    return line;
  }

  /** An error at a line. */
  public DataException error(long atLine, String problem) {
    return new DataException(location, "line " + atLine + " " + problem);
  }

  @Override
  public void close() throws IOException {
    records.close();
  }

  /** Appends a last line that tells the end of the text from the end inside of a quote. */
  private static final class EndMark extends FilterReader {
    private String left = "";
    private boolean atEnd;
    private boolean lineEnded = true;

    EndMark(Reader in) {
      super(in);
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
      int count = atEnd ? -1 : in.read(buffer, offset, length);
      if (count > 0) {
        char last = buffer[offset + count - 1];
        lineEnded = last == '\n' || last == '\r';
        return count;
      }
      if (!atEnd) {
        atEnd = true;
        left = (lineEnded ? "" : "\n") + END;
      }
      if (left.isEmpty() || length == 0) {
        return length == 0 ? 0 : -1;
      }
      buffer[offset] = left.charAt(0);
      left = left.substring(1);
      return 1;
    }

    @Override
    public int read() throws IOException {
      char[] one = new char[1];
      return read(one, 0, 1) < 0 ? -1 : one[0];
    }
  }
}
