package dev.lockstep.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Copies one stream of a rank, line by line with a prefix, and remembers its last lines. Several
 * copy to the same stream without mixing inside a line: each writes whole lines while it holds the
 * stream's lock.
 */
final class PrefixedOutput implements Runnable {
  /** A line without an end must not fill the memory; it is broken here. */
  private static final int LONGEST_LINE = 1 << 20;

  private static final int REMEMBERED_LINES = 50;

  private final InputStream input;
  private final PrintStream output;
  private final byte[] prefix;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final Deque<String> lastLines = new ArrayDeque<>();

  PrefixedOutput(String prefix, InputStream input, PrintStream output) {
    this.prefix = prefix.getBytes(StandardCharsets.UTF_8);
    this.input = input;
    this.output = output;
  }

  @Override
  public void run() {
    byte[] chunk = new byte[8192];
    for (int length = read(chunk); length >= 0; length = read(chunk)) {
      copy(chunk, length);
    }
    if (line.size() > 0) {
      writeLines(takeLine());
    }
  }

  /** A pipe can fail only by being closed, as the JDK does when the process has ended. */
  private int read(byte[] chunk) {
    try {
      return input.read(chunk);
    } catch (IOException closed) {
      return -1;
    }
  }

  /** The last lines, oldest first. */
  synchronized List<String> lastLines() {
    return List.copyOf(lastLines);
  }

  private void copy(byte[] chunk, int length) {
    ByteArrayOutputStream complete = new ByteArrayOutputStream(length + 64);
    for (int i = 0; i < length; i++) {
      if (chunk[i] == '\n' || line.size() == LONGEST_LINE) {
        complete.writeBytes(takeLine());
      }
      if (chunk[i] != '\n') {
        line.write(chunk[i]);
      }
    }
    if (complete.size() > 0) {
      writeLines(complete.toByteArray());
    }
  }

  private byte[] takeLine() {
    remember(line.toString(StandardCharsets.UTF_8));
    ByteArrayOutputStream whole = new ByteArrayOutputStream(prefix.length + line.size() + 1);
    whole.writeBytes(prefix);
    whole.writeBytes(line.toByteArray());
    whole.write('\n');
    line.reset();
    return whole.toByteArray();
  }

  private synchronized void remember(String text) {
    if (!text.isBlank()) {
      lastLines.addLast(text);
      if (lastLines.size() > REMEMBERED_LINES) {
        lastLines.removeFirst();
      }
    }
  }

  private void writeLines(byte[] lines) {
    synchronized (output) {
      output.write(lines, 0, lines.length);
      output.flush();
    }
  }
}
