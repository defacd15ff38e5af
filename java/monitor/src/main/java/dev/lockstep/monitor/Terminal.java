package dev.lockstep.monitor;

import java.io.Console;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Whether a person watches, and how wide their window is. */
public final class Terminal {
  private static final int USUAL_COLUMNS = 80;
  private static final int ANSWER_SECONDS = 2;

  /** 0 until the terminal is asked, at first and after {@link #resized}. */
  private static final AtomicInteger KNOWN_COLUMNS = new AtomicInteger();

  private Terminal() {}

  /**
   * Tells whether standard input and output are a terminal that understands cursor movement.
   *
   * @return false for pipes, files, and {@code TERM=dumb}
   */
  public static boolean attached() {
    Console console = System.console();
    return console != null && isTerminal(console) && !"dumb".equals(System.getenv("TERM"));
  }

  /**
   * Lets the width be asked again. The command line calls this at each SIGWINCH; a library takes no
   * signal from its host, where the width stays as it was at first.
   */
  public static void resized() {
    KNOWN_COLUMNS.set(0);
  }

  /** The width of this process's terminal as it is now; 80 where nobody can tell. */
  static int columns() {
    int columns = KNOWN_COLUMNS.get();
    if (columns == 0) {
      columns = ask();
      KNOWN_COLUMNS.set(columns);
    }
    return columns;
  }

  private static int ask() {
    ProcessBuilder stty =
        new ProcessBuilder("stty", "size")
            .redirectInput(new File("/dev/tty"))
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    try {
      Process asked = stty.start();
      if (!asked.waitFor(ANSWER_SECONDS, TimeUnit.SECONDS)) {
        asked.destroyForcibly();
        return USUAL_COLUMNS;
      }
      String answer = new String(asked.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return columnsOf(answer);
    } catch (IOException e) {
      return USUAL_COLUMNS;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return USUAL_COLUMNS;
    }
  }

  /**
   * @param answer rows and columns, as {@code stty size} prints them; 0 stands for unknown
   */
  static int columnsOf(String answer) {
    String[] size = answer.strip().split(" ", -1);
    try {
      int columns = Integer.parseInt(size[size.length - 1]);
      return columns > 0 ? columns : USUAL_COLUMNS;
    } catch (NumberFormatException e) {
      return USUAL_COLUMNS;
    }
  }

  /** From JDK 22 on there is a console without a terminal, and a method that tells them apart. */
  private static boolean isTerminal(Console console) {
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException beforeJdk22) {
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }
}
